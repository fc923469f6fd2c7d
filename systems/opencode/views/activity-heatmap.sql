-- view: activity-heatmap
-- title: Hours of activity
-- answers: At which hours of which weekday (UTC) is work done?
-- parameters: project agent model from to
-- shape: rows
-- chart: heatmap x=hour y=weekday value=messages
-- requirements: OC-97
-- budget_ms: 250

-- Weekday 1 is Monday.
SELECT
    isodow(u.time_created) AS weekday,
    hour(u.time_created) AS hour,
    count(*) AS messages,
    count(DISTINCT u.session_id) AS sessions,
    coalesce(sum(u.stored_cost), 0) AS stored_cost
FROM message_usage u
WHERE u.time_created IS NOT NULL
  AND NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY weekday, hour
ORDER BY weekday, hour
