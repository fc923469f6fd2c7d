-- check: dates-fit-their-congress
-- title: A hearing lies within the two years of its congress
-- severity: error
-- rule: = 0
-- hint: see which run wrote the date: plimsoll history hearings KEY
-- requirements: X-09

-- The congress numbered n sits from January 3 of year 1787 + 2 n for two years.
SELECT CASE WHEN count(hearing_date) > 0 THEN count(*) FILTER (
    WHERE CAST(substr(CAST(hearing_date AS text), 1, 4) AS integer)
        NOT BETWEEN 1787 + 2 * congress AND 1789 + 2 * congress) END AS value
FROM hearings
WHERE hearing_date IS NOT NULL

-- sample:
SELECT event_id, congress, CAST(hearing_date AS text) AS hearing_date FROM hearings
WHERE CAST(substr(CAST(hearing_date AS text), 1, 4) AS integer)
    NOT BETWEEN 1787 + 2 * congress AND 1789 + 2 * congress
ORDER BY event_id LIMIT 10
