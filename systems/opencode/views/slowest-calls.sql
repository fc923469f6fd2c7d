-- view: slowest-calls
-- title: Slowest calls
-- answers: Which single calls of tools took longest?
-- parameters: project agent model from to tool session limit
-- shape: rows
-- chart: table
-- requirements: OC-37 OC-38
-- budget_ms: 250

SELECT
    t.part_id,
    t.session_id,
    t.tool_name,
    t.execution_time_ms,
    t.status,
    t.exit_code,
    left(coalesce(t.title, t.command, t.file_path), 120) AS title,
    t.time_start
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
  AND t.execution_time_ms IS NOT NULL
  AND NOT coalesce(t.is_aborted, false)
ORDER BY t.execution_time_ms DESC, t.part_id
LIMIT coalesce($limit, 50)
