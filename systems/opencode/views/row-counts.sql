-- view: row-counts
-- title: Rows by table
-- answers: How much is stored?
-- parameters:
-- shape: rows
-- chart: bar x=table_name y=rows
-- requirements: OC-01 OC-18 OC-20 OC-92
-- budget_ms: 250

SELECT 'agent_mentions' AS table_name, count(*) AS rows FROM agent_mentions
UNION ALL
SELECT 'agents', count(*) FROM agents
UNION ALL
SELECT 'attachments', count(*) FROM attachments
UNION ALL
SELECT 'compactions', count(*) FROM compactions
UNION ALL
SELECT 'daily_stats', count(*) FROM daily_stats
UNION ALL
SELECT 'errors', count(*) FROM errors
UNION ALL
SELECT 'exchange_traces', count(*) FROM exchange_traces
UNION ALL
SELECT 'exchanges', count(*) FROM exchanges
UNION ALL
SELECT 'file_operations', count(*) FROM file_operations
UNION ALL
SELECT 'git_facts', count(*) FROM git_facts
UNION ALL
SELECT 'message_places', count(*) FROM message_places
UNION ALL
SELECT 'message_usage', count(*) FROM message_usage
UNION ALL
SELECT 'messages', count(*) FROM messages
UNION ALL
SELECT 'model_pricing', count(*) FROM model_pricing
UNION ALL
SELECT 'models', count(*) FROM models
UNION ALL
SELECT 'parts', count(*) FROM parts
UNION ALL
SELECT 'patches', count(*) FROM patches
UNION ALL
SELECT 'projects', count(*) FROM projects
UNION ALL
SELECT 'retries', count(*) FROM retries
UNION ALL
SELECT 'security_findings', count(*) FROM security_findings
UNION ALL
SELECT 'session_diffs', count(*) FROM session_diffs
UNION ALL
SELECT 'session_resource_metrics', count(*) FROM session_resource_metrics
UNION ALL
SELECT 'session_traces', count(*) FROM session_traces
UNION ALL
SELECT 'sessions', count(*) FROM sessions
UNION ALL
SELECT 'snapshots', count(*) FROM snapshots
UNION ALL
SELECT 'step_events', count(*) FROM step_events
UNION ALL
SELECT 'subtasks', count(*) FROM subtasks
UNION ALL
SELECT 'text_messages', count(*) FROM text_messages
UNION ALL
SELECT 'thinking_blocks', count(*) FROM thinking_blocks
UNION ALL
SELECT 'todos', count(*) FROM todos
UNION ALL
SELECT 'tool_calls', count(*) FROM tool_calls
UNION ALL
SELECT 'tools', count(*) FROM tools
ORDER BY table_name
