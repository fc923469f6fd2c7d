-- view: forecast-input
-- title: Daily cost without gaps
-- answers: The series from which spending is forecast: every day between the first and the last.
-- parameters: project agent model from to
-- shape: rows
-- chart: line x=day y=stored_cost
-- requirements: OC-52
-- budget_ms: 250

WITH days AS (
    SELECT
        u.day AS day,
        sum(u.stored_cost) AS stored_cost,
        sum(u.list_cost) AS list_cost,
        count(*) AS messages
    FROM message_usage u
    WHERE u.day IS NOT NULL
      AND NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
      AND ($from IS NULL OR u.time_created >= $from)
      AND ($to IS NULL OR u.time_created < $to)
    GROUP BY u.day
),
calendar AS (
    SELECT CAST(unnest(generate_series(min(day), max(day), INTERVAL 1 DAY)) AS DATE) AS day FROM days
)
SELECT
    c.day,
    dayname(c.day) AS weekday,
    coalesce(d.stored_cost, 0) AS stored_cost,
    CASE WHEN d.day IS NULL THEN 0 ELSE d.list_cost END AS list_cost,
    coalesce(d.messages, 0) AS messages
FROM calendar c
LEFT JOIN days d ON d.day = c.day
ORDER BY c.day
