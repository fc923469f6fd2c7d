-- view: health-checks
-- title: Health checks
-- answers: How did each check end last time, and how often had it failed before?
-- parameters:
-- shape: rows
-- chart: table
-- requirements: OC-72 OC-75
-- budget_ms: 250

SELECT
    h.check_name,
    arg_max(h.verdict, (h.checked_at, h.run_id)) AS verdict,
    arg_max(h.value, (h.checked_at, h.run_id)) AS value,
    arg_max(h.threshold, (h.checked_at, h.run_id)) AS threshold,
    max(h.checked_at) AS checked_at,
    count(*) AS runs,
    count(*) FILTER (WHERE h.verdict IN ('fail', 'error')) AS failures,
    max(h.checked_at) FILTER (WHERE h.verdict IN ('fail', 'error')) AS last_failure
FROM health_check_history h
GROUP BY h.check_name
ORDER BY CASE arg_max(h.verdict, (h.checked_at, h.run_id)) WHEN 'error' THEN 0 WHEN 'fail' THEN 0
        WHEN 'unknown' THEN 1 WHEN 'warn' THEN 2 ELSE 3 END,
    h.check_name
