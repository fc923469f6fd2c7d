-- metric: tool-calls
-- name: plimsoll_opencode_tool_calls
-- help: Calls of tools by how they ended.
-- kind: gauge
-- labels: tool outcome

SELECT
    tool_name AS tool,
    CASE WHEN is_aborted THEN 'aborted' WHEN is_failure THEN 'failed' ELSE 'done' END AS outcome,
    count(*) AS value
FROM tool_calls
GROUP BY ALL
ORDER BY ALL
