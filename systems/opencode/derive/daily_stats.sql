-- daily_stats: usage by day, project, agent, provider and model.
--
-- The columns of the key may be null where OpenCode did not record them: leaving such answers out would lose their
-- tokens from the totals. A day on which there are only copies is kept, with nothing but their number.
SELECT
    day,
    project_id,
    agent,
    provider,
    model,
    -- One row for each session: all else that tells rows of session_usage apart is grouped by.
    count(*) FILTER (NOT is_fork_copy) AS sessions,
    TRY_CAST(coalesce(sum(messages) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS messages,
    TRY_CAST(coalesce(sum(messages) FILTER (is_fork_copy), 0) AS BIGINT) AS fork_copies,
    TRY_CAST(coalesce(sum(tokens_input) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_input,
    TRY_CAST(coalesce(sum(tokens_output) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_output,
    TRY_CAST(coalesce(sum(tokens_reasoning) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_reasoning,
    TRY_CAST(coalesce(sum(tokens_cache_read) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_cache_read,
    TRY_CAST(coalesce(sum(tokens_cache_write) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS tokens_cache_write,
    TRY_CAST(coalesce(sum(stored_cost) FILTER (NOT is_fork_copy), 0) AS DECIMAL(18, 10)) AS stored_cost,
    TRY_CAST(sum(list_cost) FILTER (NOT is_fork_copy) AS DECIMAL(18, 10)) AS list_cost,
    TRY_CAST(coalesce(sum(messages - priced_messages) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS unpriced_messages,
    TRY_CAST(coalesce(sum(errors) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS errors,
    TRY_CAST(coalesce(sum(response_ms) FILTER (NOT is_fork_copy), 0) AS BIGINT) AS response_ms
FROM session_usage
GROUP BY day, project_id, agent, provider, model
