-- message_usage: what each answer of a model used, before tokens are made disjoint and prices are applied.
--
-- The steps of an answer are the truth about its tokens and cost; the message itself keeps the tokens of its last step
-- only. Without steps (second SQLite generation, or an answer that failed at once) the message's own figures stand.
-- Several steps are handed over one by one, in the order of their parts, as
-- `input,output,reasoning,cache_read,cache_write,total;..`: what the numbers mean, and whether the rates for a long context apply, is decided for each request and not for their sum.
WITH steps AS (
    SELECT
        message_id,
        session_id,
        count(*) AS steps,
        sum(cost) AS cost,
        sum(tokens_input) AS tokens_input,
        sum(tokens_output) AS tokens_output,
        sum(tokens_reasoning) AS tokens_reasoning,
        sum(tokens_cache_read) AS tokens_cache_read,
        sum(tokens_cache_write) AS tokens_cache_write,
        sum(tokens_total) AS tokens_total,
        CASE WHEN count(*) > 1 THEN CAST(to_json(list(part_id ORDER BY part_id)) AS VARCHAR) END AS step_parts,
        CASE WHEN count(*) > 1 THEN string_agg(
            concat(
                tokens_input, ',', tokens_output, ',', tokens_reasoning, ',', tokens_cache_read, ',',
                tokens_cache_write, ',', tokens_total
            ), ';' ORDER BY part_id
        ) END AS each_step
    FROM step_events
    WHERE event = 'finish' AND session_id IN (SELECT scope_id FROM affected)
    GROUP BY message_id, session_id
),
called AS (
    SELECT
        message_id,
        session_id,
        count(*) AS tool_calls,
        count(*) FILTER (is_failure) AS tool_failures,
        sum(execution_time_ms) AS tool_ms
    FROM tool_calls
    WHERE session_id IN (SELECT scope_id FROM affected)
    GROUP BY message_id, session_id
),
answers AS MATERIALIZED (
    SELECT
        id, session_id, root_path, coalesce(agent, mode) AS agent, provider, model, time_created, time_completed,
        is_summary, tokens_input, tokens_output, tokens_reasoning, tokens_cache_read, tokens_cache_write,
        tokens_total, stored_cost, error_name
    FROM messages
    WHERE role = 'assistant' AND session_id IN (SELECT scope_id FROM affected)
),
places AS MATERIALIZED (
    SELECT message_id, root_session_id, is_fork_copy
    FROM message_places
    WHERE role = 'assistant' AND session_id IN (SELECT scope_id FROM affected)
)
SELECT
    answers.id AS message_id,
    answers.session_id,
    places.root_session_id,
    sessions.project_id,
    coalesce(answers.root_path, projects.worktree) AS root_path,
    answers.agent,
    answers.provider,
    answers.model,
    answers.time_created,
    answers.time_completed,
    CAST(answers.time_created AS DATE) AS day,
    places.is_fork_copy,
    coalesce(answers.is_summary, false) AS is_summary,
    coalesce(steps.steps, 0) AS steps,
    TRY_CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_input ELSE answers.tokens_input END AS BIGINT) AS tokens_input,
    TRY_CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_output ELSE answers.tokens_output END AS BIGINT)
        AS tokens_output,
    TRY_CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_reasoning ELSE answers.tokens_reasoning END AS BIGINT)
        AS tokens_reasoning,
    TRY_CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_cache_read ELSE answers.tokens_cache_read END AS BIGINT)
        AS tokens_cache_read,
    TRY_CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_cache_write ELSE answers.tokens_cache_write END AS BIGINT)
        AS tokens_cache_write,
    TRY_CAST(CASE WHEN steps.steps > 0 THEN steps.tokens_total ELSE answers.tokens_total END AS BIGINT) AS tokens_total,
    steps.step_parts,
    steps.each_step,
    TRY_CAST(coalesce(steps.cost, answers.stored_cost) AS DECIMAL(18, 10)) AS stored_cost,
    sessions.version,
    CASE WHEN answers.time_completed >= answers.time_created
        THEN (epoch_us(answers.time_completed) - epoch_us(answers.time_created)) // 1000 END AS response_ms,
    answers.error_name,
    coalesce(called.tool_calls, 0) AS tool_calls,
    coalesce(called.tool_failures, 0) AS tool_failures,
    TRY_CAST(coalesce(called.tool_ms, 0) AS BIGINT) AS tool_ms
FROM answers
JOIN places ON places.message_id = answers.id
LEFT JOIN sessions ON sessions.id = answers.session_id
LEFT JOIN projects ON projects.id = sessions.project_id
LEFT JOIN steps ON steps.message_id = answers.id AND steps.session_id = answers.session_id
LEFT JOIN called ON called.message_id = answers.id AND called.session_id = answers.session_id
ORDER BY answers.session_id, answers.id
