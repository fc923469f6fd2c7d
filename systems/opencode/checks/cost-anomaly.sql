-- check: cost-anomaly
-- title: No cost is negative, and no recent day cost far more than usual
-- severity: error
-- rule: = 0
-- hint: look at view cost-by-session for the day in the sample
-- requirements: OC-71

-- Far more: above 1 US dollar and above five times the mean of up to 28 earlier days with use; 7 of these must be
-- there. Recent: the last 7 days that there are figures for. A day's cost is what was stored, or else the list price.
WITH days AS (
    SELECT u.day AS day, coalesce(sum(coalesce(nullif(u.stored_cost, 0), u.list_cost)), 0) AS amount
    FROM message_usage u
    WHERE NOT u.is_fork_copy AND u.day IS NOT NULL
    GROUP BY u.day
),
compared AS (
    SELECT
        d.day,
        d.amount,
        avg(d.amount) OVER earlier AS usual,
        count(*) OVER earlier AS earlier_days,
        max(d.day) OVER () AS last_day
    FROM days d
    WINDOW earlier AS (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
),
anomalies AS (
    SELECT 'spike' AS kind, CAST(c.day AS VARCHAR) AS place, c.amount AS amount, c.usual AS usual
    FROM compared c
    WHERE c.day > c.last_day - 7 AND c.earlier_days >= 7 AND c.amount > 5 * c.usual AND c.amount > 1
    UNION ALL
    SELECT 'negative', u.message_id, least(u.stored_cost, u.list_cost), NULL
    FROM message_usage u
    WHERE u.stored_cost < 0 OR u.list_cost < 0
)
SELECT CASE WHEN EXISTS (SELECT 1 FROM message_usage) THEN count(*) END AS value
FROM anomalies

-- sample:
WITH days AS (
    SELECT u.day AS day, coalesce(sum(coalesce(nullif(u.stored_cost, 0), u.list_cost)), 0) AS amount
    FROM message_usage u
    WHERE NOT u.is_fork_copy AND u.day IS NOT NULL
    GROUP BY u.day
),
compared AS (
    SELECT
        d.day,
        d.amount,
        avg(d.amount) OVER earlier AS usual,
        count(*) OVER earlier AS earlier_days,
        max(d.day) OVER () AS last_day
    FROM days d
    WINDOW earlier AS (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
),
anomalies AS (
    SELECT 'spike' AS kind, CAST(c.day AS VARCHAR) AS place, c.amount AS amount, c.usual AS usual
    FROM compared c
    WHERE c.day > c.last_day - 7 AND c.earlier_days >= 7 AND c.amount > 5 * c.usual AND c.amount > 1
    UNION ALL
    SELECT 'negative', u.message_id, least(u.stored_cost, u.list_cost), NULL
    FROM message_usage u
    WHERE u.stored_cost < 0 OR u.list_cost < 0
)
SELECT kind, place, amount, round(usual, 4) AS usual
FROM anomalies
ORDER BY kind, place
LIMIT 10
