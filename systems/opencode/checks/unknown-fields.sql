-- check: unknown-fields
-- title: Every field that OpenCode wrote is known
-- severity: warn
-- rule: = 0
-- hint: see view unknown-fields: the values are kept as JSON in column `extra`
-- requirements: OC-05 OC-13

SELECT CASE WHEN EXISTS (SELECT 1 FROM plimsoll_ingest_document)
    THEN (SELECT count(DISTINCT u.place) FROM plimsoll_ingest_unknown u) END AS value

-- sample:
SELECT u.place, sum(u.occurrences) AS occurrences
FROM plimsoll_ingest_unknown u
GROUP BY u.place
ORDER BY occurrences DESC, u.place
LIMIT 10
