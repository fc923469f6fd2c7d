-- agents: what each agent did. Built on message_usage alone.
SELECT
    agent AS name,
    count(DISTINCT session_id) AS sessions,
    count(*) AS messages,
    CAST(sum(tokens_input + tokens_output + tokens_reasoning + tokens_cache_read + tokens_cache_write) AS BIGINT)
        AS tokens,
    CAST(coalesce(sum(stored_cost), 0) AS DECIMAL(18, 10)) AS stored_cost,
    CAST(sum(list_cost) AS DECIMAL(18, 10)) AS list_cost,
    CAST(sum(tool_calls) AS BIGINT) AS tool_calls,
    CAST(sum(tool_failures) AS BIGINT) AS tool_failures,
    avg(response_ms) AS average_response_ms,
    min(time_created) AS first_used,
    max(time_created) AS last_used
FROM message_usage
WHERE NOT is_fork_copy AND agent IS NOT NULL
GROUP BY agent
