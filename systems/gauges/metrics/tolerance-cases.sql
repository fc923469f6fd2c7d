-- metric: tolerance-cases
-- name: plimsoll_gauges_tolerance_cases
-- help: Out-of-tolerance cases by where they stand: open, disposed, notified, closed.
-- kind: gauge
-- labels: state

SELECT w.state, (SELECT count(*) FROM gauge_tolerance_cases c WHERE c.state = w.state) AS value
FROM (SELECT 'open' AS state UNION ALL SELECT 'disposed' UNION ALL SELECT 'notified' UNION ALL SELECT 'closed') w
ORDER BY w.state
