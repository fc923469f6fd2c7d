-- check: ordering
-- title: A look-up by session reads few row groups
-- severity: warn
-- rule: <= 75 percent
-- hint: rows of one session lie apart; write them together again: plimsoll ingest opencode --rebuild
-- requirements: OC-25 OC-26 OC-27 OC-70

-- No table has an index; what makes a look-up fast is that the database knows the smallest and largest value of each
-- group of 122,880 rows and skips the others. That works while the rows of a session lie together, and is measured as
-- the share of groups that an average look-up cannot skip. Tables of one group have nothing to skip.
WITH row_groups AS (
    SELECT 'messages' AS table_name, rowid // 122880 AS row_group, session_id AS value FROM messages
    UNION ALL
    SELECT 'parts', rowid // 122880 AS row_group, session_id AS value FROM parts
    UNION ALL
    SELECT 'tool_calls', rowid // 122880 AS row_group, session_id AS value FROM tool_calls
    UNION ALL
    SELECT 'exchange_traces', rowid // 122880 AS row_group, session_id AS value FROM exchange_traces
),
bounds AS (
    SELECT table_name, row_group, min(value) AS low, max(value) AS high FROM row_groups GROUP BY table_name, row_group
),
large AS (
    SELECT table_name, count(*) AS row_groups FROM bounds GROUP BY table_name HAVING count(*) > 1
),
look_ups AS (
    SELECT v.table_name, v.value, count(*) AS groups_read
    FROM (SELECT DISTINCT table_name, value FROM row_groups) v
    JOIN bounds b ON b.table_name = v.table_name AND v.value BETWEEN b.low AND b.high
    GROUP BY v.table_name, v.value
)
SELECT max(percent) AS value
FROM (
    SELECT 100.0 * avg(l.groups_read) / max(g.row_groups) AS percent
    FROM look_ups l
    JOIN large g ON g.table_name = l.table_name
    GROUP BY l.table_name
)

-- sample:
WITH row_groups AS (
    SELECT 'messages' AS table_name, rowid // 122880 AS row_group, session_id AS value FROM messages
    UNION ALL
    SELECT 'parts', rowid // 122880 AS row_group, session_id AS value FROM parts
    UNION ALL
    SELECT 'tool_calls', rowid // 122880 AS row_group, session_id AS value FROM tool_calls
    UNION ALL
    SELECT 'exchange_traces', rowid // 122880 AS row_group, session_id AS value FROM exchange_traces
),
bounds AS (
    SELECT table_name, row_group, min(value) AS low, max(value) AS high FROM row_groups GROUP BY table_name, row_group
),
large AS (
    SELECT table_name, count(*) AS row_groups FROM bounds GROUP BY table_name HAVING count(*) > 1
),
look_ups AS (
    SELECT v.table_name, v.value, count(*) AS groups_read
    FROM (SELECT DISTINCT table_name, value FROM row_groups) v
    JOIN bounds b ON b.table_name = v.table_name AND v.value BETWEEN b.low AND b.high
    GROUP BY v.table_name, v.value
)
SELECT
    l.table_name,
    max(g.row_groups) AS row_groups,
    round(avg(l.groups_read), 2) AS groups_read,
    max(l.groups_read) AS most_groups_read
FROM look_ups l
JOIN large g ON g.table_name = l.table_name
GROUP BY l.table_name
ORDER BY groups_read DESC, l.table_name
