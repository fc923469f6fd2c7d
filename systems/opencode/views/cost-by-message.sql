-- view: cost-by-message
-- title: Cost by message
-- answers: What did each answer cost, by all three reckonings?
-- parameters: project agent model session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-45 OC-49
-- budget_ms: 250

SELECT
    u.message_id,
    u.session_id,
    u.time_created,
    u.agent,
    u.provider,
    u.model,
    u.steps,
    u.tokens_input,
    u.tokens_output,
    u.tokens_reasoning,
    u.tokens_cache_read,
    u.tokens_cache_write,
    u.stored_cost,
    u.recomputed_cost,
    u.list_cost,
    u.price_source
FROM message_usage u
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($session IS NULL OR u.session_id = $session)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
ORDER BY u.time_created DESC, u.message_id
LIMIT coalesce($limit, 200)
