-- view: longest-sessions
-- title: Longest sessions
-- answers: Which sessions took longest, by working time and by the calendar?
-- parameters: project from to limit
-- shape: rows
-- chart: bar x=title y=working_ms
-- requirements: OC-97
-- budget_ms: 250

-- Working time is the sum of the turns' durations; the calendar also counts the pauses between them.
WITH turns AS (
    SELECT session_id, sum(duration_ms) AS working_ms, count(*) AS exchanges
    FROM exchanges
    WHERE NOT coalesce(is_fork_copy, false)
    GROUP BY session_id
)
SELECT
    s.id AS session_id,
    s.title,
    m.root_path,
    s.time_created,
    x.exchanges,
    x.working_ms,
    date_diff('millisecond', s.time_created, s.time_updated) AS calendar_ms,
    m.tool_calls,
    m.stored_cost
FROM sessions s
LEFT JOIN turns x ON x.session_id = s.id
LEFT JOIN session_resource_metrics m ON m.session_id = s.id
WHERE ($project IS NULL OR s.project_id = $project OR m.root_path = $project)
  AND ($from IS NULL OR s.time_created >= $from)
  AND ($to IS NULL OR s.time_created < $to)
ORDER BY x.working_ms DESC NULLS LAST, s.id
LIMIT coalesce($limit, 50)
