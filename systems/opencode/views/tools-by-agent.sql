-- view: tools-by-agent
-- title: Tools by agent
-- answers: Which agent calls which tool, and with what success?
-- parameters: project agent model from to tool session
-- shape: rows
-- chart: heatmap x=tool_name y=agent value=calls
-- requirements: OC-97
-- budget_ms: 250

SELECT
    u.agent,
    t.tool_name,
    count(*) AS calls,
    count(*) FILTER (WHERE t.is_failure) AS failures,
    round(100.0 * count(*) FILTER (WHERE t.is_failure) / count(*), 2) AS failure_percent
FROM tool_calls t
LEFT JOIN message_usage u ON u.message_id = t.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($tool IS NULL OR t.tool_name = $tool)
  AND ($session IS NULL OR t.session_id = $session)
  AND ($from IS NULL OR coalesce(t.time_start, u.time_created) >= $from)
  AND ($to IS NULL OR coalesce(t.time_start, u.time_created) < $to)
GROUP BY u.agent, t.tool_name
ORDER BY u.agent, calls DESC, t.tool_name
