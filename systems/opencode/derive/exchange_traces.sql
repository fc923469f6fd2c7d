-- exchange_traces: what happened in a turn, in the order of the transcript.
--
-- That order is by message, then by the part's id, which is the order in which parts were begun. Times do not tell it:
-- a tool that was stopped begins and ends when it was stopped, and in a fork's copy some times are the original's and
-- some the copy's. Every part of every message of the turn is one event, also of a type not known here; an error that
-- ended a message comes after its parts. Tokens of a step are disjoint, as message_usage counts them.
WITH members AS MATERIALIZED (
    SELECT message_id, session_id, exchange_id, position, role, is_fork_copy
    FROM message_places
    WHERE exchange_id IS NOT NULL AND session_id IN (SELECT scope_id FROM affected)
),
bits AS MATERIALIZED (
    SELECT id, message_id, session_id, part_type, time_created, character_count
    FROM parts
    WHERE session_id IN (SELECT scope_id FROM affected)
),
used AS MATERIALIZED (
    SELECT
        message_id, step_tokens,
        TRY_CAST(
            CAST(tokens_input AS HUGEINT) + tokens_output + tokens_reasoning + tokens_cache_read + tokens_cache_write
            AS BIGINT
        ) AS tokens
    FROM message_usage
    WHERE session_id IN (SELECT scope_id FROM affected)
),
details AS (
    SELECT
        part_id,
        CASE WHEN child_session_id IS NULL THEN 'tool' ELSE 'delegation' END AS event_type,
        tool_name AS name,
        CASE WHEN is_aborted THEN 'aborted' WHEN is_failure AND status = 'completed' THEN 'failed' ELSE status END
            AS status,
        child_session_id,
        time_start AS time_created,
        execution_time_ms AS duration_ms,
        output_character_count AS character_count,
        CAST(json_object('title', title, 'file_path', file_path, 'exit_code', exit_code) AS VARCHAR) AS event_data
    FROM tool_calls
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        part_id,
        CASE WHEN coalesce(synthetic, false) OR coalesce(ignored, false) THEN 'context' ELSE 'prompt' END,
        NULL, NULL, NULL, time_start, (epoch_us(time_end) - epoch_us(time_start)) // 1000, character_count, NULL
    FROM text_messages
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT part_id, 'reasoning', NULL, NULL, NULL, time_start, duration_ms, character_count, NULL
    FROM thinking_blocks
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        part_id, 'step', reason, event, NULL, time_created, NULL, NULL,
        CASE WHEN event = 'finish' THEN concat('{"cost":', coalesce(CAST(cost AS VARCHAR), 'null'), '}') END
    FROM step_events
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        part_id, 'patch', NULL, NULL, NULL, time_created, NULL, NULL,
        json_object('tree_hash', tree_hash, 'file_count', file_count)
    FROM patches
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        part_id, 'compaction', NULL, status, NULL, time_created, NULL, NULL,
        json_object('automatic', automatic, 'overflow', overflow)
    FROM compactions
    UNION ALL
    SELECT
        part_id, 'file', filename, NULL, NULL, time_created, NULL, NULL,
        json_object('mime', mime, 'byte_count', byte_count)
    FROM attachments
    UNION ALL
    SELECT part_id, 'agent', name, NULL, NULL, time_created, NULL, NULL, NULL
    FROM agent_mentions
    UNION ALL
    SELECT
        part_id, 'subtask', agent, NULL, NULL, time_created, NULL, NULL,
        json_object('description', description, 'command', command)
    FROM subtasks
    UNION ALL
    SELECT part_id, 'retry', NULL, NULL, NULL, time_created, NULL, NULL, json_object('attempt', attempt)
    FROM retries
),
events AS (
    SELECT
        members.exchange_id, members.session_id, members.position, members.message_id, members.is_fork_copy,
        bits.id AS part_id,
        -- Ids begin again from zero about every two years; a part so young is after the others of its message.
        substr(members.message_id, 5, 1) >= 'c' AND substr(bits.id, 5, 1) < '4' AS next_era,
        CASE WHEN bits.part_type = 'text' AND members.role <> 'user' THEN 'text'
            ELSE coalesce(details.event_type, bits.part_type) END AS event_type,
        details.name, details.status, details.child_session_id,
        coalesce(details.time_created, bits.time_created) AS time_created,
        details.duration_ms,
        coalesce(details.character_count, bits.character_count) AS character_count,
        details.event_data
    FROM bits
    JOIN members ON members.message_id = bits.message_id AND members.session_id = bits.session_id
    LEFT JOIN details ON details.part_id = bits.id
    UNION ALL
    SELECT
        members.exchange_id, members.session_id, members.position, members.message_id, members.is_fork_copy,
        NULL, NULL, 'error', failed.error_name, NULL, NULL, failed.at, NULL, NULL, NULL
    FROM (
        SELECT id, error_name, coalesce(time_completed, time_created) AS at
        FROM messages
        WHERE error_name IS NOT NULL AND session_id IN (SELECT scope_id FROM affected)
    ) AS failed
    JOIN members ON members.message_id = failed.id
),
ordered AS (
    SELECT
        *,
        row_number() OVER in_turn AS event_order,
        last_value(CASE WHEN event_type = 'step' AND status = 'start' THEN struct_pack(message_id, time_created) END
            IGNORE NULLS) OVER in_turn AS begun
    FROM events
    WINDOW in_turn AS (
        PARTITION BY exchange_id ORDER BY position, part_id IS NULL, next_era, part_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
)
SELECT
    ordered.exchange_id,
    ordered.session_id,
    ordered.event_order,
    ordered.event_type,
    ordered.part_id,
    ordered.message_id,
    ordered.name,
    ordered.status,
    ordered.child_session_id,
    ordered.time_created,
    -- A step lasts from its beginning to its end; the ids of a copy tell when it was copied.
    CASE WHEN ordered.event_type = 'step' AND ordered.status = 'finish'
        THEN CASE WHEN ordered.begun.message_id = ordered.message_id AND NOT ordered.is_fork_copy
            THEN (epoch_us(ordered.time_created) - epoch_us(ordered.begun.time_created)) // 1000 END
        ELSE ordered.duration_ms END AS duration_ms,
    CASE WHEN ordered.event_type = 'step' AND ordered.status = 'finish'
        THEN CASE WHEN used.step_tokens IS NULL THEN used.tokens
            ELSE CAST(used.step_tokens AS MAP(VARCHAR, BIGINT))[ordered.part_id] END
        END AS tokens,
    ordered.character_count,
    ordered.event_data
FROM ordered
LEFT JOIN used ON used.message_id = ordered.message_id
-- Turns of a session lie together, so that a look at one of them skips the rest of the table.
ORDER BY ordered.session_id, ordered.exchange_id, ordered.event_order
