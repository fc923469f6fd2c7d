-- view: errors-by-category
-- title: Errors by category
-- answers: Which categories of errors occur, and when last?
-- parameters: project agent model from to tool session
-- shape: rows
-- chart: bar x=category y=errors
-- requirements: OC-33 OC-36
-- budget_ms: 250

SELECT
    e.category,
    count(*) AS errors,
    count(*) FILTER (WHERE e.severity IN ('high', 'critical')) AS severe,
    count(DISTINCT e.session_id) AS sessions,
    count(DISTINCT e.tool_name) AS tools,
    min(e.time_created) AS first_seen,
    max(e.time_created) AS last_seen
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
GROUP BY e.category
ORDER BY errors DESC, e.category
