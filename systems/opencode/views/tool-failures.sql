-- view: tool-failures
-- title: Failures of tools
-- answers: Which tools fail, and with what category of error?
-- parameters: project agent model from to tool session
-- shape: rows
-- chart: bar x=tool_name y=failures series=category
-- requirements: OC-36
-- budget_ms: 250

SELECT
    t.tool_name,
    e.category,
    e.severity,
    count(*) AS failures,
    count(DISTINCT t.session_id) AS sessions,
    max(coalesce(t.time_start, u.time_created)) AS last_seen
FROM tool_calls t
LEFT JOIN errors e ON e.id = t.part_id
LEFT JOIN message_usage u ON u.message_id = t.message_id
WHERE t.is_failure
  AND NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($tool IS NULL OR t.tool_name = $tool)
  AND ($session IS NULL OR t.session_id = $session)
  AND ($from IS NULL OR coalesce(t.time_start, u.time_created) >= $from)
  AND ($to IS NULL OR coalesce(t.time_start, u.time_created) < $to)
GROUP BY t.tool_name, e.category, e.severity
ORDER BY failures DESC, t.tool_name, e.category, e.severity
