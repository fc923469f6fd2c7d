-- view: cost-by-agent
-- title: Cost by agent
-- answers: What did each agent cost?
-- parameters: project agent model from to
-- shape: rows
-- chart: bar x=agent y=stored_cost,list_cost
-- requirements: OC-51
-- budget_ms: 250

SELECT
    u.agent,
    count(*) AS messages,
    count(DISTINCT u.session_id) AS sessions,
    sum(u.tokens_input) AS tokens_input,
    sum(u.tokens_output) AS tokens_output,
    sum(u.tokens_reasoning) AS tokens_reasoning,
    sum(u.tokens_cache_read) AS tokens_cache_read,
    sum(u.tokens_cache_write) AS tokens_cache_write,
    sum(u.stored_cost) AS stored_cost,
    sum(u.list_cost) AS list_cost,
    count(*) FILTER (WHERE u.list_cost IS NULL) AS unpriced_messages
FROM message_usage u
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.agent
ORDER BY stored_cost DESC NULLS LAST, u.agent
