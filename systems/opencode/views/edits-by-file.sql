-- view: edits-by-file
-- title: Edits by file
-- answers: Which files were changed most, by lines, and what did the sessions cost?
-- parameters: project agent tool session from to limit
-- shape: rows
-- chart: bar x=path y=additions,deletions
-- requirements: OC-40 OC-56
-- budget_ms: 250

-- `answer_cost` is the cost of the answers in which the file was changed; one that changes two files counts in both.
WITH edits AS (
    SELECT f.path, f.message_id, f.session_id, f.additions, f.deletions, f.time_created
    FROM file_operations f
    LEFT JOIN message_usage u ON u.message_id = f.message_id
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($tool IS NULL OR f.tool_name = $tool)
      AND ($session IS NULL OR f.session_id = $session)
      AND ($from IS NULL OR f.time_created >= $from)
      AND ($to IS NULL OR f.time_created < $to)
      AND f.succeeded
      AND f.operation IN ('write', 'edit', 'delete', 'move')
),
answers AS (
    SELECT DISTINCT e.path, e.message_id FROM edits e
),
costs AS (
    SELECT a.path, sum(u.stored_cost) AS answer_cost
    FROM answers a
    JOIN message_usage u ON u.message_id = a.message_id
    GROUP BY a.path
)
SELECT
    e.path,
    count(*) AS edits,
    coalesce(sum(e.additions), 0) AS additions,
    coalesce(sum(e.deletions), 0) AS deletions,
    count(DISTINCT e.session_id) AS sessions,
    any_value(c.answer_cost) AS answer_cost,
    max(e.time_created) AS last_edit
FROM edits e
LEFT JOIN costs c ON c.path = e.path
GROUP BY e.path
ORDER BY edits DESC, e.path
LIMIT coalesce($limit, 200)
