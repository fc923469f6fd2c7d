-- view: time-sources
-- title: Where moments come from
-- answers: How many moments were recorded, and how many decoded from an identifier?
-- parameters:
-- shape: rows
-- chart: bar x=time_source y=rows series=table_name
-- requirements: OC-13 OC-80
-- budget_ms: 250

SELECT 'messages' AS table_name, m.generation, m.time_source, count(*) AS rows
FROM messages m
GROUP BY m.generation, m.time_source
UNION ALL
SELECT 'parts', p.generation, p.time_source, count(*)
FROM parts p
GROUP BY p.generation, p.time_source
ORDER BY table_name, generation, time_source
