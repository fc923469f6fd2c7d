-- metric: response-seconds
-- name: plimsoll_opencode_response_seconds
-- help: How long answers take, in seconds, by percentile.
-- kind: gauge
-- labels: percentile

SELECT percentile, quantile_cont(response_ms, [0.5, 0.95, 0.99])[position] / 1000.0 AS value
FROM message_usage, (VALUES (50, 1), (95, 2), (99, 3)) AS wanted (percentile, position)
WHERE response_ms IS NOT NULL AND error_name IS NULL AND NOT coalesce(is_fork_copy, false)
GROUP BY percentile, position
ORDER BY percentile
