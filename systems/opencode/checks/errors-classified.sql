-- check: errors-classified
-- title: Errors have a category and a severity
-- severity: error
-- rule: > 95 percent
-- hint: add a rule for the texts in the sample
-- requirements: OC-34 OC-35 OC-68

SELECT
    100.0 * count(*) FILTER (WHERE e.category <> 'unknown' AND e.severity IS NOT NULL) / nullif(count(*), 0) AS value
FROM errors e

-- sample:
SELECT e.origin, e.error_name, left(e.text, 100) AS text, count(*) AS errors
FROM errors e
WHERE coalesce(e.category, 'unknown') = 'unknown' OR e.severity IS NULL
GROUP BY e.origin, e.error_name, left(e.text, 100)
ORDER BY errors DESC, e.origin, e.error_name, text
LIMIT 10
