-- check: tracing-filled
-- title: The tracing tables are filled
-- severity: error
-- rule: > 0
-- hint: compute the derived tables again: plimsoll ingest opencode --rebuild
-- requirements: OC-17 OC-18 OC-20 OC-68

-- The smallest of the three; nothing to measure while no user has written anything.
SELECT CASE WHEN EXISTS (SELECT 1 FROM messages WHERE role = 'user') THEN least(
    (SELECT count(*) FROM exchanges),
    (SELECT count(*) FROM exchange_traces),
    (SELECT count(*) FROM session_traces)) END AS value

-- sample:
SELECT 'exchanges' AS table_name, count(*) AS rows FROM exchanges
UNION ALL
SELECT 'exchange_traces', count(*) FROM exchange_traces
UNION ALL
SELECT 'session_traces', count(*) FROM session_traces
ORDER BY table_name
