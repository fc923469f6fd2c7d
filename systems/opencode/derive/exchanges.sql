-- exchanges: a user's turn and all answers to it.
--
-- Numbers are of the messages that count: a turn copied by a fork as a whole keeps the sums of its copies and is
-- flagged; in a turn that goes on after the fork only what is new counts. So the sums of all turns that are no copies
-- are the sums of all answers that are no copies. The last answer is the last one that is not a compaction's summary,
-- unless there is nothing else.
WITH members AS MATERIALIZED (
    SELECT
        message_id, session_id, exchange_id, position,
        bool_and(is_fork_copy) FILTER (role = 'assistant' OR message_id = exchange_id)
            OVER (PARTITION BY exchange_id) AS turn_is_copy,
        turn_is_copy OR NOT is_fork_copy AS counts
    FROM message_places
    WHERE exchange_id IS NOT NULL AND session_id IN (SELECT scope_id FROM affected)
),
used AS MATERIALIZED (
    SELECT
        message_id, agent, provider, model, time_completed, is_summary, tokens_input, tokens_output, tokens_reasoning,
        tokens_cache_read, tokens_cache_write, stored_cost, list_cost
    FROM message_usage
    WHERE session_id IN (SELECT scope_id FROM affected)
),
answers AS MATERIALIZED (
    SELECT
        members.exchange_id,
        count(*) FILTER (counts) AS assistant_messages,
        sum(tokens_input) FILTER (counts) AS tokens_input,
        sum(tokens_output) FILTER (counts) AS tokens_output,
        sum(tokens_reasoning) FILTER (counts) AS tokens_reasoning,
        sum(tokens_cache_read) FILTER (counts) AS tokens_cache_read,
        sum(tokens_cache_write) FILTER (counts) AS tokens_cache_write,
        sum(stored_cost) FILTER (counts) AS stored_cost,
        CASE WHEN count(*) FILTER (counts) = count(list_cost) FILTER (counts)
            THEN coalesce(sum(list_cost) FILTER (counts), 0) END AS list_cost,
        arg_max(
            struct_pack(id := members.message_id, agent, provider, model),
            struct_pack(own := NOT is_summary, at := position)
        ) AS last_answer,
        last(time_completed ORDER BY position) AS time_end
    FROM members
    JOIN used ON used.message_id = members.message_id
    GROUP BY members.exchange_id
),
activity AS (
    SELECT
        members.exchange_id,
        count(*) FILTER (is_call) AS tool_calls,
        count(*) FILTER (is_failure) AS tool_failures,
        count(*) FILTER (NOT is_call) AS thinking_blocks
    FROM (
        SELECT message_id, session_id, true AS is_call, is_failure
        FROM tool_calls
        WHERE session_id IN (SELECT scope_id FROM affected)
        UNION ALL
        SELECT message_id, session_id, false, false
        FROM thinking_blocks
        WHERE session_id IN (SELECT scope_id FROM affected)
    ) AS happened
    JOIN members ON members.message_id = happened.message_id AND members.session_id = happened.session_id
    WHERE counts
    GROUP BY members.exchange_id
),
written AS MATERIALIZED (
    SELECT
        message_id,
        session_id,
        -- Ids begin again from zero about every two years; a part so young is after the others of its message.
        substr(message_id, 5, 1) >= 'c' AND substr(part_id, 5, 1) < '4' AS next_era,
        part_id, text
    FROM text_messages
    WHERE session_id IN (SELECT scope_id FROM affected)
        AND text <> '' AND NOT coalesce(synthetic, false) AND NOT coalesce(ignored, false)
),
prompts AS (
    SELECT message_id, session_id, string_agg(text, chr(10) || chr(10) ORDER BY next_era, part_id) AS text
    FROM written
    WHERE message_id IN (SELECT exchange_id FROM members)
    GROUP BY message_id, session_id
),
replies AS (
    SELECT message_id, session_id, last(text ORDER BY next_era, part_id) AS text
    FROM written
    WHERE message_id IN (SELECT last_answer.id FROM answers)
    GROUP BY message_id, session_id
),
asked AS MATERIALIZED (
    SELECT id, session_id, coalesce(agent, mode) AS agent, time_created
    FROM messages
    WHERE role = 'user' AND session_id IN (SELECT scope_id FROM affected)
)
SELECT
    asked.id AS id,
    asked.session_id,
    row_number() OVER (PARTITION BY asked.session_id ORDER BY members.position) AS exchange_number,
    asked.id AS user_message_id,
    answers.last_answer.id AS assistant_message_id,
    coalesce(answers.assistant_messages, 0) AS assistant_messages,
    coalesce(answers.last_answer.agent, asked.agent) AS agent,
    answers.last_answer.provider AS provider,
    answers.last_answer.model AS model,
    prompts.text AS prompt_input,
    replies.text AS prompt_output,
    asked.time_created AS time_start,
    answers.time_end,
    CASE WHEN answers.time_end >= asked.time_created
        THEN (epoch_us(answers.time_end) - epoch_us(asked.time_created)) // 1000 END AS duration_ms,
    TRY_CAST(coalesce(answers.tokens_input, 0) AS BIGINT) AS tokens_input,
    TRY_CAST(coalesce(answers.tokens_output, 0) AS BIGINT) AS tokens_output,
    TRY_CAST(coalesce(answers.tokens_reasoning, 0) AS BIGINT) AS tokens_reasoning,
    TRY_CAST(coalesce(answers.tokens_cache_read, 0) AS BIGINT) AS tokens_cache_read,
    TRY_CAST(coalesce(answers.tokens_cache_write, 0) AS BIGINT) AS tokens_cache_write,
    TRY_CAST(coalesce(answers.stored_cost, 0) AS DECIMAL(18, 10)) AS stored_cost,
    TRY_CAST(CASE WHEN answers.exchange_id IS NULL THEN 0 ELSE answers.list_cost END AS DECIMAL(18, 10)) AS list_cost,
    coalesce(activity.tool_calls, 0) AS tool_calls,
    coalesce(activity.tool_failures, 0) AS tool_failures,
    coalesce(activity.thinking_blocks, 0) AS thinking_blocks,
    members.turn_is_copy AS is_fork_copy
FROM members
JOIN asked ON asked.id = members.message_id
LEFT JOIN answers ON answers.exchange_id = asked.id
LEFT JOIN activity ON activity.exchange_id = asked.id
LEFT JOIN prompts ON prompts.message_id = asked.id AND prompts.session_id = asked.session_id
LEFT JOIN replies ON replies.message_id = answers.last_answer.id AND replies.session_id = asked.session_id
WHERE members.message_id = members.exchange_id
ORDER BY asked.session_id, members.position
