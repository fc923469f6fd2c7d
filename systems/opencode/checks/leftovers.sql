-- check: leftovers
-- title: No todo list or list of changes outlives its session
-- severity: warn
-- rule: = 0
-- hint: OpenCode leaves them behind when a session is deleted; they can be deleted by hand
-- requirements: OC-69

SELECT CASE WHEN EXISTS (SELECT 1 FROM todos) OR EXISTS (SELECT 1 FROM session_diffs) THEN
    (SELECT count(*) FROM todos t WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = t.session_id))
    + (SELECT count(*) FROM session_diffs d WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = d.session_id))
    END AS value

-- sample:
SELECT 'todos' AS table_name, t.session_id, count(*) AS rows
FROM todos t
WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = t.session_id)
GROUP BY t.session_id
UNION ALL
SELECT 'session_diffs', d.session_id, count(*)
FROM session_diffs d
WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = d.session_id)
GROUP BY d.session_id
ORDER BY table_name, session_id
LIMIT 10
