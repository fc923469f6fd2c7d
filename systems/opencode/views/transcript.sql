-- view: transcript
-- title: Transcript
-- answers: What was said, thought and done in a session? Without `session`: the one changed last.
-- parameters: session limit
-- shape: rows
-- chart: table
-- requirements: OC-97
-- budget_ms: 250

WITH picked AS (
    SELECT coalesce($session,
        (SELECT s.id FROM sessions s ORDER BY s.time_updated DESC NULLS LAST, s.id DESC LIMIT 1)) AS session_id
)
SELECT
    p.id AS part_id,
    p.time_created,
    m.role,
    p.part_type,
    coalesce(c.tool_name, '') AS tool_name,
    coalesce(x.text, b.text, c.title, c.command, c.file_path) AS text,
    c.status,
    c.execution_time_ms,
    p.message_id
FROM parts p
JOIN picked k ON k.session_id = p.session_id
JOIN messages m ON m.id = p.message_id
LEFT JOIN text_messages x ON x.part_id = p.id
LEFT JOIN thinking_blocks b ON b.part_id = p.id
LEFT JOIN tool_calls c ON c.part_id = p.id
WHERE p.part_type IN ('text', 'reasoning', 'tool')
ORDER BY m.time_created, p.message_id, p.id
LIMIT coalesce($limit, 500)
