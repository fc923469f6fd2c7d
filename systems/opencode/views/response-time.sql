-- view: response-time
-- title: Response time by model
-- answers: How long do answers of each model take?
-- parameters: project agent model from to
-- shape: rows
-- chart: bar x=model y=p50_ms,p95_ms
-- requirements: OC-47 OC-79
-- budget_ms: 250

SELECT
    u.provider,
    u.model,
    count(*) AS answers,
    round(avg(u.response_ms), 1) AS average_ms,
    round(quantile_cont(u.response_ms, 0.5), 1) AS p50_ms,
    round(quantile_cont(u.response_ms, 0.95), 1) AS p95_ms,
    round(quantile_cont(u.response_ms, 0.99), 1) AS p99_ms,
    max(u.response_ms) AS slowest_ms
FROM message_usage u
WHERE u.response_ms IS NOT NULL
  AND u.error_name IS NULL
  AND NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.provider, u.model
ORDER BY answers DESC, u.provider, u.model
