-- check: git-metadata
-- title: File operations under version control are tied to a commit or a branch
-- severity: error
-- rule: > 70 percent
-- hint: the sample tells by project how operations are tied; OpenCode itself records neither branch nor commit
-- requirements: OC-39 OC-68

-- OpenCode stores no branch and no commit: the hashes of patches and snapshots are trees of its own shadow repository.
-- What ties an operation to the history of its work tree is (1) a branch or commit that a shell command of the same
-- session showed, or (2) the project's identifier, which is the hash of the repository's first commit. The second names
-- the repository and not the state of the file; `git-facts` measures the first alone. Work trees without version
-- control are not counted: nothing can be known about them.
WITH operations AS (
    SELECT
        f.part_id,
        f.session_id,
        regexp_full_match(p.id, '[0-9a-f]{40}|[0-9a-f]{64}') AS has_root_commit,
        f.session_id IN (
            SELECT g.session_id FROM git_facts g WHERE g.branch IS NOT NULL OR g.commit_hash IS NOT NULL
        ) AS has_fact
    FROM file_operations f
    JOIN sessions s ON s.id = f.session_id
    JOIN projects p ON p.id = s.project_id
    WHERE p.vcs IS NOT NULL
)
SELECT 100.0 * count(*) FILTER (WHERE has_fact OR has_root_commit) / nullif(count(*), 0) AS value
FROM operations

-- sample:
WITH operations AS (
    SELECT
        f.part_id,
        f.session_id,
        regexp_full_match(p.id, '[0-9a-f]{40}|[0-9a-f]{64}') AS has_root_commit,
        f.session_id IN (
            SELECT g.session_id FROM git_facts g WHERE g.branch IS NOT NULL OR g.commit_hash IS NOT NULL
        ) AS has_fact
    FROM file_operations f
    JOIN sessions s ON s.id = f.session_id
    JOIN projects p ON p.id = s.project_id
    WHERE p.vcs IS NOT NULL
)
SELECT
    s.project_id,
    count(*) AS operations,
    count(*) FILTER (WHERE o.has_fact) AS by_branch_or_commit,
    count(*) FILTER (WHERE NOT o.has_fact AND o.has_root_commit) AS by_first_commit_only,
    count(*) FILTER (WHERE NOT o.has_fact AND NOT o.has_root_commit) AS by_nothing
FROM operations o
JOIN sessions s ON s.id = o.session_id
GROUP BY s.project_id
ORDER BY by_nothing DESC, s.project_id
LIMIT 10
