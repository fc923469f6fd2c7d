-- view: error-list
-- title: Errors
-- answers: Which errors happened, newest first?
-- parameters: project agent model from to tool session text limit
-- shape: rows
-- chart: table
-- requirements: OC-28 OC-36
-- budget_ms: 250

SELECT
    e.id AS error_id,
    e.time_created,
    e.session_id,
    e.origin,
    e.tool_name,
    e.category,
    e.severity,
    e.retryable,
    e.error_name,
    json_extract_string(e.error_data, '$.code') AS code,
    left(e.text, 240) AS text,
    e.rule
FROM errors e
LEFT JOIN message_usage u ON u.message_id = e.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($tool IS NULL OR e.tool_name = $tool)
  AND ($session IS NULL OR e.session_id = $session)
  AND ($from IS NULL OR e.time_created >= $from)
  AND ($to IS NULL OR e.time_created < $to)
  AND ($text IS NULL OR contains(lower(e.text), lower($text)) OR e.category = $text)
ORDER BY e.time_created DESC NULLS LAST, e.id
LIMIT coalesce($limit, 100)
