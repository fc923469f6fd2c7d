-- agents: what each agent did, without what forks copied.
SELECT
    agent AS name,
    count(DISTINCT session_id) AS sessions,
    CAST(sum(messages) AS BIGINT) AS messages,
    CAST(sum(tokens_input + tokens_output + tokens_reasoning + tokens_cache_read + tokens_cache_write) AS BIGINT)
        AS tokens,
    CAST(sum(stored_cost) AS DECIMAL(18, 10)) AS stored_cost,
    CAST(sum(list_cost) AS DECIMAL(18, 10)) AS list_cost,
    CAST(sum(tool_calls) AS BIGINT) AS tool_calls,
    CAST(sum(tool_failures) AS BIGINT) AS tool_failures,
    CASE WHEN sum(timed_messages) > 0
        THEN CAST(sum(response_ms) AS DOUBLE) / CAST(sum(timed_messages) AS DOUBLE) END AS average_response_ms,
    min(first_used) AS first_used,
    max(last_used) AS last_used
FROM session_usage
WHERE NOT is_fork_copy AND agent IS NOT NULL
GROUP BY agent
