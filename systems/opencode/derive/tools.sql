-- tools: how often each tool was called, how often it failed, and how long it took.
--
-- Times are of calls that completed: one that the user stopped ends when it was stopped, not when it was done, and one
-- that failed may have ended at once. All percentiles of a tool are taken in one pass.
WITH calls AS (
    SELECT
        tool_name,
        count(*) AS calls,
        count(*) FILTER (is_failure) AS failures,
        count(*) FILTER (is_aborted) AS aborted,
        count(DISTINCT session_id) AS sessions,
        sum(execution_time_ms) FILTER (status = 'completed' AND NOT is_aborted) AS execution_ms,
        quantile_cont(execution_time_ms, [0.5, 0.95, 0.99]) FILTER (status = 'completed' AND NOT is_aborted)
            AS percentiles,
        max(execution_time_ms) FILTER (status = 'completed' AND NOT is_aborted) AS max_ms,
        sum(output_character_count) AS output_characters,
        max(time_start) AS last_used
    FROM tool_calls
    WHERE tool_name IS NOT NULL
        AND message_id NOT IN (SELECT message_id FROM message_places WHERE is_fork_copy)
    GROUP BY tool_name
)
SELECT
    tool_name,
    calls,
    failures,
    aborted,
    sessions,
    TRY_CAST(coalesce(execution_ms, 0) AS BIGINT) AS execution_ms,
    CAST(percentiles[1] AS DOUBLE) AS p50_ms,
    CAST(percentiles[2] AS DOUBLE) AS p95_ms,
    CAST(percentiles[3] AS DOUBLE) AS p99_ms,
    max_ms,
    TRY_CAST(coalesce(output_characters, 0) AS BIGINT) AS output_characters,
    last_used
FROM calls
