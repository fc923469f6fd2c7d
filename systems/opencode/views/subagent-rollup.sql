-- view: subagent-rollup
-- title: Cost with sub-agents
-- answers: What did a session cost together with all that it delegated?
-- parameters: project session from to limit
-- shape: rows
-- chart: bar x=title y=own_stored_cost,delegated_stored_cost
-- requirements: OC-49
-- budget_ms: 250

SELECT
    t.session_id,
    s.title,
    t.time_start,
    t.descendants,
    t.stored_cost AS own_stored_cost,
    t.total_stored_cost,
    t.total_stored_cost - t.stored_cost AS delegated_stored_cost,
    t.total_list_cost,
    t.tokens AS own_tokens,
    t.total_tokens,
    t.total_tool_calls
FROM session_traces t
LEFT JOIN sessions s ON s.id = t.session_id
LEFT JOIN session_resource_metrics m ON m.session_id = t.session_id
WHERE t.depth = 0
  AND ($session IS NULL OR t.session_id = $session)
  AND ($project IS NULL OR m.root_path = $project OR m.project_id = $project)
  AND ($from IS NULL OR t.time_start >= $from)
  AND ($to IS NULL OR t.time_start < $to)
ORDER BY t.total_stored_cost DESC NULLS LAST, t.session_id
LIMIT coalesce($limit, 200)
