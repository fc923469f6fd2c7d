-- check: time-order
-- title: Nothing ends before it begins
-- severity: warn
-- rule: = 0
-- hint: the clock was set back while OpenCode ran; durations of the rows in the sample are not to be trusted
-- requirements: OC-71

SELECT CASE WHEN EXISTS (SELECT 1 FROM messages) THEN
    (SELECT count(*) FROM messages m WHERE m.time_completed < m.time_created)
    + (SELECT count(*) FROM tool_calls t WHERE t.time_end < t.time_start) END AS value

-- sample:
SELECT 'messages' AS table_name, m.id, m.time_created AS began, m.time_completed AS ended
FROM messages m
WHERE m.time_completed < m.time_created
UNION ALL
SELECT 'tool_calls', t.part_id, t.time_start, t.time_end
FROM tool_calls t
WHERE t.time_end < t.time_start
ORDER BY table_name, id
LIMIT 10
