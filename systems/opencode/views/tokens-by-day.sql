-- view: tokens-by-day
-- title: Tokens by day
-- answers: How many tokens of each kind did each day take?
-- parameters: project agent model from to
-- shape: rows
-- chart: area x=day y=tokens_input,tokens_output,tokens_reasoning,tokens_cache_read,tokens_cache_write
-- requirements: OC-81
-- budget_ms: 250

SELECT
    u.day,
    count(*) AS messages,
    sum(u.tokens_input) AS tokens_input,
    sum(u.tokens_output) AS tokens_output,
    sum(u.tokens_reasoning) AS tokens_reasoning,
    sum(u.tokens_cache_read) AS tokens_cache_read,
    sum(u.tokens_cache_write) AS tokens_cache_write
FROM message_usage u
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.day
ORDER BY u.day
