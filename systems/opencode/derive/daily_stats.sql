-- daily_stats: usage by day, project, agent, provider and model.
--
-- Built on message_usage alone, so that it can be computed as a whole after every change. The columns of the key may be
-- null where OpenCode did not record them: leaving such answers out would lose their tokens from the totals.
WITH by_session AS (
    -- By session first: counting different sessions in one pass would need a second, larger grouping.
    SELECT
        day, project_id, agent, provider, model, is_fork_copy, session_id,
        count(*) AS messages,
        sum(tokens_input) AS tokens_input,
        sum(tokens_output) AS tokens_output,
        sum(tokens_reasoning) AS tokens_reasoning,
        sum(tokens_cache_read) AS tokens_cache_read,
        sum(tokens_cache_write) AS tokens_cache_write,
        sum(stored_cost) AS stored_cost,
        sum(list_cost) AS list_cost,
        count(list_cost) AS priced_messages,
        count(error_name) AS errors,
        sum(response_ms) AS response_ms
    FROM message_usage
    GROUP BY ALL
)
SELECT
    day,
    project_id,
    agent,
    provider,
    model,
    count(*) FILTER (NOT is_fork_copy) AS sessions,
    CAST(coalesce(sum(messages) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS messages,
    CAST(coalesce(sum(messages) FILTER (is_fork_copy), 0) AS BIGINT) AS fork_copies,
    CAST(coalesce(sum(tokens_input) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_input,
    CAST(coalesce(sum(tokens_output) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_output,
    CAST(coalesce(sum(tokens_reasoning) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_reasoning,
    CAST(coalesce(sum(tokens_cache_read) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_cache_read,
    CAST(coalesce(sum(tokens_cache_write) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_cache_write,
    CAST(coalesce(sum(stored_cost) FILTER (NOT is_fork_copy), 0) AS DECIMAL(18, 10)) AS stored_cost,
    CAST(sum(list_cost) FILTER (NOT is_fork_copy) AS DECIMAL(18, 10)) AS list_cost,
    CAST(coalesce(sum(messages - priced_messages) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS unpriced_messages,
    CAST(coalesce(sum(errors) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS errors,
    CAST(coalesce(sum(response_ms) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS response_ms
FROM by_session
GROUP BY day, project_id, agent, provider, model
