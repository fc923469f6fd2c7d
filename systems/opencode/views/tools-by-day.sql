-- view: tools-by-day
-- title: Tools by day
-- answers: How does the use of tools develop?
-- parameters: project agent model from to tool session
-- shape: rows
-- chart: area x=day y=calls series=tool_name
-- requirements: OC-97
-- budget_ms: 250

SELECT
    CAST(coalesce(t.time_start, u.time_created) AS DATE) AS day,
    t.tool_name,
    count(*) AS calls,
    count(*) FILTER (WHERE t.is_failure) AS failures,
    coalesce(sum(t.execution_time_ms) FILTER (WHERE NOT t.is_aborted), 0) AS execution_ms
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
GROUP BY CAST(coalesce(t.time_start, u.time_created) AS DATE), t.tool_name
ORDER BY 1, t.tool_name
