-- view: tools-by-session
-- title: Tools by session
-- answers: Which tools did each session call, how often, how long, with what success?
-- parameters: project agent model tool session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-26 OC-76 OC-97
-- budget_ms: 50

SELECT
    t.session_id,
    s.title,
    t.tool_name,
    count(*) AS calls,
    count(*) FILTER (WHERE t.is_failure) AS failures,
    count(*) FILTER (WHERE t.is_aborted) AS aborted,
    coalesce(sum(t.execution_time_ms) FILTER (WHERE NOT t.is_aborted), 0) AS execution_ms,
    max(t.execution_time_ms) FILTER (WHERE NOT t.is_aborted) AS slowest_ms
FROM tool_calls t
JOIN message_usage u ON u.message_id = t.message_id
LEFT JOIN sessions s ON s.id = t.session_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($tool IS NULL OR t.tool_name = $tool)
  AND ($session IS NULL OR t.session_id = $session)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY t.session_id, s.title, t.tool_name
ORDER BY calls DESC, t.session_id, t.tool_name
LIMIT coalesce($limit, 1000)
