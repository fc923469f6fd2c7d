-- view: retries
-- title: Retries
-- answers: Which requests were tried again, and why?
-- parameters: project session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-07
-- budget_ms: 250

SELECT
    r.part_id,
    r.session_id,
    r.message_id,
    r.time_created,
    r.attempt,
    e.category,
    left(e.text, 240) AS text
FROM retries r
LEFT JOIN errors e ON e.id = r.part_id
LEFT JOIN session_resource_metrics s ON s.session_id = r.session_id
WHERE ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($session IS NULL OR r.session_id = $session)
  AND ($from IS NULL OR r.time_created >= $from)
  AND ($to IS NULL OR r.time_created < $to)
ORDER BY r.time_created DESC NULLS LAST, r.part_id
LIMIT coalesce($limit, 200)
