-- view: attachments
-- title: Attachments
-- answers: Which files were attached, and how large are they?
-- parameters: project session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-12
-- budget_ms: 250

SELECT
    a.part_id,
    a.session_id,
    a.time_created,
    a.mime,
    a.filename,
    a.url_scheme,
    a.byte_count,
    a.source_path
FROM attachments a
LEFT JOIN session_resource_metrics s ON s.session_id = a.session_id
LEFT JOIN message_places w ON w.message_id = a.message_id
WHERE NOT coalesce(w.is_fork_copy, false)
  AND ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($session IS NULL OR a.session_id = $session)
  AND ($from IS NULL OR a.time_created >= $from)
  AND ($to IS NULL OR a.time_created < $to)
ORDER BY a.byte_count DESC NULLS LAST, a.part_id
LIMIT coalesce($limit, 200)
