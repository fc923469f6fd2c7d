-- view: todos-completion
-- title: Todo lists
-- answers: How much of each todo list got done?
-- parameters: project session limit
-- shape: rows
-- chart: bar x=title y=completed,in_progress,pending,cancelled
-- requirements: OC-05
-- budget_ms: 250

SELECT
    d.session_id,
    max(s.title) AS title,
    count(*) AS todos,
    count(*) FILTER (WHERE d.status = 'completed') AS completed,
    count(*) FILTER (WHERE d.status = 'in_progress') AS in_progress,
    count(*) FILTER (WHERE d.status = 'pending') AS pending,
    count(*) FILTER (WHERE d.status = 'cancelled') AS cancelled,
    round(100.0 * count(*) FILTER (WHERE d.status = 'completed')
        / nullif(count(*) FILTER (WHERE d.status IS DISTINCT FROM 'cancelled'), 0), 2) AS completed_percent
FROM todos d
LEFT JOIN session_resource_metrics s ON s.session_id = d.session_id
WHERE ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($session IS NULL OR d.session_id = $session)
GROUP BY d.session_id
ORDER BY todos DESC, d.session_id
LIMIT coalesce($limit, 200)
