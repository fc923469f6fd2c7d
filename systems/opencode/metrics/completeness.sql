-- metric: completeness
-- name: plimsoll_opencode_completeness_ratio
-- help: Share of rows that have the value, 0 to 1; absent where no row can have it.
-- kind: gauge
-- labels: field

WITH counted AS (
    SELECT 'messages.root_path' AS field, count(*) AS applies, count(root_path) AS filled
    FROM messages WHERE role = 'assistant'
    UNION ALL
    SELECT 'errors.category', count(*), count(*) FILTER (WHERE category IS NOT NULL AND category <> 'unknown')
    FROM errors
    UNION ALL
    SELECT 'tool_calls.execution_time_ms', count(*), count(execution_time_ms)
    FROM tool_calls WHERE status IN ('completed', 'error') AND NOT coalesce(is_aborted, false)
    UNION ALL
    SELECT 'step_events.tokens_cache_read', count(*), count(tokens_cache_read)
    FROM step_events WHERE event = 'finish'
    UNION ALL
    SELECT 'parts.time_created', count(*), count(time_created) FROM parts
    UNION ALL
    SELECT 'message_usage.list_cost', count(*), count(list_cost) FROM message_usage
    UNION ALL
    SELECT 'message_usage.response_ms', count(*), count(response_ms) FROM message_usage
)
SELECT field, CAST(filled AS DOUBLE) / nullif(applies, 0) AS value FROM counted ORDER BY field
