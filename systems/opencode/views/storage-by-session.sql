-- view: storage-by-session
-- title: Size by session
-- answers: Which sessions take most room?
-- parameters: project limit
-- shape: rows
-- chart: bar x=title y=characters
-- requirements: OC-79
-- budget_ms: 250

SELECT
    p.session_id,
    max(s.title) AS title,
    count(*) AS parts,
    coalesce(sum(p.character_count), 0) AS characters,
    max(s.time_updated) AS last_changed
FROM parts p
LEFT JOIN session_resource_metrics s ON s.session_id = p.session_id
WHERE ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
GROUP BY p.session_id
ORDER BY characters DESC, p.session_id
LIMIT coalesce($limit, 50)
