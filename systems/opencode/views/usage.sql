-- view: usage
-- title: Totals, each answer counted once
-- answers: What was used in truth? Copies made by forks are left out, and the kinds of tokens do not overlap.
-- parameters: project agent model from to session
-- shape: object
-- requirements: OC-49
-- budget_ms: 250

-- A user's message is a copy when its exchange is one. With a filter by agent or model, users' messages are left out.
SELECT
    (SELECT count(DISTINCT s.session_id)
     FROM session_resource_metrics s
     WHERE ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
       AND ($session IS NULL OR s.session_id = $session)
       AND (($agent IS NULL AND $model IS NULL AND $from IS NULL AND $to IS NULL) OR s.session_id IN (
            SELECT u.session_id FROM message_usage u
            WHERE ($agent IS NULL OR u.agent = $agent)
              AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
              AND ($from IS NULL OR u.time_created >= $from)
              AND ($to IS NULL OR u.time_created < $to)))
    ) AS sessions,
    count(*) FILTER (WHERE u.message_id IS NOT NULL)
        + (SELECT count(*)
           FROM messages m
           LEFT JOIN session_resource_metrics s ON s.session_id = m.session_id
           WHERE m.id NOT IN (SELECT message_id FROM message_usage)
             AND m.id NOT IN (SELECT id FROM exchanges WHERE is_fork_copy)
             AND $agent IS NULL AND $model IS NULL
             AND ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
             AND ($session IS NULL OR m.session_id = $session)
             AND ($from IS NULL OR m.time_created >= $from)
             AND ($to IS NULL OR m.time_created < $to)) AS messages,
    coalesce(sum(u.stored_cost), 0) AS total_cost,
    coalesce(sum(u.list_cost), 0) AS list_cost,
    count(*) FILTER (WHERE u.list_cost IS NULL) AS unpriced_messages,
    coalesce(sum(u.tokens_input), 0) AS "tokens.input",
    coalesce(sum(u.tokens_output), 0) AS "tokens.output",
    coalesce(sum(u.tokens_reasoning), 0) AS "tokens.reasoning",
    coalesce(sum(u.tokens_cache_read), 0) AS "tokens.cache_read",
    coalesce(sum(u.tokens_cache_write), 0) AS "tokens.cache_write",
    (SELECT count(*)
     FROM message_usage c
     WHERE c.is_fork_copy
       AND ($project IS NULL OR c.root_path = $project OR c.project_id = $project)
       AND ($agent IS NULL OR c.agent = $agent)
       AND ($model IS NULL OR c.model = $model OR c.provider || '/' || c.model = $model)
       AND ($session IS NULL OR c.session_id = $session)
       AND ($from IS NULL OR c.time_created >= $from)
       AND ($to IS NULL OR c.time_created < $to))
        + (SELECT count(*)
           FROM exchanges x
           LEFT JOIN session_resource_metrics s ON s.session_id = x.session_id
           WHERE x.is_fork_copy
             AND $agent IS NULL AND $model IS NULL
             AND ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
             AND ($session IS NULL OR x.session_id = $session)
             AND ($from IS NULL OR x.time_start >= $from)
             AND ($to IS NULL OR x.time_start < $to)) AS fork_copies
FROM message_usage u
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($session IS NULL OR u.session_id = $session)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to);

-- section: models
SELECT
    u.provider AS provider,
    u.model AS model,
    count(*) AS messages,
    coalesce(sum(u.stored_cost), 0) AS cost,
    sum(u.list_cost) AS list_cost,
    coalesce(sum(u.tokens_input), 0) AS tokens_input,
    coalesce(sum(u.tokens_output), 0) AS tokens_output,
    coalesce(sum(u.tokens_reasoning), 0) AS tokens_reasoning,
    coalesce(sum(u.tokens_cache_read), 0) AS cache_read,
    coalesce(sum(u.tokens_cache_write), 0) AS cache_write
FROM message_usage u
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($session IS NULL OR u.session_id = $session)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.provider, u.model
ORDER BY messages DESC, provider, model;

-- section: tools
SELECT t.tool AS tool, count(*) AS calls
FROM tool_calls t
JOIN message_usage u ON u.message_id = t.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($session IS NULL OR u.session_id = $session)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY t.tool
ORDER BY calls DESC, tool;
