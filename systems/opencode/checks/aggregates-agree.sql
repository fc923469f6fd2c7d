-- check: aggregates-agree
-- title: What is computed in advance equals what it is computed from
-- severity: error
-- rule: = 0
-- hint: compute the derived tables again: plimsoll ingest opencode --rebuild
-- requirements: OC-49 OC-53

-- Costs of sessions and of days are those of the messages, to the last digit. Messages without their session are left
-- out of the first: they are a matter of check `orphans`.
WITH truth AS (
    SELECT
        count(*) AS messages,
        coalesce(sum(u.stored_cost), 0) AS cost,
        coalesce(sum(u.stored_cost) FILTER (WHERE s.id IS NOT NULL), 0) AS cost_in_sessions
    FROM message_usage u
    LEFT JOIN sessions s ON s.id = u.session_id
    WHERE NOT u.is_fork_copy
)
SELECT CASE WHEN t.messages > 0 THEN
    CAST(t.cost_in_sessions <> (SELECT coalesce(sum(m.stored_cost), 0) FROM session_resource_metrics m) AS INTEGER)
    + CAST(t.cost <> (SELECT coalesce(sum(d.stored_cost), 0) FROM daily_stats d) AS INTEGER)
    + CAST(t.messages <> (SELECT coalesce(sum(d.messages), 0) FROM daily_stats d) AS INTEGER) END AS value
FROM truth t

-- sample:
SELECT 'message_usage' AS table_name, count(*) AS messages, sum(u.stored_cost) AS stored_cost
FROM message_usage u WHERE NOT u.is_fork_copy
UNION ALL
SELECT 'session_resource_metrics', NULL, sum(m.stored_cost) FROM session_resource_metrics m
UNION ALL
SELECT 'daily_stats', sum(d.messages), sum(d.stored_cost) FROM daily_stats d
ORDER BY table_name
