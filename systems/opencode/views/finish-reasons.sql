-- view: finish-reasons
-- title: Why answers end
-- answers: Why did the models stop?
-- parameters: project agent model from to session
-- shape: rows
-- chart: bar x=finish y=messages
-- requirements: OC-05
-- budget_ms: 250

SELECT
    m.finish,
    u.error_name,
    count(*) AS messages,
    round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent
FROM message_usage u
JOIN messages m ON m.id = u.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($session IS NULL OR u.session_id = $session)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY m.finish, u.error_name
ORDER BY messages DESC, m.finish, u.error_name
