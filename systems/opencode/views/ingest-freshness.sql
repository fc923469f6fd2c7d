-- view: ingest-freshness
-- title: Freshness
-- answers: How far behind what OpenCode wrote is what is stored?
-- parameters:
-- shape: rows
-- chart: table
-- requirements: OC-80 OC-82
-- budget_ms: 250

-- The time of change is known for files only; for a database there is the newest message.
SELECT
    d.source,
    max(r.root) AS root,
    max(r.name) AS name,
    count(*) AS documents,
    max(make_timestamp(d.modified_ns // 1000)) FILTER (WHERE r.name = '') AS newest_file,
    max(d.ingested_at) AS last_ingested,
    quantile_cont(date_diff('millisecond', make_timestamp(d.modified_ns // 1000), d.ingested_at), 0.5)
        FILTER (WHERE r.name = '') AS median_delay_ms,
    (SELECT max(coalesce(m.time_completed, m.time_created)) FROM messages m) AS newest_message
FROM plimsoll_ingest_document d
LEFT JOIN plimsoll_ingest_source r ON r.source = d.source
GROUP BY d.source
ORDER BY d.source
