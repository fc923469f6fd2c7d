-- view: file-operations
-- title: File operations
-- answers: What is done with files, and with what success?
-- parameters: project agent tool session from to
-- shape: rows
-- chart: bar x=operation y=operations series=tool_name
-- requirements: OC-56
-- budget_ms: 250

SELECT
    f.operation,
    f.tool_name,
    count(*) AS operations,
    count(DISTINCT f.path) AS files,
    count(*) FILTER (WHERE NOT f.succeeded) AS failed,
    coalesce(sum(f.additions), 0) AS additions,
    coalesce(sum(f.deletions), 0) AS deletions,
    sum(f.byte_count) AS bytes
FROM file_operations f
LEFT JOIN message_usage u ON u.message_id = f.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($tool IS NULL OR f.tool_name = $tool)
  AND ($session IS NULL OR f.session_id = $session)
  AND ($from IS NULL OR f.time_created >= $from)
  AND ($to IS NULL OR f.time_created < $to)
GROUP BY f.operation, f.tool_name
ORDER BY operations DESC, f.operation, f.tool_name
