-- view: exchanges
-- title: Exchanges
-- answers: Which turns were there, how long did they take and what did they cost?
-- parameters: project agent model session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-17 OC-21
-- budget_ms: 250

SELECT
    x.id AS exchange_id,
    x.session_id,
    x.exchange_number,
    x.time_start,
    x.duration_ms,
    x.agent,
    x.provider,
    x.model,
    left(x.prompt_input, 120) AS prompt,
    x.assistant_messages,
    x.tool_calls,
    x.tool_failures,
    x.thinking_blocks,
    x.tokens_input,
    x.tokens_output,
    x.tokens_reasoning,
    x.tokens_cache_read,
    x.tokens_cache_write,
    x.stored_cost,
    x.list_cost
FROM exchanges x
LEFT JOIN session_resource_metrics s ON s.session_id = x.session_id
WHERE NOT coalesce(x.is_fork_copy, false)
  AND ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($agent IS NULL OR x.agent = $agent)
  AND ($model IS NULL OR x.model = $model OR x.provider || '/' || x.model = $model)
  AND ($session IS NULL OR x.session_id = $session)
  AND ($from IS NULL OR x.time_start >= $from)
  AND ($to IS NULL OR x.time_start < $to)
ORDER BY x.time_start DESC NULLS LAST, x.id
LIMIT coalesce($limit, 200)
