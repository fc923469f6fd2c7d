-- view: daily-usage
-- title: Usage from the daily aggregate
-- answers: The pre-computed figures of each day.
-- parameters: agent model from to
-- shape: rows
-- chart: line x=day y=stored_cost,messages
-- requirements: OC-53
-- budget_ms: 250

-- Counts whole days: a moment in `from` stands for its day.
SELECT
    d.day,
    sum(d.messages) AS messages,
    sum(d.fork_copies) AS fork_copies,
    sum(d.tokens_input) AS tokens_input,
    sum(d.tokens_output) AS tokens_output,
    sum(d.tokens_reasoning) AS tokens_reasoning,
    sum(d.tokens_cache_read) AS tokens_cache_read,
    sum(d.tokens_cache_write) AS tokens_cache_write,
    sum(d.stored_cost) AS stored_cost,
    sum(d.list_cost) AS list_cost,
    sum(d.unpriced_messages) AS unpriced_messages,
    sum(d.errors) AS errors,
    round(sum(d.response_ms) / nullif(sum(d.messages), 0), 1) AS average_response_ms
FROM daily_stats d
WHERE ($agent IS NULL OR d.agent = $agent)
  AND ($model IS NULL OR d.model = $model OR d.provider || '/' || d.model = $model)
  AND ($from IS NULL OR d.day >= CAST($from AS DATE))
  AND ($to IS NULL OR d.day < $to)
GROUP BY d.day
ORDER BY d.day
