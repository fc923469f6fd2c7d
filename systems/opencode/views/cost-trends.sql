-- view: cost-trends
-- title: Cost trends
-- answers: How does cost develop from day to day, and as a mean of seven days?
-- parameters: project agent model from to
-- shape: rows
-- chart: line x=day y=stored_cost,list_cost,seven_day_stored_cost
-- requirements: OC-51 OC-76
-- budget_ms: 200

-- The mean runs over the last seven calendar days, days without use counted as 0.
WITH days AS (
    SELECT
        u.day AS day,
        count(*) AS messages,
        count(DISTINCT u.session_id) AS sessions,
        sum(coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
            + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0)) AS tokens,
        coalesce(sum(u.stored_cost), 0) AS stored_cost,
        sum(u.list_cost) AS list_cost
    FROM message_usage u
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
      AND ($from IS NULL OR u.time_created >= $from)
      AND ($to IS NULL OR u.time_created < $to)
    GROUP BY u.day
)
SELECT
    d.day,
    d.sessions,
    d.messages,
    d.tokens,
    d.stored_cost,
    d.list_cost,
    sum(d.stored_cost) OVER running AS running_stored_cost,
    CAST(sum(d.stored_cost) OVER week / 7 AS DECIMAL(18,10)) AS seven_day_stored_cost,
    CAST(sum(d.list_cost) OVER week / 7 AS DECIMAL(18,10)) AS seven_day_list_cost
FROM days d
WINDOW
    running AS (ORDER BY d.day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
    week AS (ORDER BY d.day RANGE BETWEEN INTERVAL 6 DAY PRECEDING AND CURRENT ROW)
ORDER BY d.day
