-- view: sessions-by-day
-- title: Activity by day
-- answers: How much was worked each day?
-- parameters: project from to
-- shape: rows
-- chart: line x=day y=active_sessions,exchanges
-- requirements: OC-97
-- budget_ms: 250

WITH began AS (
    SELECT CAST(s.time_created AS DATE) AS day, count(*) AS sessions_begun,
        count(*) FILTER (WHERE s.parent_id IS NOT NULL) AS delegated
    FROM sessions s
    LEFT JOIN session_resource_metrics m ON m.session_id = s.id
    WHERE ($project IS NULL OR s.project_id = $project OR m.root_path = $project)
      AND ($from IS NULL OR s.time_created >= $from)
      AND ($to IS NULL OR s.time_created < $to)
    GROUP BY day
),
turned AS (
    SELECT CAST(x.time_start AS DATE) AS day, count(*) AS exchanges, count(DISTINCT x.session_id) AS active_sessions,
        coalesce(sum(x.duration_ms), 0) AS working_ms, coalesce(sum(x.tool_calls), 0) AS tool_calls
    FROM exchanges x
    LEFT JOIN session_resource_metrics m ON m.session_id = x.session_id
    WHERE NOT coalesce(x.is_fork_copy, false)
      AND ($project IS NULL OR m.project_id = $project OR m.root_path = $project)
      AND ($from IS NULL OR x.time_start >= $from)
      AND ($to IS NULL OR x.time_start < $to)
    GROUP BY day
)
SELECT
    coalesce(b.day, x.day) AS day,
    coalesce(b.sessions_begun, 0) AS sessions_begun,
    coalesce(b.delegated, 0) AS delegated,
    coalesce(x.active_sessions, 0) AS active_sessions,
    coalesce(x.exchanges, 0) AS exchanges,
    coalesce(x.tool_calls, 0) AS tool_calls,
    coalesce(x.working_ms, 0) AS working_ms
FROM began b
FULL JOIN turned x ON x.day = b.day
ORDER BY coalesce(b.day, x.day)
