-- metric: sets
-- name: plimsoll_gauges_sets
-- help: Gauge sets by state: complete, incomplete, or how they ended.
-- kind: gauge
-- labels: state

SELECT w.state, coalesce(x.sets, 0) AS value
FROM (SELECT 'complete' AS state UNION ALL SELECT 'incomplete' UNION ALL SELECT 'unpaired' UNION ALL SELECT 'retired'
      UNION ALL SELECT 'returned' UNION ALL SELECT 'deleted') w
LEFT JOIN (SELECT state, count(*) AS sets FROM (
    SELECT CASE WHEN s.ended IS NOT NULL THEN s.ended WHEN m.members = 2 THEN 'complete' ELSE 'incomplete' END AS state
    FROM gauge_sets s LEFT JOIN (SELECT set_id, count(*) AS members FROM gauge_set_members WHERE until_entry IS NULL
        GROUP BY set_id) m ON m.set_id = s.set_id) y GROUP BY state) x ON x.state = w.state
ORDER BY w.state
