-- metric: gauges
-- name: plimsoll_gauges_gauges
-- help: Gauges by status.
-- kind: gauge
-- labels: status

SELECT status, count(*) AS value FROM gauges GROUP BY status ORDER BY status
