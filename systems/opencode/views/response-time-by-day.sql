-- view: response-time-by-day
-- title: Response time by day
-- answers: Do answers get slower?
-- parameters: project agent model from to
-- shape: rows
-- chart: line x=day y=p50_ms,p95_ms
-- requirements: OC-79
-- budget_ms: 250

SELECT
    u.day,
    count(*) AS answers,
    round(avg(u.response_ms), 1) AS average_ms,
    round(quantile_cont(u.response_ms, 0.5), 1) AS p50_ms,
    round(quantile_cont(u.response_ms, 0.95), 1) AS p95_ms
FROM message_usage u
WHERE u.response_ms IS NOT NULL
  AND u.error_name IS NULL
  AND NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.day
ORDER BY u.day
