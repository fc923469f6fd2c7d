-- view: errors-by-day
-- title: Errors by day
-- answers: How do errors develop?
-- parameters: project agent model from to tool session
-- shape: rows
-- chart: area x=day y=critical,high,medium,low
-- requirements: OC-36 OC-81
-- budget_ms: 250

SELECT
    CAST(e.time_created AS DATE) AS day,
    count(*) AS errors,
    count(*) FILTER (WHERE e.severity = 'critical') AS critical,
    count(*) FILTER (WHERE e.severity = 'high') AS high,
    count(*) FILTER (WHERE e.severity = 'medium') AS medium,
    count(*) FILTER (WHERE e.severity = 'low') AS low
FROM errors e
LEFT JOIN message_usage u ON u.message_id = e.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($tool IS NULL OR e.tool_name = $tool)
  AND ($session IS NULL OR e.session_id = $session)
  AND ($from IS NULL OR e.time_created >= $from)
  AND ($to IS NULL OR e.time_created < $to)
GROUP BY CAST(e.time_created AS DATE)
ORDER BY 1
