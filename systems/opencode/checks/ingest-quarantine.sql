-- check: ingest-quarantine
-- title: Every document could be read
-- severity: warn
-- rule: = 0
-- hint: see view quarantine; a file that was only half written is read again when it changes
-- requirements: OC-13 OC-82

SELECT CASE WHEN EXISTS (SELECT 1 FROM plimsoll_ingest_document)
    THEN count(*) FILTER (WHERE d.outcome = 'quarantined') END AS value
FROM plimsoll_ingest_document d

-- sample:
SELECT d.path, d.kind, d.class, d.reason
FROM plimsoll_ingest_document d
WHERE d.outcome = 'quarantined'
ORDER BY d.path, d.document_id
LIMIT 10
