-- view: output-rate
-- title: Output rate by model
-- answers: How many tokens per second does each model write?
-- parameters: project agent model from to
-- shape: rows
-- chart: bar x=model y=tokens_per_second
-- requirements: OC-79
-- budget_ms: 250

-- The time is that of the whole answer, tools included where several steps make one message.
SELECT
    u.provider,
    u.model,
    count(*) AS messages,
    sum(coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)) AS tokens_written,
    sum(u.response_ms) AS response_ms,
    round(1000.0 * sum(coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0))
        / nullif(sum(u.response_ms), 0), 2) AS tokens_per_second
FROM message_usage u
WHERE u.response_ms > 0
  AND NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.provider, u.model
ORDER BY tokens_per_second DESC NULLS LAST, u.provider, u.model
