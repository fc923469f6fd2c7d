-- view: budget-by-month
-- title: Spending in the month so far
-- answers: How far has each month got, day by day? To be held against a budget.
-- parameters: project agent model from to
-- shape: rows
-- chart: line x=day y=stored_so_far series=month
-- requirements: OC-52
-- budget_ms: 250

WITH days AS (
    SELECT
        u.day AS day,
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
    CAST(date_trunc('month', d.day) AS DATE) AS month,
    d.day,
    d.stored_cost,
    d.list_cost,
    sum(d.stored_cost) OVER so_far AS stored_so_far,
    sum(d.list_cost) OVER so_far AS list_so_far
FROM days d
WINDOW so_far AS (
    PARTITION BY date_trunc('month', d.day) ORDER BY d.day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
)
ORDER BY d.day
