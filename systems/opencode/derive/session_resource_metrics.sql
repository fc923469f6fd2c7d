-- session_resource_metrics: what a session used and cost, without what a fork copied into it.
--
-- `messages`, `tool_calls` and all others count what is no copy, so that they can be added up over sessions;
-- `fork_copies` says how many messages were left out. The list cost is unknown as soon as one answer has no price.
WITH placed AS MATERIALIZED (
    SELECT message_id, session_id, role, position, is_fork_copy
    FROM message_places
    WHERE session_id IN (SELECT scope_id FROM affected)
),
talked AS (
    SELECT
        placed.session_id,
        count(*) FILTER (NOT placed.is_fork_copy) AS messages,
        count(*) FILTER (placed.role = 'user' AND NOT placed.is_fork_copy) AS user_messages,
        count(*) FILTER (placed.is_fork_copy) AS fork_copies,
        max(coalesce(messages.time_completed, messages.time_created)) AS time_last,
        arg_min(messages.root_path, placed.position) AS root_path,
        arg_max(
            CASE
                WHEN placed.role = 'user' OR messages.time_completed IS NULL AND messages.error_name IS NULL
                    THEN 'running'
                WHEN messages.error_name IS NOT NULL THEN 'error'
                ELSE 'completed'
            END,
            placed.position
        ) FILTER (placed.role IN ('user', 'assistant')) AS status
    FROM placed
    JOIN (
        SELECT id, time_created, time_completed, root_path, error_name
        FROM messages
        WHERE session_id IN (SELECT scope_id FROM affected)
    ) AS messages ON messages.id = placed.message_id
    GROUP BY placed.session_id
),
used AS (
    SELECT
        session_id,
        sum(tokens_input) AS tokens_input,
        sum(tokens_output) AS tokens_output,
        sum(tokens_reasoning) AS tokens_reasoning,
        sum(tokens_cache_read) AS tokens_cache_read,
        sum(tokens_cache_write) AS tokens_cache_write,
        sum(stored_cost) AS stored_cost,
        CASE WHEN sum(messages) = sum(priced_messages) THEN sum(list_cost) END AS list_cost,
        CASE WHEN sum(timed_messages) > 0
            THEN TRY_CAST(sum(response_ms) AS DOUBLE) / TRY_CAST(sum(timed_messages) AS DOUBLE) END AS average_response_ms
    FROM session_usage
    WHERE session_id IN (SELECT scope_id FROM affected) AND NOT is_fork_copy
    GROUP BY session_id
),
turns AS (
    SELECT session_id, count(*) FILTER (NOT is_fork_copy) AS exchanges
    FROM exchanges
    WHERE session_id IN (SELECT scope_id FROM affected)
    GROUP BY session_id
),
calls AS (
    SELECT
        session_id,
        count(*) AS tool_calls,
        count(*) FILTER (is_failure) AS tool_failures,
        sum(execution_time_ms) AS execution_ms,
        max(time_end) AS time_last
    FROM tool_calls
    WHERE session_id IN (SELECT scope_id FROM affected)
        AND NOT EXISTS (
            SELECT 1 FROM placed
            WHERE placed.message_id = tool_calls.message_id AND placed.session_id = tool_calls.session_id
                AND placed.is_fork_copy
        )
    GROUP BY session_id
),
failed AS (
    SELECT session_id, count(*) AS errors
    FROM errors
    WHERE session_id IN (SELECT scope_id FROM affected)
        AND NOT EXISTS (
            SELECT 1 FROM placed
            WHERE placed.message_id = errors.message_id AND placed.session_id = errors.session_id
                AND placed.is_fork_copy
        )
    GROUP BY session_id
)
SELECT
    sessions.id AS session_id,
    sessions.project_id,
    sessions.title,
    coalesce(talked.root_path, projects.worktree) AS root_path,
    TRY_CAST(coalesce(used.tokens_input, 0) AS BIGINT) AS tokens_input,
    TRY_CAST(coalesce(used.tokens_output, 0) AS BIGINT) AS tokens_output,
    TRY_CAST(coalesce(used.tokens_reasoning, 0) AS BIGINT) AS tokens_reasoning,
    TRY_CAST(coalesce(used.tokens_cache_read, 0) AS BIGINT) AS tokens_cache_read,
    TRY_CAST(coalesce(used.tokens_cache_write, 0) AS BIGINT) AS tokens_cache_write,
    TRY_CAST(coalesce(used.tokens_input, 0) + coalesce(used.tokens_output, 0) AS BIGINT) AS root_tokens,
    TRY_CAST(coalesce(used.stored_cost, 0) AS DECIMAL(18, 10)) AS stored_cost,
    TRY_CAST(CASE WHEN used.session_id IS NULL THEN 0 ELSE used.list_cost END AS DECIMAL(18, 10)) AS list_cost,
    coalesce(talked.messages, 0) AS messages,
    coalesce(talked.user_messages, 0) AS user_messages,
    coalesce(turns.exchanges, 0) AS exchanges,
    coalesce(calls.tool_calls, 0) AS tool_calls,
    coalesce(calls.tool_failures, 0) AS tool_failures,
    coalesce(failed.errors, 0) AS errors,
    coalesce(talked.fork_copies, 0) AS fork_copies,
    used.average_response_ms,
    TRY_CAST(coalesce(calls.execution_ms, 0) AS BIGINT) AS execution_ms,
    sessions.time_created,
    sessions.time_updated,
    talked.status,
    greatest(talked.time_last, calls.time_last) AS time_last
FROM sessions
LEFT JOIN projects ON projects.id = sessions.project_id
LEFT JOIN talked ON talked.session_id = sessions.id
LEFT JOIN used ON used.session_id = sessions.id
LEFT JOIN turns ON turns.session_id = sessions.id
LEFT JOIN calls ON calls.session_id = sessions.id
LEFT JOIN failed ON failed.session_id = sessions.id
WHERE sessions.id IN (SELECT scope_id FROM affected)
