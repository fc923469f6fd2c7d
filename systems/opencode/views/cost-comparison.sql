-- view: cost-comparison
-- title: Stored, recomputed and list cost
-- answers: Does the stored cost agree with the prices? By model and by the writer's meaning of tokens.
-- parameters: project agent model from to
-- shape: rows
-- chart: table
-- requirements: OC-45 OC-50
-- budget_ms: 250

SELECT
    u.provider,
    u.model,
    u.token_rule,
    count(*) AS messages,
    sum(u.stored_cost) AS stored_cost,
    sum(u.recomputed_cost) AS recomputed_cost,
    sum(u.list_cost) AS list_cost,
    sum(u.stored_cost - u.recomputed_cost) AS stored_minus_recomputed,
    count(*) FILTER (WHERE abs(u.stored_cost - u.recomputed_cost) > 0.000001) AS messages_that_differ,
    count(*) FILTER (WHERE u.stored_cost = 0) AS messages_stored_as_free,
    count(*) FILTER (WHERE u.list_cost IS NULL) AS unpriced_messages
FROM message_usage u
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.provider, u.model, u.token_rule
ORDER BY u.provider, u.model, u.token_rule
