-- daily_stats: usage by day, project, agent, provider and model.
--
-- Built on message_usage alone, so that it can be computed as a whole after every change. The columns of the key may be
-- null where OpenCode did not record them: leaving such answers out would lose their tokens from the totals.
SELECT
    day,
    project_id,
    agent,
    provider,
    model,
    count(DISTINCT session_id) FILTER (NOT is_fork_copy) AS sessions,
    count(*) FILTER (NOT is_fork_copy) AS messages,
    count(*) FILTER (is_fork_copy) AS fork_copies,
    CAST(coalesce(sum(tokens_input) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_input,
    CAST(coalesce(sum(tokens_output) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_output,
    CAST(coalesce(sum(tokens_reasoning) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_reasoning,
    CAST(coalesce(sum(tokens_cache_read) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_cache_read,
    CAST(coalesce(sum(tokens_cache_write) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_cache_write,
    CAST(coalesce(sum(stored_cost) FILTER (NOT is_fork_copy), 0) AS DECIMAL(18, 10)) AS stored_cost,
    CAST(sum(list_cost) FILTER (NOT is_fork_copy) AS DECIMAL(18, 10)) AS list_cost,
    count(*) FILTER (NOT is_fork_copy AND list_cost IS NULL) AS unpriced_messages,
    count(*) FILTER (NOT is_fork_copy AND error_name IS NOT NULL) AS errors,
    CAST(coalesce(sum(response_ms) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS response_ms
FROM message_usage
GROUP BY day, project_id, agent, provider, model
