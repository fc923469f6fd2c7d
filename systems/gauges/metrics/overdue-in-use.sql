-- metric: overdue-in-use
-- name: plimsoll_gauges_overdue_in_use
-- help: Overdue gauges that somebody has.
-- kind: gauge
-- labels:

SELECT count(*) AS value FROM gauge_checkouts c JOIN gauges g ON g.serial = c.serial
WHERE c.returned_entry IS NULL AND NOT g.sealed AND g.due_on < '{today}'
