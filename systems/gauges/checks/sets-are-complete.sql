-- check: sets-are-complete
-- title: No set has a vacant place
-- severity: warn
-- rule: = 0
-- hint: `plimsoll view gauges incomplete` lists them, `.. candidates --option set=ID` the spares that fit
-- requirements: GS-10, GS-12

SELECT count(*) AS value FROM gauge_sets s WHERE s.ended IS NULL
  AND (SELECT count(*) FROM gauge_set_members m WHERE m.set_id = s.set_id AND m.until_entry IS NULL) < 2

-- sample:
SELECT s.set_id, s.created_at FROM gauge_sets s WHERE s.ended IS NULL
  AND (SELECT count(*) FROM gauge_set_members m WHERE m.set_id = s.set_id AND m.until_entry IS NULL) < 2
ORDER BY s.set_id LIMIT 10
