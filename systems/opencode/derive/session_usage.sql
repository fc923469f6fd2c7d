-- session_usage: what a session used by day, agent and model.
--
-- The step between answers and the tables of days, agents and models: only the sessions that changed are summed up
-- again, and the tables that are computed as a whole read some thousand rows in place of every answer there is.
SELECT
    session_id,
    day,
    project_id,
    agent,
    provider,
    model,
    is_fork_copy,
    count(*) AS messages,
    TRY_CAST(sum(tokens_input) AS BIGINT) AS tokens_input,
    TRY_CAST(sum(tokens_output) AS BIGINT) AS tokens_output,
    TRY_CAST(sum(tokens_reasoning) AS BIGINT) AS tokens_reasoning,
    TRY_CAST(sum(tokens_cache_read) AS BIGINT) AS tokens_cache_read,
    TRY_CAST(sum(tokens_cache_write) AS BIGINT) AS tokens_cache_write,
    TRY_CAST(coalesce(sum(stored_cost), 0) AS DECIMAL(18, 10)) AS stored_cost,
    TRY_CAST(sum(list_cost) AS DECIMAL(18, 10)) AS list_cost,
    count(list_cost) AS priced_messages,
    count(error_name) AS errors,
    count(response_ms) AS timed_messages,
    TRY_CAST(coalesce(sum(response_ms), 0) AS BIGINT) AS response_ms,
    TRY_CAST(coalesce(sum(CAST(tokens_output AS HUGEINT) + tokens_reasoning) FILTER (response_ms > 0), 0) AS BIGINT) AS timed_tokens,
    TRY_CAST(sum(tool_calls) AS BIGINT) AS tool_calls,
    TRY_CAST(sum(tool_failures) AS BIGINT) AS tool_failures,
    min(time_created) AS first_used,
    max(time_created) AS last_used
FROM message_usage
WHERE session_id IN (SELECT scope_id FROM affected)
GROUP BY session_id, day, project_id, agent, provider, model, is_fork_copy
