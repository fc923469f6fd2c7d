-- view: trace-events
-- title: Events by type
-- answers: How often does each type of event occur, and how long does it take?
-- parameters: project session from to
-- shape: rows
-- chart: bar x=event_type y=events
-- requirements: OC-18
-- budget_ms: 250

SELECT
    e.event_type,
    count(*) AS events,
    count(DISTINCT e.exchange_id) AS exchanges,
    coalesce(sum(e.duration_ms), 0) AS duration_ms,
    coalesce(sum(e.tokens), 0) AS tokens
FROM exchange_traces e
LEFT JOIN session_resource_metrics s ON s.session_id = e.session_id
WHERE ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($session IS NULL OR e.session_id = $session)
  AND ($from IS NULL OR e.time_created >= $from)
  AND ($to IS NULL OR e.time_created < $to)
GROUP BY e.event_type
ORDER BY events DESC, e.event_type
