-- view: tool-performance
-- title: Tool performance
-- answers: How often does each tool run, how long, and how often does it fail?
-- parameters: project agent model from to tool session
-- shape: rows
-- chart: bar x=tool_name y=p50_ms,p95_ms,p99_ms
-- requirements: OC-38
-- budget_ms: 250

-- Latencies leave out calls that did not run to their end, and those that a user stopped.
SELECT
    t.tool_name,
    count(*) AS calls,
    count(*) FILTER (WHERE t.is_failure) AS failures,
    round(100.0 * count(*) FILTER (WHERE t.is_failure) / count(*), 2) AS failure_percent,
    count(*) FILTER (WHERE t.is_aborted) AS aborted,
    count(t.execution_time_ms) FILTER (WHERE NOT t.is_aborted) AS timed_calls,
    round(avg(t.execution_time_ms) FILTER (WHERE NOT t.is_aborted), 1) AS average_ms,
    round(quantile_cont(t.execution_time_ms, 0.5) FILTER (WHERE NOT t.is_aborted), 1) AS p50_ms,
    round(quantile_cont(t.execution_time_ms, 0.95) FILTER (WHERE NOT t.is_aborted), 1) AS p95_ms,
    round(quantile_cont(t.execution_time_ms, 0.99) FILTER (WHERE NOT t.is_aborted), 1) AS p99_ms,
    max(t.execution_time_ms) FILTER (WHERE NOT t.is_aborted) AS slowest_ms
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
GROUP BY t.tool_name
ORDER BY calls DESC, t.tool_name
