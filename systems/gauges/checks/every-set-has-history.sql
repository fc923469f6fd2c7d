-- check: every-set-has-history
-- title: Every set has a line of history, and none was brought in twice
-- severity: error
-- rule: = 0
-- hint: run the backfill for sets that existed before: plimsoll run gauges backfill --source FILE
-- requirements: GS-13, GS-26, GS-27

SELECT (SELECT count(*) FROM gauge_sets s WHERE NOT EXISTS (
        SELECT 1 FROM gauge_history_subjects h WHERE h.subject = 'set:' || s.set_id))
     + (SELECT count(*) FROM (SELECT set_id FROM gauge_history WHERE operation = 'bring-in-set'
        GROUP BY set_id HAVING count(*) > 1) twice) AS value

-- sample:
SELECT s.set_id, s.created_at FROM gauge_sets s
WHERE NOT EXISTS (SELECT 1 FROM gauge_history_subjects h WHERE h.subject = 'set:' || s.set_id)
ORDER BY s.set_id LIMIT 10
