-- metric: calibrations-due
-- name: plimsoll_gauges_calibrations_due
-- help: Gauges in use whose calibration is overdue, or falls due within 0, 7, 14 or 30 days.
-- kind: gauge
-- labels: within_days

SELECT w.within_days, (SELECT count(*) FROM gauges g WHERE NOT g.sealed AND g.due_on >= w.first AND g.due_on <= w.last
    AND g.status NOT IN ('retired', 'returned', 'deleted', 'lost')) AS value
FROM (SELECT 'overdue' AS within_days, '0' AS first, '{today-1}' AS last UNION ALL SELECT '0', '{today}', '{today}'
      UNION ALL SELECT '7', '{today}', '{today+7}' UNION ALL SELECT '14', '{today}', '{today+14}'
      UNION ALL SELECT '30', '{today}', '{today+30}') w
ORDER BY w.within_days
