-- view: patches
-- title: Patches
-- answers: Which steps changed files, and which files?
-- parameters: project session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-10
-- budget_ms: 250

SELECT
    p.part_id,
    p.time_created,
    p.session_id,
    p.message_id,
    p.tree_hash,
    p.file_count,
    p.files
FROM patches p
LEFT JOIN message_usage u ON u.message_id = p.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($session IS NULL OR p.session_id = $session)
  AND ($from IS NULL OR p.time_created >= $from)
  AND ($to IS NULL OR p.time_created < $to)
ORDER BY p.time_created DESC NULLS LAST, p.part_id
LIMIT coalesce($limit, 200)
