-- view: forks
-- title: Forks
-- answers: Which sessions hold copies made by a fork, and what would be counted twice?
-- parameters: project limit
-- shape: rows
-- chart: table
-- requirements: OC-49
-- budget_ms: 250

SELECT
    p.session_id,
    max(s.title) AS title,
    coalesce(max(s.fork_session_id), max(p.original_session_id)) AS forked_from,
    count(*) FILTER (WHERE p.is_fork_copy) AS copied_messages,
    count(*) FILTER (WHERE NOT p.is_fork_copy) AS own_messages,
    coalesce(sum(u.stored_cost) FILTER (WHERE p.is_fork_copy), 0) AS stored_cost_not_counted,
    coalesce(sum(coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0))
        FILTER (WHERE p.is_fork_copy), 0) AS tokens_not_counted
FROM message_places p
LEFT JOIN message_usage u ON u.message_id = p.message_id
LEFT JOIN sessions s ON s.id = p.session_id
LEFT JOIN session_resource_metrics m ON m.session_id = p.session_id
WHERE ($project IS NULL OR m.root_path = $project OR m.project_id = $project)
GROUP BY p.session_id
HAVING count(*) FILTER (WHERE p.is_fork_copy) > 0 OR max(s.fork_session_id) IS NOT NULL
ORDER BY stored_cost_not_counted DESC, p.session_id
LIMIT coalesce($limit, 200)
