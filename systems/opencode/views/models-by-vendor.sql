-- view: models-by-vendor
-- title: Models by vendor
-- answers: Whose models are used?
-- parameters:
-- shape: rows
-- chart: pie label=vendor value=messages
-- requirements: OC-25
-- budget_ms: 250

SELECT
    m.vendor,
    count(*) AS models,
    sum(m.messages) AS messages,
    sum(m.stored_cost) AS stored_cost,
    sum(m.list_cost) AS list_cost
FROM models m
GROUP BY m.vendor
ORDER BY messages DESC, m.vendor
