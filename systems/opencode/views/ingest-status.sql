-- view: ingest-status
-- title: State of the ingest
-- answers: How many documents of each kind and generation were read, and what became of them?
-- parameters:
-- shape: rows
-- chart: table
-- requirements: OC-01 OC-14 OC-82
-- budget_ms: 250

SELECT
    d.source,
    max(r.root) AS root,
    max(r.name) AS name,
    d.generation,
    d.kind,
    count(*) FILTER (WHERE d.outcome = 'stored') AS stored,
    count(*) FILTER (WHERE d.outcome = 'superseded') AS superseded,
    count(*) FILTER (WHERE d.outcome = 'quarantined') AS quarantined,
    count(*) FILTER (WHERE d.outcome = 'waiting') AS waiting,
    coalesce(sum(d.size), 0) AS bytes,
    max(d.ingested_at) AS last_ingested
FROM plimsoll_ingest_document d
LEFT JOIN plimsoll_ingest_source r ON r.source = d.source
GROUP BY d.source, d.generation, d.kind
ORDER BY d.source, d.generation, d.kind
