-- agents: what each agent did, without what forks copied.
SELECT
    agent AS name,
    count(DISTINCT session_id) AS sessions,
    TRY_CAST(sum(messages) AS BIGINT) AS messages,
    TRY_CAST(
        sum(tokens_input) + sum(tokens_output) + sum(tokens_reasoning) + sum(tokens_cache_read)
        + sum(tokens_cache_write) AS BIGINT
    ) AS tokens,
    TRY_CAST(sum(stored_cost) AS DECIMAL(18, 10)) AS stored_cost,
    TRY_CAST(sum(list_cost) AS DECIMAL(18, 10)) AS list_cost,
    TRY_CAST(sum(tool_calls) AS BIGINT) AS tool_calls,
    TRY_CAST(sum(tool_failures) AS BIGINT) AS tool_failures,
    CASE WHEN sum(timed_messages) > 0
        THEN TRY_CAST(sum(response_ms) AS DOUBLE) / TRY_CAST(sum(timed_messages) AS DOUBLE) END AS average_response_ms,
    min(first_used) AS first_used,
    max(last_used) AS last_used
FROM session_usage
WHERE NOT is_fork_copy AND agent IS NOT NULL
GROUP BY agent
