-- view: project-overview
-- title: Projects
-- answers: What happened in each project?
-- parameters: project
-- shape: rows
-- chart: bar x=worktree y=stored_cost
-- requirements: OC-32
-- budget_ms: 250

WITH used AS (
    SELECT
        u.project_id,
        count(*) AS messages,
        count(DISTINCT u.session_id) AS sessions,
        sum(u.stored_cost) AS stored_cost,
        sum(u.list_cost) AS list_cost,
        sum(coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
            + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0)) AS tokens,
        max(u.time_created) AS last_used
    FROM message_usage u
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
    GROUP BY u.project_id
),
worked AS (
    SELECT project_id, sum(tool_calls) AS tool_calls, sum(tool_failures) AS tool_failures, sum(errors) AS errors
    FROM session_resource_metrics
    WHERE ($project IS NULL OR root_path = $project OR project_id = $project)
    GROUP BY project_id
)
SELECT
    p.id AS project_id,
    p.worktree,
    p.vcs,
    p.name,
    coalesce(u.sessions, 0) AS sessions,
    coalesce(u.messages, 0) AS messages,
    coalesce(w.tool_calls, 0) AS tool_calls,
    coalesce(w.tool_failures, 0) AS tool_failures,
    coalesce(w.errors, 0) AS errors,
    coalesce(u.tokens, 0) AS tokens,
    coalesce(u.stored_cost, 0) AS stored_cost,
    u.list_cost,
    u.last_used,
    p.time_created
FROM projects p
LEFT JOIN used u ON u.project_id = p.id
LEFT JOIN worked w ON w.project_id = p.id
WHERE ($project IS NULL OR p.id = $project OR p.worktree = $project OR u.project_id IS NOT NULL)
ORDER BY u.last_used DESC NULLS LAST, p.id
