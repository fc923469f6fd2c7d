-- view: unknown-fields
-- title: Unknown fields
-- answers: Which fields did OpenCode write that are kept only as JSON?
-- parameters: limit
-- shape: rows
-- chart: bar x=place y=occurrences
-- requirements: OC-05 OC-13
-- budget_ms: 250

SELECT u.place, sum(u.occurrences) AS occurrences
FROM plimsoll_ingest_unknown u
GROUP BY u.place
ORDER BY occurrences DESC, u.place
LIMIT coalesce($limit, 500)
