-- view: resource-use
-- title: Resources by session
-- answers: What did each session take? Processor and memory are not known: OpenCode does not record them.
-- parameters: project session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-47 OC-54
-- budget_ms: 250

SELECT
    m.session_id,
    m.title,
    m.root_path,
    m.time_created,
    m.tokens_input,
    m.tokens_output,
    m.tokens_reasoning,
    m.tokens_cache_read,
    m.tokens_cache_write,
    round(100.0 * m.tokens_cache_read
        / nullif(coalesce(m.tokens_input, 0) + coalesce(m.tokens_cache_read, 0)
            + coalesce(m.tokens_cache_write, 0), 0), 2) AS cache_hit_percent,
    m.root_tokens,
    m.stored_cost,
    m.list_cost,
    m.messages,
    m.tool_calls,
    round(m.average_response_ms, 1) AS average_response_ms,
    m.execution_ms
FROM session_resource_metrics m
WHERE ($project IS NULL OR m.root_path = $project OR m.project_id = $project)
  AND ($session IS NULL OR m.session_id = $session)
  AND ($from IS NULL OR m.time_created >= $from)
  AND ($to IS NULL OR m.time_created < $to)
ORDER BY m.time_created DESC NULLS LAST, m.session_id
LIMIT coalesce($limit, 200)
