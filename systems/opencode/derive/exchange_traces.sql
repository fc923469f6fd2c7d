-- exchange_traces: what happened in a turn, in the order of the transcript.
--
-- That order is by message, then by the part's id, which is the order in which parts were begun. Times do not tell it:
-- a tool that was stopped begins and ends when it was stopped, and in a fork's copy some times are the original's and
-- some the copy's. Every part of every message of the turn is one event, also of a type not known here; an error that
-- ended a message comes after its parts. A step's tokens are disjoint, by the rule that was applied to its message.
WITH members AS (
    SELECT message_id, session_id, exchange_id, position, role, is_fork_copy
    FROM message_places
    WHERE exchange_id IS NOT NULL AND session_id IN (SELECT scope_id FROM affected)
),
steps AS (
    SELECT
        step_events.*,
        lag(time_created) OVER in_message AS before_time,
        lag(event) OVER in_message AS before_event
    FROM step_events
    WHERE session_id IN (SELECT scope_id FROM affected)
    WINDOW in_message AS (
        PARTITION BY message_id
        ORDER BY substr(message_id, 5, 1) >= 'c' AND substr(part_id, 5, 1) < '4', part_id
    )
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
        CAST(NULL AS BIGINT) AS tokens,
        output_character_count AS character_count,
        json_object('title', title, 'file_path', file_path, 'exit_code', exit_code) AS event_data
    FROM tool_calls
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        text_messages.part_id,
        CASE
            WHEN members.role <> 'user' THEN 'text'
            WHEN coalesce(synthetic, false) OR coalesce(ignored, false) THEN 'context'
            ELSE 'prompt'
        END,
        NULL, NULL, NULL, time_start, (epoch_us(time_end) - epoch_us(time_start)) // 1000, NULL, character_count, NULL
    FROM text_messages
    JOIN members ON members.message_id = text_messages.message_id
    WHERE text_messages.session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT part_id, 'reasoning', NULL, NULL, NULL, time_start, duration_ms, NULL, character_count, NULL
    FROM thinking_blocks
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        steps.part_id, 'step', steps.reason, steps.event, NULL, steps.time_created,
        CASE WHEN steps.event = 'finish' AND steps.before_event = 'start' AND NOT members.is_fork_copy
            THEN (epoch_us(steps.time_created) - epoch_us(steps.before_time)) // 1000 END,
        CASE WHEN steps.event = 'finish' THEN
            coalesce(steps.tokens_input, 0) + coalesce(steps.tokens_output, 0)
            + coalesce(steps.tokens_reasoning, 0) + coalesce(steps.tokens_cache_read, 0)
            + coalesce(steps.tokens_cache_write, 0) END,
        NULL,
        CASE WHEN steps.event = 'finish' THEN json_object('cost', steps.cost) END
    FROM steps
    JOIN members ON members.message_id = steps.message_id
    UNION ALL
    SELECT
        part_id, 'patch', NULL, NULL, NULL, time_created, NULL, NULL, NULL,
        json_object('tree_hash', tree_hash, 'file_count', file_count)
    FROM patches
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        part_id, 'compaction', NULL, status, NULL, time_created, NULL, NULL, NULL,
        json_object('automatic', automatic, 'overflow', overflow)
    FROM compactions
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        part_id, 'file', filename, NULL, NULL, time_created, NULL, NULL, NULL,
        json_object('mime', mime, 'byte_count', byte_count)
    FROM attachments
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT part_id, 'agent', name, NULL, NULL, time_created, NULL, NULL, NULL, NULL
    FROM agent_mentions
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        part_id, 'subtask', agent, NULL, NULL, time_created, NULL, NULL, NULL,
        json_object('description', description, 'command', command)
    FROM subtasks
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT part_id, 'retry', NULL, NULL, NULL, time_created, NULL, NULL, NULL, json_object('attempt', attempt)
    FROM retries
    WHERE session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT part_id, 'snapshot', NULL, NULL, NULL, time_created, NULL, NULL, NULL, NULL
    FROM snapshots
    WHERE session_id IN (SELECT scope_id FROM affected)
),
events AS (
    SELECT
        members.exchange_id, members.session_id, members.position, members.message_id,
        parts.id AS part_id,
        substr(members.message_id, 5, 1) >= 'c' AND substr(parts.id, 5, 1) < '4' AS next_era,
        coalesce(details.event_type, parts.part_type) AS event_type,
        details.name, details.status, details.child_session_id,
        coalesce(details.time_created, parts.time_created) AS time_created,
        details.duration_ms, details.tokens,
        coalesce(details.character_count, parts.character_count) AS character_count,
        details.event_data
    FROM parts
    JOIN members ON members.message_id = parts.message_id
    LEFT JOIN details ON details.part_id = parts.id
    WHERE parts.session_id IN (SELECT scope_id FROM affected)
    UNION ALL
    SELECT
        members.exchange_id, members.session_id, members.position, members.message_id,
        NULL, NULL, 'error', messages.error_name, NULL, NULL,
        coalesce(messages.time_completed, messages.time_created), NULL, NULL, NULL, NULL
    FROM messages
    JOIN members ON members.message_id = messages.id
    WHERE messages.error_name IS NOT NULL AND messages.session_id IN (SELECT scope_id FROM affected)
)
SELECT
    exchange_id,
    session_id,
    row_number() OVER (PARTITION BY exchange_id ORDER BY position, part_id IS NULL, next_era, part_id) AS event_order,
    event_type,
    part_id,
    message_id,
    name,
    status,
    child_session_id,
    time_created,
    duration_ms,
    tokens,
    character_count,
    event_data
FROM events
