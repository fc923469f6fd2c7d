-- view: completeness
-- title: Completeness
-- answers: Which share of rows has each value that had been lost in the earlier system?
-- parameters: project
-- shape: rows
-- chart: bar x=value y=percent
-- requirements: OC-31 OC-35 OC-37 OC-41 OC-80
-- budget_ms: 250

-- `applies` counts the rows that can have the value, `filled` those that have it. The sum of `filled` is the number of
-- recovered data points.
WITH chosen AS (
    SELECT session_id FROM session_resource_metrics
    WHERE ($project IS NULL OR root_path = $project OR project_id = $project)
),
counted AS (
    SELECT 'messages.root_path' AS value, count(*) AS applies, count(m.root_path) AS filled
    FROM messages m WHERE m.role = 'assistant' AND ($project IS NULL OR m.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'errors.category', count(*), count(*) FILTER (WHERE e.category IS NOT NULL AND e.category <> 'unknown')
    FROM errors e WHERE ($project IS NULL OR e.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'errors.severity', count(*), count(e.severity)
    FROM errors e WHERE ($project IS NULL OR e.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'errors.error_data', count(*), count(e.error_data)
    FROM errors e WHERE ($project IS NULL OR e.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'tool_calls.execution_time_ms', count(*), count(t.execution_time_ms)
    FROM tool_calls t WHERE t.status IN ('completed', 'error') AND NOT coalesce(t.is_aborted, false)
        AND ($project IS NULL OR t.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'tool_calls.exit_code', count(*), count(t.exit_code)
    FROM tool_calls t WHERE t.command IS NOT NULL AND t.status = 'completed'
        AND ($project IS NULL OR t.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'step_events.tokens_cache_read', count(*), count(s.tokens_cache_read)
    FROM step_events s WHERE s.event = 'finish'
        AND ($project IS NULL OR s.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'thinking_blocks.duration_ms', count(*), count(b.duration_ms)
    FROM thinking_blocks b WHERE ($project IS NULL OR b.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'parts.time_created', count(*), count(p.time_created)
    FROM parts p WHERE ($project IS NULL OR p.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'attachments.byte_count', count(*), count(a.byte_count)
    FROM attachments a WHERE a.url_scheme = 'data'
        AND ($project IS NULL OR a.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'compactions.automatic', count(*), count(c.automatic)
    FROM compactions c WHERE ($project IS NULL OR c.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'git_facts.commit_hash', count(*), count(g.commit_hash)
    FROM git_facts g WHERE g.kind = 'commit' AND g.succeeded
        AND ($project IS NULL OR g.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'file_operations.language', count(*), count(f.language)
    FROM file_operations f WHERE ($project IS NULL OR f.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'message_usage.list_cost', count(*), count(u.list_cost)
    FROM message_usage u WHERE ($project IS NULL OR u.session_id IN (SELECT session_id FROM chosen))
    UNION ALL
    SELECT 'message_usage.response_ms', count(*), count(u.response_ms)
    FROM message_usage u WHERE ($project IS NULL OR u.session_id IN (SELECT session_id FROM chosen))
)
SELECT
    c.value,
    c.applies,
    c.filled,
    c.applies - c.filled AS missing,
    round(100.0 * c.filled / nullif(c.applies, 0), 2) AS percent
FROM counted c
ORDER BY c.value
