-- view: agents-by-name
-- title: Agents by name
-- answers: What did each agent do, use and cost?
-- parameters: agent
-- shape: rows
-- chart: bar x=agent y=stored_cost
-- requirements: OC-26 OC-76
-- budget_ms: 10

SELECT
    a.name AS agent,
    a.sessions,
    a.messages,
    a.tokens,
    a.stored_cost,
    a.list_cost,
    a.tool_calls,
    a.tool_failures,
    round(100.0 * a.tool_failures / nullif(a.tool_calls, 0), 2) AS failure_percent,
    round(a.average_response_ms, 1) AS average_response_ms,
    a.first_used,
    a.last_used
FROM agents a
WHERE ($agent IS NULL OR a.name = $agent)
ORDER BY a.name
