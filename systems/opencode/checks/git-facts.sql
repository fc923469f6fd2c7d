-- check: git-facts
-- title: Sessions that commit or switch show which branch they are on
-- severity: warn
-- rule: > 70 percent
-- hint: the commands in the sample print no branch; see whether a new version of git words its output differently
-- requirements: OC-39

-- The part of git metadata that depends on us: sessions with a command that names or makes a branch or commit.
WITH sessions_with_commits AS (
    SELECT
        g.session_id,
        bool_or(g.branch IS NOT NULL OR g.commit_hash IS NOT NULL) AS is_known
    FROM git_facts g
    WHERE g.session_id IN (
        SELECT c.session_id FROM git_facts c WHERE c.kind IN ('commit', 'switch', 'branch', 'push') AND c.succeeded)
    GROUP BY g.session_id
)
SELECT 100.0 * count(*) FILTER (WHERE is_known) / nullif(count(*), 0) AS value
FROM sessions_with_commits

-- sample:
SELECT g.session_id, g.kind, left(t.command, 120) AS command
FROM git_facts g
LEFT JOIN tool_calls t ON t.part_id = g.part_id
WHERE g.kind IN ('commit', 'switch', 'branch', 'push') AND g.succeeded AND g.branch IS NULL AND g.commit_hash IS NULL
ORDER BY g.session_id, g.part_id, g.ordinal
LIMIT 10
