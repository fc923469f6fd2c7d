-- view: error-breakdown
-- title: Errors by category and severity
-- answers: What goes wrong, how badly, and would trying again help?
-- parameters: project agent model tool session from to
-- shape: rows
-- chart: bar x=category y=errors series=severity
-- requirements: OC-28 OC-36 OC-76
-- budget_ms: 100

SELECT
    e.category,
    e.severity,
    e.origin,
    count(*) AS errors,
    round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent,
    count(DISTINCT e.session_id) AS sessions,
    count(*) FILTER (WHERE e.retryable) AS retryable,
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
GROUP BY e.category, e.severity, e.origin
ORDER BY errors DESC, e.category, e.severity, e.origin
