-- check: orphans
-- title: Every message has its session, every part its message
-- severity: error
-- rule: = 0
-- hint: reconcile with the files: plimsoll ingest opencode; what remains was left by OpenCode or is in quarantine
-- requirements: OC-59 OC-69

WITH orphans AS (
    SELECT 'messages' AS table_name, m.id, m.session_id AS missing
    FROM messages m WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = m.session_id)
    UNION ALL
    SELECT 'parts', p.id, p.message_id
    FROM parts p WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = p.message_id)
)
SELECT CASE WHEN EXISTS (SELECT 1 FROM messages) OR EXISTS (SELECT 1 FROM parts) THEN count(*) END AS value
FROM orphans

-- sample:
WITH orphans AS (
    SELECT 'messages' AS table_name, m.id, m.session_id AS missing
    FROM messages m WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = m.session_id)
    UNION ALL
    SELECT 'parts', p.id, p.message_id
    FROM parts p WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = p.message_id)
)
SELECT table_name, missing, count(*) AS rows, min(id) AS example
FROM orphans
GROUP BY table_name, missing
ORDER BY rows DESC, table_name, missing
LIMIT 10
