-- metric: cost
-- name: plimsoll_opencode_cost_dollars
-- help: Cost of answers as OpenCode stored it, in US dollars.
-- kind: gauge
-- labels: provider model

SELECT provider, model, sum(stored_cost) AS value FROM message_usage WHERE NOT coalesce(is_fork_copy, false) GROUP BY ALL ORDER BY ALL
