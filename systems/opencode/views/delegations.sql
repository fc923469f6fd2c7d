-- view: delegations
-- title: Calls to sub-agents
-- answers: Which calls delegated work, to whom, and what came of it?
-- parameters: project agent session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-21
-- budget_ms: 250

SELECT
    t.part_id,
    t.session_id,
    t.time_start,
    json_extract_string(t.input, '$.subagent_type') AS subagent,
    t.title,
    t.status,
    t.execution_time_ms,
    t.child_session_id,
    r.total_tokens AS child_tokens,
    r.total_stored_cost AS child_stored_cost,
    r.total_tool_calls AS child_tool_calls
FROM tool_calls t
LEFT JOIN message_usage u ON u.message_id = t.message_id
LEFT JOIN session_traces r ON r.session_id = t.child_session_id
WHERE t.child_session_id IS NOT NULL
  AND NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($session IS NULL OR t.session_id = $session)
  AND ($from IS NULL OR t.time_start >= $from)
  AND ($to IS NULL OR t.time_start < $to)
ORDER BY t.time_start DESC NULLS LAST, t.part_id
LIMIT coalesce($limit, 200)
