-- view: files-by-language
-- title: File operations by language
-- answers: Which languages are worked on?
-- parameters: project agent tool session from to
-- shape: rows
-- chart: bar x=language y=reads,changes
-- requirements: OC-56
-- budget_ms: 250

SELECT
    f.language,
    count(DISTINCT f.path) AS files,
    count(*) AS operations,
    count(*) FILTER (WHERE f.operation = 'read') AS reads,
    count(*) FILTER (WHERE f.operation IN ('write', 'edit', 'delete', 'move')) AS changes,
    count(*) FILTER (WHERE NOT f.succeeded) AS failed,
    coalesce(sum(f.additions), 0) AS additions,
    coalesce(sum(f.deletions), 0) AS deletions
FROM file_operations f
LEFT JOIN message_usage u ON u.message_id = f.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($tool IS NULL OR f.tool_name = $tool)
  AND ($session IS NULL OR f.session_id = $session)
  AND ($from IS NULL OR f.time_created >= $from)
  AND ($to IS NULL OR f.time_created < $to)
GROUP BY f.language
ORDER BY operations DESC, f.language
