-- metric: total-cost
-- name: plimsoll_opencode_total_cost_dollars
-- help: Cost of all answers as OpenCode stored it, in US dollars.
-- kind: gauge
-- labels:

SELECT coalesce(sum(stored_cost), 0) AS value FROM message_usage WHERE NOT coalesce(is_fork_copy, false)
