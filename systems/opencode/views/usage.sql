-- view: usage
-- title: Totals, each answer counted once
-- answers: What was used in truth? Copies made by forks are left out, and the kinds of tokens do not overlap.
-- parameters: project agent model from to session
-- shape: object
-- requirements: OC-49
-- budget_ms: 250

-- With a filter by agent or model, users' messages are left out: they have neither.
WITH chosen AS (
    SELECT
        m.session_id,
        m.role,
        coalesce(p.is_fork_copy, false) AS is_copy,
        u.message_id AS answer,
        u.stored_cost,
        u.list_cost,
        u.tokens_input,
        u.tokens_output,
        u.tokens_reasoning,
        u.tokens_cache_read,
        u.tokens_cache_write
    FROM messages m
    LEFT JOIN message_places p ON p.message_id = m.id
    LEFT JOIN message_usage u ON u.message_id = m.id
    LEFT JOIN session_resource_metrics s ON s.session_id = m.session_id
    WHERE ($project IS NULL OR coalesce(u.root_path, s.root_path) = $project
            OR coalesce(u.project_id, s.project_id) = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
      AND ($session IS NULL OR m.session_id = $session)
      AND ($from IS NULL OR coalesce(u.time_created, m.time_created) >= $from)
      AND ($to IS NULL OR coalesce(u.time_created, m.time_created) < $to)
)
SELECT
    CASE
        WHEN $project IS NULL AND $agent IS NULL AND $model IS NULL AND $session IS NULL AND $from IS NULL AND $to IS NULL
            THEN (SELECT count(*) FROM sessions)
        ELSE count(DISTINCT c.session_id) END AS sessions,
    count(*) FILTER (WHERE NOT c.is_copy AND c.role IN ('user', 'assistant')) AS messages,
    coalesce(sum(c.stored_cost) FILTER (WHERE NOT c.is_copy), 0) AS total_cost,
    sum(c.list_cost) FILTER (WHERE NOT c.is_copy) AS list_cost,
    count(c.answer) FILTER (WHERE NOT c.is_copy AND c.list_cost IS NULL) AS unpriced_messages,
    coalesce(sum(c.tokens_input) FILTER (WHERE NOT c.is_copy), 0) AS "tokens.input",
    coalesce(sum(c.tokens_output) FILTER (WHERE NOT c.is_copy), 0) AS "tokens.output",
    coalesce(sum(c.tokens_reasoning) FILTER (WHERE NOT c.is_copy), 0) AS "tokens.reasoning",
    coalesce(sum(c.tokens_cache_read) FILTER (WHERE NOT c.is_copy), 0) AS "tokens.cache_read",
    coalesce(sum(c.tokens_cache_write) FILTER (WHERE NOT c.is_copy), 0) AS "tokens.cache_write",
    count(*) FILTER (WHERE c.is_copy AND c.role IN ('user', 'assistant')) AS fork_copies
FROM chosen c;

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
