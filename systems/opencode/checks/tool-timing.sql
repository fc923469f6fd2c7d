-- check: tool-timing
-- title: Finished calls of tools have a time
-- severity: error
-- rule: > 90 percent
-- hint: see which tools in the sample were written without `time`
-- requirements: OC-37 OC-68

-- Calls that a user stopped end when they were stopped and say nothing about the tool.
SELECT 100.0 * count(t.execution_time_ms) / nullif(count(*), 0) AS value
FROM tool_calls t
WHERE t.status IN ('completed', 'error') AND NOT coalesce(t.is_aborted, false)

-- sample:
SELECT t.tool_name, t.status, count(*) AS calls, min(t.part_id) AS example
FROM tool_calls t
WHERE t.status IN ('completed', 'error') AND NOT coalesce(t.is_aborted, false) AND t.execution_time_ms IS NULL
GROUP BY t.tool_name, t.status
ORDER BY calls DESC, t.tool_name, t.status
LIMIT 10
