-- view: commits
-- title: Commits
-- answers: Which commits did the agent make?
-- parameters: project agent session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-40
-- budget_ms: 250

SELECT
    g.part_id,
    g.ordinal,
    g.time_created,
    g.session_id,
    g.branch,
    g.commit_hash,
    g.commit_message,
    g.files_changed,
    g.insertions,
    g.deletions,
    g.succeeded,
    u.root_path AS worktree
FROM git_facts g
LEFT JOIN message_usage u ON u.message_id = g.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($session IS NULL OR g.session_id = $session)
  AND ($from IS NULL OR g.time_created >= $from)
  AND ($to IS NULL OR g.time_created < $to)
  AND g.kind = 'commit'
ORDER BY g.time_created DESC NULLS LAST, g.part_id, g.ordinal
LIMIT coalesce($limit, 200)
