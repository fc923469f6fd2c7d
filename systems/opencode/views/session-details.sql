-- view: session-details
-- title: One session
-- answers: What happened in one session? Without `session`: the one changed last.
-- parameters: session
-- shape: object
-- requirements: OC-76 OC-97
-- budget_ms: 150

SELECT
    s.id AS session_id,
    s.title,
    s.project_id,
    m.root_path,
    s.directory,
    s.version,
    s.parent_id,
    s.time_created,
    s.time_updated,
    t.status,
    t.depth,
    t.descendants,
    m.messages,
    m.user_messages,
    m.exchanges,
    m.tool_calls,
    m.tool_failures,
    m.errors,
    m.fork_copies,
    m.tokens_input AS "tokens.input",
    m.tokens_output AS "tokens.output",
    m.tokens_reasoning AS "tokens.reasoning",
    m.tokens_cache_read AS "tokens.cache_read",
    m.tokens_cache_write AS "tokens.cache_write",
    m.stored_cost AS "cost.stored",
    m.list_cost AS "cost.list",
    t.total_stored_cost AS "cost.stored_with_sessions_below",
    round(m.average_response_ms, 1) AS average_response_ms,
    m.execution_ms,
    s.summary_additions AS "changes.additions",
    s.summary_deletions AS "changes.deletions",
    s.summary_files AS "changes.files"
FROM sessions s
LEFT JOIN session_resource_metrics m ON m.session_id = s.id
LEFT JOIN session_traces t ON t.session_id = s.id
WHERE s.id = coalesce($session,
    (SELECT l.id FROM sessions l ORDER BY l.time_updated DESC NULLS LAST, l.id DESC LIMIT 1));

-- section: models
SELECT
    u.provider,
    u.model,
    count(*) AS messages,
    coalesce(sum(u.stored_cost), 0) AS stored_cost,
    sum(u.list_cost) AS list_cost
FROM message_usage u
WHERE u.session_id = coalesce($session,
    (SELECT l.id FROM sessions l ORDER BY l.time_updated DESC NULLS LAST, l.id DESC LIMIT 1))
  AND NOT coalesce(u.is_fork_copy, false)
GROUP BY u.provider, u.model
ORDER BY messages DESC, u.provider, u.model;

-- section: tools
SELECT
    t.tool_name,
    count(*) AS calls,
    count(*) FILTER (WHERE t.is_failure) AS failures,
    coalesce(sum(t.execution_time_ms), 0) AS execution_ms
FROM tool_calls t
WHERE t.session_id = coalesce($session,
    (SELECT l.id FROM sessions l ORDER BY l.time_updated DESC NULLS LAST, l.id DESC LIMIT 1))
GROUP BY t.tool_name
ORDER BY calls DESC, t.tool_name;

-- section: exchanges
SELECT
    x.id AS exchange_id,
    x.exchange_number,
    left(x.prompt_input, 120) AS prompt,
    x.agent,
    x.model,
    x.time_start,
    x.duration_ms,
    x.tool_calls,
    x.tool_failures,
    x.stored_cost
FROM exchanges x
WHERE x.session_id = coalesce($session,
    (SELECT l.id FROM sessions l ORDER BY l.time_updated DESC NULLS LAST, l.id DESC LIMIT 1))
ORDER BY x.exchange_number, x.id;

-- section: errors
SELECT e.id AS error_id, e.time_created, e.category, e.severity, e.tool_name, left(e.text, 160) AS text
FROM errors e
WHERE e.session_id = coalesce($session,
    (SELECT l.id FROM sessions l ORDER BY l.time_updated DESC NULLS LAST, l.id DESC LIMIT 1))
ORDER BY e.time_created, e.id;
