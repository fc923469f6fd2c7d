-- view: token-rules
-- title: Meaning of tokens by writer's version
-- answers: Under which version's meaning were tokens read, and how much reasoning was in the output?
-- parameters: project agent model from to
-- shape: rows
-- chart: table
-- requirements: OC-103
-- budget_ms: 250

SELECT
    u.token_rule,
    count(*) AS messages,
    sum(u.tokens_stored_output) AS tokens_stored_output,
    sum(u.tokens_output) AS tokens_output,
    sum(u.tokens_reasoning) AS tokens_reasoning,
    count(*) FILTER (WHERE u.steps = 0) AS messages_without_steps,
    min(u.time_created) AS first_seen,
    max(u.time_created) AS last_seen
FROM message_usage u
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.token_rule
ORDER BY messages DESC, u.token_rule
