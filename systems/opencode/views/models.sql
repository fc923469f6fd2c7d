-- view: models
-- title: Models
-- answers: What is known about each model that was used?
-- parameters: model
-- shape: rows
-- chart: bar x=model y=messages
-- requirements: OC-25 OC-51
-- budget_ms: 250

SELECT
    m.provider,
    m.model,
    m.vendor,
    m.sessions,
    m.messages,
    m.tokens_input,
    m.tokens_output,
    m.tokens_reasoning,
    m.tokens_cache_read,
    m.tokens_cache_write,
    m.stored_cost,
    m.list_cost,
    m.has_price,
    round(m.average_response_ms, 1) AS average_response_ms,
    round(m.output_per_second, 2) AS output_per_second,
    m.errors,
    m.first_used,
    m.last_used
FROM models m
WHERE ($model IS NULL OR m.model = $model OR m.provider || '/' || m.model = $model)
ORDER BY m.provider, m.model
