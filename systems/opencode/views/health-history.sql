-- view: health-history
-- title: History of checks
-- answers: How do the results of checks develop from run to run?
-- parameters: from to limit
-- shape: rows
-- chart: line x=checked_at y=passed,failed
-- requirements: OC-72 OC-75
-- budget_ms: 250

SELECT
    h.run_id,
    min(h.checked_at) AS checked_at,
    count(*) AS checks,
    count(*) FILTER (WHERE h.verdict IN ('pass', 'warn')) AS passed,
    count(*) FILTER (WHERE h.verdict IN ('fail', 'error')) AS failed,
    count(*) FILTER (WHERE h.verdict = 'unknown') AS unknown,
    sum(h.duration_ms) AS duration_ms
FROM health_check_history h
WHERE ($from IS NULL OR h.checked_at >= $from)
  AND ($to IS NULL OR h.checked_at < $to)
GROUP BY h.run_id
ORDER BY checked_at DESC, h.run_id
LIMIT coalesce($limit, 100)
