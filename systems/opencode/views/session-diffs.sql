-- view: session-diffs
-- title: Changes of sessions
-- answers: Which files did each session change, as OpenCode summed up?
-- parameters: project session limit
-- shape: rows
-- chart: table
-- requirements: OC-56
-- budget_ms: 250

SELECT
    d.session_id,
    s.title,
    d.path,
    d.status,
    d.additions,
    d.deletions,
    d.position
FROM session_diffs d
LEFT JOIN session_resource_metrics s ON s.session_id = d.session_id
WHERE ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($session IS NULL OR d.session_id = $session)
ORDER BY d.session_id, d.position
LIMIT coalesce($limit, 500)
