-- session_traces: each session in its tree of delegation, with what the sessions below it used.
--
-- A session's way to its root names every tree that it adds to: itself and all above it. A total at list price is
-- unknown as soon as one session of the tree has an unknown one.
-- A session's parent is told as it is stored, also when it has no document or leads into a circle; `depth` and the root
-- are of the way that was taken.
own AS (
    SELECT
        session_id, status, time_created, time_last, stored_cost, list_cost, tool_calls,
        CAST(tokens_input AS HUGEINT) + tokens_output + tokens_reasoning + tokens_cache_read + tokens_cache_write
            AS tokens
    FROM session_resource_metrics
),
totals AS (
    SELECT
        above.ancestor AS session_id,
        count(*) - 1 AS descendants,
        sum(own.tokens) AS total_tokens,
        sum(own.stored_cost) AS total_stored_cost,
        CASE WHEN count(*) = count(own.list_cost) THEN sum(own.list_cost) END AS total_list_cost,
        sum(own.tool_calls) AS total_tool_calls
    FROM (SELECT session_id, unnest(path) AS ancestor FROM lineage) AS above
    JOIN own ON own.session_id = above.session_id
    GROUP BY above.ancestor
)
SELECT
    own.session_id,
    lineage.path[-1] AS root_session_id,
    sessions.parent_id AS parent_session_id,
    len(lineage.path) - 1 AS depth,
    totals.descendants,
    own.status,
    own.time_created AS time_start,
    own.time_last AS time_end,
    TRY_CAST(own.tokens AS BIGINT) AS tokens,
    own.stored_cost,
    own.list_cost,
    TRY_CAST(totals.total_tokens AS BIGINT) AS total_tokens,
    TRY_CAST(totals.total_stored_cost AS DECIMAL(18, 10)) AS total_stored_cost,
    TRY_CAST(totals.total_list_cost AS DECIMAL(18, 10)) AS total_list_cost,
    TRY_CAST(totals.total_tool_calls AS BIGINT) AS total_tool_calls
FROM own
JOIN sessions ON sessions.id = own.session_id
JOIN lineage ON lineage.session_id = own.session_id
JOIN totals ON totals.session_id = own.session_id
