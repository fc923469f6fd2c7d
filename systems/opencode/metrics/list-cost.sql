-- metric: list-cost
-- name: plimsoll_opencode_list_cost_dollars
-- help: Cost of answers at list price, in US dollars; answers of unknown models are not in it.
-- kind: gauge
-- labels: provider model

SELECT provider, model, sum(list_cost) AS value FROM message_usage WHERE NOT coalesce(is_fork_copy, false) GROUP BY ALL ORDER BY ALL
