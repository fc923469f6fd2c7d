-- view: git-by-branch
-- title: Git by branch
-- answers: What happened on each branch?
-- parameters: project agent session from to
-- shape: rows
-- chart: bar x=branch y=commits
-- requirements: OC-40
-- budget_ms: 250

-- A fact belongs to its own branch, or else to the branch that the session had shown before it.
WITH facts AS (
    SELECT
        g.part_id,
        g.ordinal,
        g.session_id,
        g.kind,
        g.insertions,
        g.deletions,
        g.succeeded,
        g.time_created,
        coalesce(g.branch, last_value(g.branch IGNORE NULLS) OVER (
            PARTITION BY g.session_id ORDER BY g.time_created, g.part_id, g.ordinal
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS branch
    FROM git_facts g
    LEFT JOIN message_usage u ON u.message_id = g.message_id
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($session IS NULL OR g.session_id = $session)
)
SELECT
    branch,
    count(*) AS facts,
    count(*) FILTER (WHERE kind = 'commit' AND succeeded) AS commits,
    count(*) FILTER (WHERE kind = 'push' AND succeeded) AS pushes,
    count(*) FILTER (WHERE kind = 'merge' AND succeeded) AS merges,
    coalesce(sum(insertions) FILTER (WHERE kind = 'commit' AND succeeded), 0) AS insertions,
    coalesce(sum(deletions) FILTER (WHERE kind = 'commit' AND succeeded), 0) AS deletions,
    count(DISTINCT session_id) AS sessions,
    max(time_created) AS last_seen
FROM facts
WHERE ($from IS NULL OR time_created >= $from)
  AND ($to IS NULL OR time_created < $to)
GROUP BY branch
ORDER BY commits DESC, facts DESC, branch
