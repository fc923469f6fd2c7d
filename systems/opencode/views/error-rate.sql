-- view: error-rate
-- title: Error rate by day
-- answers: Which share of answers and of calls failed each day?
-- parameters: project agent model from to session
-- shape: rows
-- chart: line x=day y=success_percent
-- requirements: OC-36 OC-71
-- budget_ms: 250

WITH answers AS (
    SELECT u.day AS day, count(*) AS answers, count(u.error_name) AS failed_answers
    FROM message_usage u
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
      AND ($session IS NULL OR u.session_id = $session)
      AND ($from IS NULL OR u.time_created >= $from)
      AND ($to IS NULL OR u.time_created < $to)
    GROUP BY u.day
),
calls AS (
    SELECT
        u.day AS day,
        count(*) AS calls,
        count(*) FILTER (WHERE t.is_failure AND NOT coalesce(t.is_aborted, false)) AS failed_calls
    FROM tool_calls t
    JOIN message_usage u ON u.message_id = t.message_id
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
      AND ($session IS NULL OR u.session_id = $session)
      AND ($from IS NULL OR u.time_created >= $from)
      AND ($to IS NULL OR u.time_created < $to)
    GROUP BY u.day
)
SELECT
    a.day,
    a.answers,
    a.failed_answers,
    round(100.0 * a.failed_answers / a.answers, 2) AS failed_answers_percent,
    coalesce(c.calls, 0) AS calls,
    coalesce(c.failed_calls, 0) AS failed_calls,
    round(100.0 * c.failed_calls / nullif(c.calls, 0), 2) AS failed_calls_percent,
    round(100.0 - 100.0 * (a.failed_answers + coalesce(c.failed_calls, 0)) / (a.answers + coalesce(c.calls, 0)), 2)
        AS success_percent
FROM answers a
LEFT JOIN calls c ON c.day IS NOT DISTINCT FROM a.day
ORDER BY a.day
