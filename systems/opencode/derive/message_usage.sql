-- message_usage: what each answer of a model used, before tokens are made disjoint and prices are applied.
--
-- The steps of an answer are the truth about its tokens and cost; the message itself keeps the tokens of its last step
-- only. Without steps (second SQLite generation, or an answer that failed at once) the message's own figures stand.
-- Each step's tokens are handed over too when there are several: whether the rates for a long context apply is
-- decided for every request, not for their sum.
WITH steps AS (
    SELECT
        message_id,
        count(*) AS steps,
        sum(cost) AS cost,
        sum(tokens_input) AS tokens_input,
        sum(tokens_output) AS tokens_output,
        sum(tokens_reasoning) AS tokens_reasoning,
        sum(tokens_cache_read) AS tokens_cache_read,
        sum(tokens_cache_write) AS tokens_cache_write,
        string_agg(
            concat_ws(
                ',', coalesce(tokens_input, 0), coalesce(tokens_output, 0), coalesce(tokens_reasoning, 0),
                coalesce(tokens_cache_read, 0), coalesce(tokens_cache_write, 0)
            ), ';' ORDER BY part_id
        ) AS each_step
    FROM step_events
    WHERE event = 'finish' AND session_id IN (SELECT scope_id FROM affected)
    GROUP BY message_id
),
called AS (
    SELECT
        message_id,
        count(*) AS tool_calls,
        count(*) FILTER (is_failure) AS tool_failures,
        coalesce(sum(execution_time_ms), 0) AS tool_ms
    FROM tool_calls
    WHERE session_id IN (SELECT scope_id FROM affected)
    GROUP BY message_id
)
SELECT
    messages.id AS message_id,
    messages.session_id,
    message_places.root_session_id,
    sessions.project_id,
    coalesce(messages.root_path, projects.worktree) AS root_path,
    coalesce(messages.agent, messages.mode) AS agent,
    messages.provider,
    messages.model,
    messages.time_created,
    messages.time_completed,
    CAST(messages.time_created AS DATE) AS day,
    message_places.is_fork_copy,
    coalesce(messages.is_summary, false) AS is_summary,
    coalesce(steps.steps, 0) AS steps,
    CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_input ELSE messages.tokens_input END AS BIGINT) AS tokens_input,
    CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_output ELSE messages.tokens_output END AS BIGINT)
        AS tokens_output,
    CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_reasoning ELSE messages.tokens_reasoning END AS BIGINT)
        AS tokens_reasoning,
    CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_cache_read ELSE messages.tokens_cache_read END AS BIGINT)
        AS tokens_cache_read,
    CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_cache_write ELSE messages.tokens_cache_write END AS BIGINT)
        AS tokens_cache_write,
    CASE WHEN steps.steps > 1 THEN steps.each_step END AS each_step,
    CAST(coalesce(steps.cost, messages.stored_cost) AS DECIMAL(18, 10)) AS stored_cost,
    sessions.version,
    messages.generation,
    CASE WHEN messages.time_completed >= messages.time_created
        THEN (epoch_us(messages.time_completed) - epoch_us(messages.time_created)) // 1000 END AS response_ms,
    messages.error_name,
    coalesce(called.tool_calls, 0) AS tool_calls,
    coalesce(called.tool_failures, 0) AS tool_failures,
    CAST(coalesce(called.tool_ms, 0) AS BIGINT) AS tool_ms
FROM messages
JOIN message_places ON message_places.message_id = messages.id
    AND message_places.session_id IN (SELECT scope_id FROM affected)
LEFT JOIN sessions ON sessions.id = messages.session_id
LEFT JOIN projects ON projects.id = sessions.project_id
LEFT JOIN steps ON steps.message_id = messages.id
LEFT JOIN called ON called.message_id = messages.id
WHERE messages.role = 'assistant' AND messages.session_id IN (SELECT scope_id FROM affected)
