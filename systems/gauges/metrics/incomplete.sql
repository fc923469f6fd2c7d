-- metric: incomplete
-- name: plimsoll_gauges_incomplete_sets
-- help: Sets with a vacant place, by how many days it has been vacant for at least.
-- kind: gauge
-- labels: vacant_days

SELECT w.vacant_days, (SELECT count(*) FROM gauge_sets s WHERE s.ended IS NULL
    AND (SELECT count(*) FROM gauge_set_members m WHERE m.set_id = s.set_id AND m.until_entry IS NULL) < 2
    AND coalesce((SELECT max(m.until_at) FROM gauge_set_members m WHERE m.set_id = s.set_id), s.created_at) < w.latest) AS value
FROM (SELECT '0' AS vacant_days, '9' AS latest UNION ALL SELECT '7', '{today-6}') w
ORDER BY w.vacant_days
