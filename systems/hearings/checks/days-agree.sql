-- check: days-agree
-- title: Both columns of a hearing's day say the same
-- severity: error
-- rule: = 0
-- hint: the update writes both; see what wrote only one: plimsoll history hearings KEY
-- requirements: X-09

SELECT CASE WHEN count(*) > 0 THEN count(*) FILTER (
    WHERE hearing_date <> hearing_date_only OR (hearing_date IS NULL) <> (hearing_date_only IS NULL)) END AS value
FROM hearings

-- sample:
SELECT event_id, CAST(hearing_date AS text) AS hearing_date, CAST(hearing_date_only AS text) AS hearing_date_only
FROM hearings
WHERE hearing_date <> hearing_date_only OR (hearing_date IS NULL) <> (hearing_date_only IS NULL)
ORDER BY event_id LIMIT 10
