-- metric: operations
-- name: plimsoll_gauges_operations_total
-- help: Operations on gauges and sets that were done, as the history tells; what was refused is in the answers of the server.
-- kind: counter
-- labels: operation

SELECT operation, count(*) AS value FROM gauge_history GROUP BY operation ORDER BY operation
