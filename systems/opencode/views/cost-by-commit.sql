-- view: cost-by-commit
-- title: Cost by commit
-- answers: What did it cost to get to each commit? Since the one before it in the session.
-- parameters: project agent session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-40 OC-49
-- budget_ms: 250

WITH commits AS (
    SELECT
        g.part_id,
        g.ordinal,
        g.session_id,
        g.time_created,
        g.branch,
        g.commit_hash,
        g.commit_message,
        g.message_id,
        lag(g.time_created) OVER (PARTITION BY g.session_id ORDER BY g.time_created, g.part_id, g.ordinal) AS previous
    FROM git_facts g
    LEFT JOIN message_usage u ON u.message_id = g.message_id
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($session IS NULL OR g.session_id = $session)
      AND g.kind = 'commit'
      AND g.succeeded
)
SELECT
    c.part_id,
    c.ordinal,
    c.time_created,
    c.session_id,
    c.branch,
    c.commit_hash,
    c.commit_message,
    count(u.message_id) AS answers,
    coalesce(sum(u.stored_cost), 0) AS stored_cost,
    sum(u.list_cost) AS list_cost,
    coalesce(sum(u.tokens_input), 0) + coalesce(sum(u.tokens_output), 0) + coalesce(sum(u.tokens_reasoning), 0)
        + coalesce(sum(u.tokens_cache_read), 0) + coalesce(sum(u.tokens_cache_write), 0) AS tokens
FROM commits c
LEFT JOIN message_usage u ON u.session_id = c.session_id
    AND NOT coalesce(u.is_fork_copy, false)
    AND u.time_created <= c.time_created
    AND (c.previous IS NULL OR u.time_created > c.previous)
WHERE ($from IS NULL OR c.time_created >= $from)
  AND ($to IS NULL OR c.time_created < $to)
GROUP BY c.part_id, c.ordinal, c.time_created, c.session_id, c.branch, c.commit_hash, c.commit_message
ORDER BY c.time_created DESC NULLS LAST, c.part_id, c.ordinal
LIMIT coalesce($limit, 200)
