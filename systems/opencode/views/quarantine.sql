-- view: quarantine
-- title: Documents not taken
-- answers: Which documents could not be read, and why?
-- parameters: text limit
-- shape: rows
-- chart: table
-- requirements: OC-13 OC-80
-- budget_ms: 250

SELECT
    d.source,
    r.root,
    d.path,
    d.kind,
    d.generation,
    d.outcome,
    d.class,
    d.reason,
    d.size,
    d.attempts,
    d.ingested_at
FROM plimsoll_ingest_document d
LEFT JOIN plimsoll_ingest_source r ON r.source = d.source
WHERE d.outcome IN ('quarantined', 'waiting')
  AND ($text IS NULL OR contains(lower(d.path), lower($text)) OR d.class = $text)
ORDER BY d.ingested_at DESC NULLS LAST, d.source, d.path, d.document_id
LIMIT coalesce($limit, 200)
