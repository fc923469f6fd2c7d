-- view: messages
-- title: Messages
-- answers: Which messages are there, with role, agent, model, folder and timing?
-- parameters: project agent model session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-97
-- budget_ms: 250

WITH chosen AS (
    SELECT
        m.id AS message_id,
        m.session_id,
        m.time_created,
        m.role,
        m.agent,
        m.provider,
        m.model,
        coalesce(m.root_path, s.root_path) AS root_path,
        m.finish,
        m.error_name,
        date_diff('millisecond', m.time_created, m.time_completed) AS duration_ms,
        m.stored_cost
    FROM messages m
    LEFT JOIN session_resource_metrics s ON s.session_id = m.session_id
    WHERE ($project IS NULL OR m.root_path = $project OR s.root_path = $project OR s.project_id = $project)
      AND ($agent IS NULL OR m.agent = $agent)
      AND ($model IS NULL OR m.model = $model OR m.provider || '/' || m.model = $model)
      AND ($session IS NULL OR m.session_id = $session)
      AND ($from IS NULL OR m.time_created >= $from)
      AND ($to IS NULL OR m.time_created < $to)
    ORDER BY m.time_created DESC NULLS LAST, m.id DESC
    LIMIT coalesce($limit, 100)
),
texts AS (
    SELECT t.message_id, left(string_agg(t.text, ' ' ORDER BY t.part_id), 200) AS text
    FROM text_messages t
    WHERE t.message_id IN (SELECT message_id FROM chosen) AND NOT coalesce(t.synthetic, false)
    GROUP BY t.message_id
)
SELECT c.*, t.text
FROM chosen c
LEFT JOIN texts t ON t.message_id = c.message_id
ORDER BY c.time_created DESC NULLS LAST, c.message_id DESC
