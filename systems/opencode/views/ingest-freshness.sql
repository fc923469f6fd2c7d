-- view: ingest-freshness
-- title: Freshness
-- answers: How far behind what OpenCode wrote is what is stored?
-- parameters:
-- shape: rows
-- chart: table
-- requirements: OC-80 OC-82
-- budget_ms: 250

SELECT
    d.source,
    max(r.root) AS root,
    max(r.name) AS name,
    count(*) AS documents,
    max(make_timestamp(CAST(d.modified_ns // 1000 AS BIGINT))) AS newest_document,
    max(d.ingested_at) AS last_ingested,
    quantile_cont(date_diff('millisecond', make_timestamp(CAST(d.modified_ns // 1000 AS BIGINT)), d.ingested_at), 0.5)
        AS median_delay_ms
FROM plimsoll_ingest_document d
LEFT JOIN plimsoll_ingest_source r ON r.source = d.source
GROUP BY d.source
ORDER BY d.source
