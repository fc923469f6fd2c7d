-- view: unknown-models
-- title: Models without a price
-- answers: Which models have no price, so that their cost is unknown and not zero?
-- parameters: project agent from to
-- shape: rows
-- chart: table
-- requirements: OC-46
-- budget_ms: 250

SELECT
    u.provider,
    u.model,
    count(*) AS messages,
    count(DISTINCT u.session_id) AS sessions,
    sum(coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0)) AS tokens,
    sum(u.stored_cost) AS stored_cost,
    max(u.time_created) AS last_used
FROM message_usage u
WHERE u.list_cost IS NULL
  AND NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.provider, u.model
ORDER BY messages DESC, u.provider, u.model
