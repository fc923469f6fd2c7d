-- view: git-activity
-- title: Git commands
-- answers: How is version control used?
-- parameters: project agent session from to
-- shape: rows
-- chart: bar x=kind y=facts
-- requirements: OC-40
-- budget_ms: 250

SELECT
    g.kind,
    count(*) AS facts,
    count(*) FILTER (WHERE g.succeeded) AS succeeded,
    count(DISTINCT g.session_id) AS sessions,
    max(g.time_created) AS last_seen
FROM git_facts g
LEFT JOIN message_usage u ON u.message_id = g.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($session IS NULL OR g.session_id = $session)
  AND ($from IS NULL OR g.time_created >= $from)
  AND ($to IS NULL OR g.time_created < $to)
GROUP BY g.kind
ORDER BY facts DESC, g.kind
