-- view: cache-hit-rate
-- title: Cache hit rate by model
-- answers: Which share of what was sent to each model came from its cache?
-- parameters: project agent model from to
-- shape: rows
-- chart: bar x=model y=cache_hit_percent
-- requirements: OC-54
-- budget_ms: 250

SELECT
    u.provider,
    u.model,
    count(*) AS messages,
    sum(u.tokens_input) AS tokens_input,
    sum(u.tokens_cache_read) AS tokens_cache_read,
    sum(u.tokens_cache_write) AS tokens_cache_write,
    round(100.0 * sum(u.tokens_cache_read)
        / nullif(sum(coalesce(u.tokens_input, 0) + coalesce(u.tokens_cache_read, 0)
            + coalesce(u.tokens_cache_write, 0)), 0), 2) AS cache_hit_percent
FROM message_usage u
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.provider, u.model
ORDER BY messages DESC, u.provider, u.model
