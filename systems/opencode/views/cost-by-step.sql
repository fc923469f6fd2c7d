-- view: cost-by-step
-- title: Cost by step
-- answers: What did each request to a model cost, as OpenCode wrote it?
-- parameters: project agent model session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-49
-- budget_ms: 250

SELECT
    p.part_id,
    p.message_id,
    p.session_id,
    p.time_created,
    u.provider,
    u.model,
    p.reason,
    p.cost AS stored_cost,
    p.tokens_input,
    p.tokens_output,
    p.tokens_reasoning,
    p.tokens_cache_read,
    p.tokens_cache_write
FROM step_events p
JOIN message_usage u ON u.message_id = p.message_id
WHERE p.event = 'finish'
  AND NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($session IS NULL OR u.session_id = $session)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
ORDER BY p.time_created DESC, p.part_id
LIMIT coalesce($limit, 200)
