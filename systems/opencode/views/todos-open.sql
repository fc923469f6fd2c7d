-- view: todos-open
-- title: Open todos
-- answers: What was planned and is not done?
-- parameters: project session limit
-- shape: rows
-- chart: table
-- requirements: OC-05
-- budget_ms: 250

SELECT
    d.session_id,
    s.title,
    d.position,
    d.status,
    d.priority,
    d.content,
    s.time_updated AS session_updated
FROM todos d
LEFT JOIN session_resource_metrics s ON s.session_id = d.session_id
WHERE d.status IN ('pending', 'in_progress')
  AND ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($session IS NULL OR d.session_id = $session)
ORDER BY s.time_updated DESC NULLS LAST, d.session_id, d.position
LIMIT coalesce($limit, 200)
