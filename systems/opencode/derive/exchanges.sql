-- exchanges: a user's turn and all answers to it.
--
-- Numbers are of the messages that count: a turn copied by a fork as a whole keeps the sums of its copies and is
-- flagged; in a turn that goes on after the fork only what is new counts. So the sums of all turns that are no copies
-- are the sums of all answers that are no copies. The last answer is the last one that is not a compaction's summary,
-- unless there is nothing else.
WITH members AS (
    SELECT
        message_id, session_id, exchange_id, role, position, is_fork_copy,
        bool_and(is_fork_copy) FILTER (role = 'assistant' OR message_id = exchange_id)
            OVER (PARTITION BY exchange_id) AS turn_is_copy
    FROM message_places
    WHERE exchange_id IS NOT NULL AND session_id IN (SELECT scope_id FROM affected)
),
counted AS (
    SELECT message_id, exchange_id FROM members WHERE turn_is_copy OR NOT is_fork_copy
),
answers AS (
    SELECT
        counted.exchange_id,
        count(*) AS assistant_messages,
        sum(message_usage.tokens_input) AS tokens_input,
        sum(message_usage.tokens_output) AS tokens_output,
        sum(message_usage.tokens_reasoning) AS tokens_reasoning,
        sum(message_usage.tokens_cache_read) AS tokens_cache_read,
        sum(message_usage.tokens_cache_write) AS tokens_cache_write,
        sum(message_usage.stored_cost) AS stored_cost,
        CASE WHEN count(*) = count(message_usage.list_cost) THEN sum(message_usage.list_cost) END AS list_cost
    FROM counted
    JOIN message_usage ON message_usage.message_id = counted.message_id
        AND message_usage.session_id IN (SELECT scope_id FROM affected)
    GROUP BY counted.exchange_id
),
ends AS (
    SELECT
        members.exchange_id,
        arg_max(members.message_id, struct_pack(own := NOT message_usage.is_summary, at := members.position))
            AS last_answer,
        last(message_usage.time_completed ORDER BY members.position) AS time_end
    FROM members
    JOIN message_usage ON message_usage.message_id = members.message_id
        AND message_usage.session_id IN (SELECT scope_id FROM affected)
    GROUP BY members.exchange_id
),
calls AS (
    SELECT
        counted.exchange_id,
        count(*) AS tool_calls,
        count(*) FILTER (tool_calls.is_failure) AS tool_failures
    FROM tool_calls
    JOIN counted ON counted.message_id = tool_calls.message_id
    WHERE tool_calls.session_id IN (SELECT scope_id FROM affected)
    GROUP BY counted.exchange_id
),
thoughts AS (
    SELECT counted.exchange_id, count(*) AS thinking_blocks
    FROM thinking_blocks
    JOIN counted ON counted.message_id = thinking_blocks.message_id
    WHERE thinking_blocks.session_id IN (SELECT scope_id FROM affected)
    GROUP BY counted.exchange_id
),
written AS (
    SELECT
        message_id,
        -- Ids begin again from zero about every two years; a part so young is after the others of its message.
        substr(message_id, 5, 1) >= 'c' AND substr(part_id, 5, 1) < '4' AS next_era,
        part_id, text
    FROM text_messages
    WHERE session_id IN (SELECT scope_id FROM affected)
        AND text <> '' AND NOT coalesce(synthetic, false) AND NOT coalesce(ignored, false)
),
prompts AS (
    SELECT message_id, string_agg(text, chr(10) || chr(10) ORDER BY next_era, part_id) AS text
    FROM written
    WHERE message_id IN (SELECT exchange_id FROM members)
    GROUP BY message_id
),
replies AS (
    SELECT message_id, last(text ORDER BY next_era, part_id) AS text
    FROM written
    WHERE message_id IN (SELECT last_answer FROM ends)
    GROUP BY message_id
)
SELECT
    asked.id AS id,
    asked.session_id,
    row_number() OVER (PARTITION BY asked.session_id ORDER BY members.position) AS exchange_number,
    asked.id AS user_message_id,
    ends.last_answer AS assistant_message_id,
    coalesce(answers.assistant_messages, 0) AS assistant_messages,
    coalesce(answered.agent, asked.agent, asked.mode) AS agent,
    answered.provider,
    answered.model,
    prompts.text AS prompt_input,
    replies.text AS prompt_output,
    asked.time_created AS time_start,
    ends.time_end,
    CASE WHEN ends.time_end >= asked.time_created
        THEN (epoch_us(ends.time_end) - epoch_us(asked.time_created)) // 1000 END AS duration_ms,
    CAST(coalesce(answers.tokens_input, 0) AS BIGINT) AS tokens_input,
    CAST(coalesce(answers.tokens_output, 0) AS BIGINT) AS tokens_output,
    CAST(coalesce(answers.tokens_reasoning, 0) AS BIGINT) AS tokens_reasoning,
    CAST(coalesce(answers.tokens_cache_read, 0) AS BIGINT) AS tokens_cache_read,
    CAST(coalesce(answers.tokens_cache_write, 0) AS BIGINT) AS tokens_cache_write,
    CAST(coalesce(answers.stored_cost, 0) AS DECIMAL(18, 10)) AS stored_cost,
    CAST(CASE WHEN answers.exchange_id IS NULL THEN 0 ELSE answers.list_cost END AS DECIMAL(18, 10)) AS list_cost,
    coalesce(calls.tool_calls, 0) AS tool_calls,
    coalesce(calls.tool_failures, 0) AS tool_failures,
    coalesce(thoughts.thinking_blocks, 0) AS thinking_blocks,
    members.turn_is_copy AS is_fork_copy
FROM members
JOIN messages AS asked ON asked.id = members.message_id AND asked.session_id IN (SELECT scope_id FROM affected)
LEFT JOIN answers ON answers.exchange_id = asked.id
LEFT JOIN ends ON ends.exchange_id = asked.id
LEFT JOIN message_usage AS answered ON answered.message_id = ends.last_answer
    AND answered.session_id IN (SELECT scope_id FROM affected)
LEFT JOIN prompts ON prompts.message_id = asked.id
LEFT JOIN replies ON replies.message_id = ends.last_answer
LEFT JOIN calls ON calls.exchange_id = asked.id
LEFT JOIN thoughts ON thoughts.exchange_id = asked.id
WHERE members.message_id = members.exchange_id
