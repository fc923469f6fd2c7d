-- check: root-path
-- title: Answers know the root of their work tree
-- severity: error
-- rule: > 80 percent
-- hint: see which versions of OpenCode wrote the messages in the sample
-- requirements: OC-31 OC-68

SELECT 100.0 * count(*) FILTER (WHERE m.root_path <> '') / nullif(count(*), 0) AS value
FROM messages m
WHERE m.role = 'assistant'

-- sample:
SELECT s.version, m.generation, count(*) AS messages, min(m.id) AS example
FROM messages m
LEFT JOIN sessions s ON s.id = m.session_id
WHERE m.role = 'assistant' AND coalesce(m.root_path, '') = ''
GROUP BY s.version, m.generation
ORDER BY messages DESC, s.version, m.generation
LIMIT 10
