-- metric: tokens
-- name: plimsoll_opencode_tokens
-- help: Tokens of answers by kind; the kinds do not overlap.
-- kind: gauge
-- labels: model kind

SELECT model, kind, sum(tokens) AS value
FROM (
    SELECT
        model,
        unnest(['input', 'output', 'reasoning', 'cache_read', 'cache_write']) AS kind,
        unnest([tokens_input, tokens_output, tokens_reasoning, tokens_cache_read, tokens_cache_write]) AS tokens
    FROM message_usage
    WHERE NOT coalesce(is_fork_copy, false)
)
GROUP BY ALL
ORDER BY ALL
