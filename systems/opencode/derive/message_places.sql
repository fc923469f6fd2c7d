-- message_places: each message's place in its session, its turn, its tree, and whether a fork copied it.
--
-- Everything else is built on this, so that a turn and a copy mean the same everywhere.
--
-- Order is by time, then by the sequence that the second SQLite generation keeps, then by id; never by id alone.
--
-- A user message opens a turn unless it only steers: all its parts are a compaction's marker or text that OpenCode
-- wrote itself (as after a compaction: go on). Text that stands for a command which the user ran does open one, and so
-- does a session's first user message. Any other message belongs to the turn of the user message that it answers, or,
-- where that is not told or not in the same session (early forks kept the original's id), to the turn before it.
--
-- Copies of a fork: messages that are equal in all that a fork copies, in more than one session. The one minted first
-- counts. A later one is a copy if its id is more than a second younger than its time, or if its session says that it
-- was forked; otherwise two things happened in the same millisecond.
--
-- Here and in all that follows, a part counts for its message only where both name the same session: what depends on a
-- session must not depend on the rows of another.
placed AS MATERIALIZED (
    SELECT
        id, session_id, role, parent_id, time_created,
        row_number() OVER (PARTITION BY session_id ORDER BY time_created, sequence, id) AS position
    FROM messages
    WHERE session_id IN (SELECT scope_id FROM affected)
),
bits AS MATERIALIZED (
    SELECT id, message_id, session_id, part_type FROM parts WHERE session_id IN (SELECT scope_id FROM affected)
),
guiding AS MATERIALIZED (
    SELECT part_id
    FROM text_messages
    WHERE session_id IN (SELECT scope_id FROM affected)
        AND synthetic AND NOT starts_with(coalesce(text, ''), 'The following tool was executed by the user')
),
steering AS (
    SELECT bits.message_id, bits.session_id
    FROM bits
    LEFT JOIN guiding ON guiding.part_id = bits.id
    GROUP BY bits.message_id, bits.session_id
    HAVING bool_and(bits.part_type = 'compaction' OR guiding.part_id IS NOT NULL)
),
opening AS (
    SELECT
        placed.*,
        placed.role = 'user' AND (
            steering.message_id IS NULL
            OR placed.position = min(placed.position) FILTER (placed.role = 'user')
                OVER (PARTITION BY placed.session_id)
        ) AS opens
    FROM placed
    LEFT JOIN steering ON steering.message_id = placed.id AND steering.session_id = placed.session_id
),
turns AS MATERIALIZED (
    SELECT
        *,
        last_value(CASE WHEN opens THEN id END IGNORE NULLS) OVER (
            PARTITION BY session_id ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS turn
    FROM opening
),
instants AS (
    SELECT time_created
    FROM messages
    WHERE time_created IN (SELECT time_created FROM placed)
    GROUP BY time_created
    HAVING min(session_id) <> max(session_id)
),
alike AS (
    SELECT
        id, session_id, time_created, time_minted,
        first_value(id) OVER first_minted AS original_id,
        first_value(session_id) OVER first_minted AS original_session_id
    FROM messages
    WHERE time_created IN (SELECT time_created FROM instants)
    WINDOW first_minted AS (
        PARTITION BY
            time_created, role,
            CASE WHEN role = 'assistant' THEN struct_pack(
                time_completed, provider, model, stored_cost, tokens_input, tokens_output, tokens_reasoning,
                tokens_cache_read, tokens_cache_write
            ) END
        ORDER BY coalesce(time_minted, time_created), id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),
copies AS (
    SELECT alike.id, alike.original_id, alike.original_session_id
    FROM alike
    LEFT JOIN sessions ON sessions.id = alike.session_id
    WHERE alike.original_session_id <> alike.session_id
        AND (
            alike.time_minted - alike.time_created > INTERVAL 1 SECOND
            OR sessions.fork_session_id IS NOT NULL
        )
)
SELECT
    turns.id AS message_id,
    turns.session_id,
    lineage.path[-1] AS root_session_id,
    turns.role,
    turns.position,
    coalesce(asked.turn, turns.turn) AS exchange_id,
    copies.id IS NOT NULL AS is_fork_copy,
    copies.original_id AS original_message_id,
    copies.original_session_id
FROM turns
JOIN lineage ON lineage.session_id = turns.session_id
LEFT JOIN turns AS asked
    ON asked.id = turns.parent_id AND asked.session_id = turns.session_id AND asked.role = 'user'
    AND NOT turns.opens
LEFT JOIN copies ON copies.id = turns.id
ORDER BY turns.session_id, turns.position
