-- view: opencode-stats
-- title: Totals as OpenCode counts them
-- answers: What would `opencode stats` say? Every message with its own figures; copies made by forks count too.
-- parameters:
-- shape: object
-- requirements: OC-49
-- budget_ms: 250

-- Messages without a session are not counted, as OpenCode walks from session to message. A model's output includes
-- its reasoning and the total output does not: both are OpenCode's way.
SELECT
    (SELECT count(*) FROM sessions) AS sessions,
    count(*) FILTER (WHERE m.role IN ('user', 'assistant')) AS messages,
    coalesce(sum(m.stored_cost) FILTER (WHERE m.role = 'assistant'), 0) AS total_cost,
    coalesce(sum(m.tokens_input) FILTER (WHERE m.role = 'assistant'), 0) AS "tokens.input",
    coalesce(sum(m.tokens_output) FILTER (WHERE m.role = 'assistant'), 0) AS "tokens.output",
    coalesce(sum(m.tokens_cache_read) FILTER (WHERE m.role = 'assistant'), 0) AS "tokens.cache_read",
    coalesce(sum(m.tokens_cache_write) FILTER (WHERE m.role = 'assistant'), 0) AS "tokens.cache_write"
FROM messages m
WHERE m.session_id IN (SELECT id FROM sessions);

-- section: models
SELECT
    m.provider AS provider,
    m.model AS model,
    count(*) AS messages,
    coalesce(sum(m.stored_cost), 0) AS cost,
    coalesce(sum(m.tokens_input), 0) AS tokens_input,
    coalesce(sum(m.tokens_output), 0) + coalesce(sum(m.tokens_reasoning), 0) AS tokens_output,
    coalesce(sum(m.tokens_reasoning), 0) AS tokens_reasoning,
    coalesce(sum(m.tokens_cache_read), 0) AS cache_read,
    coalesce(sum(m.tokens_cache_write), 0) AS cache_write
FROM messages m
WHERE m.role = 'assistant' AND m.session_id IN (SELECT id FROM sessions)
GROUP BY m.provider, m.model
ORDER BY messages DESC, provider, model;

-- section: tools
SELECT t.tool AS tool, count(*) AS calls
FROM tool_calls t
WHERE t.message_id IN (SELECT m.id FROM messages m WHERE m.session_id IN (SELECT id FROM sessions))
GROUP BY t.tool
ORDER BY calls DESC, tool;
