-- view: forks
-- title: Forks
-- answers: Which sessions hold copies made by a fork, and what would be counted twice?
-- parameters: project limit
-- shape: rows
-- chart: table
-- requirements: OC-49
-- budget_ms: 250

SELECT
    u.session_id,
    max(s.title) AS title,
    max(s.fork_session_id) AS fork_session_id,
    count(*) FILTER (WHERE u.is_fork_copy) AS copied_answers,
    count(*) FILTER (WHERE NOT u.is_fork_copy) AS own_answers,
    coalesce(sum(u.stored_cost) FILTER (WHERE u.is_fork_copy), 0) AS stored_cost_not_counted,
    coalesce(sum(coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0))
        FILTER (WHERE u.is_fork_copy), 0) AS tokens_not_counted
FROM message_usage u
LEFT JOIN sessions s ON s.id = u.session_id
WHERE ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
GROUP BY u.session_id
HAVING count(*) FILTER (WHERE u.is_fork_copy) > 0 OR max(s.fork_session_id) IS NOT NULL
ORDER BY stored_cost_not_counted DESC, u.session_id
LIMIT coalesce($limit, 200)
