-- view: errors-by-severity
-- title: Errors by severity
-- answers: How grave are the errors?
-- parameters: project agent model from to tool session
-- shape: rows
-- chart: bar x=severity y=errors
-- requirements: OC-35
-- budget_ms: 250

SELECT
    e.severity,
    count(*) AS errors,
    round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent,
    count(*) FILTER (WHERE e.retryable) AS retryable,
    count(DISTINCT e.session_id) AS sessions
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
GROUP BY e.severity
ORDER BY CASE e.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END,
    e.severity
