-- metric: errors
-- name: plimsoll_opencode_errors
-- help: Errors of tools, commands, answers and requests.
-- kind: gauge
-- labels: category severity

SELECT category, severity, count(*) AS value FROM errors GROUP BY ALL ORDER BY ALL
