-- check: error-rate-anomaly
-- title: No recent day failed far more often than usual
-- severity: error
-- rule: = 0
-- hint: look at view error-list for the day in the sample
-- requirements: OC-71

-- Counted are answers and calls of tools. A burst: a day with at least 20 of them, of which more than a fifth failed,
-- and more than three times the share of up to 28 earlier days with use; 7 of these must be there. Recent: the last
-- 7 days that there are figures for.
WITH events AS (
    SELECT u.day AS day, 1 AS events, CAST(u.error_name IS NOT NULL AS INTEGER) AS failures
    FROM message_usage u
    WHERE NOT u.is_fork_copy AND u.day IS NOT NULL
    UNION ALL
    SELECT u.day, 1, CAST(t.is_failure AND NOT coalesce(t.is_aborted, false) AS INTEGER)
    FROM tool_calls t
    JOIN message_usage u ON u.message_id = t.message_id
    WHERE NOT u.is_fork_copy AND u.day IS NOT NULL
),
days AS (
    SELECT day, sum(events) AS events, sum(failures) AS failures FROM events GROUP BY day
),
compared AS (
    SELECT
        d.day,
        d.events,
        d.failures,
        sum(d.events) OVER earlier AS usual_events,
        sum(d.failures) OVER earlier AS usual_failures,
        count(*) OVER earlier AS earlier_days,
        max(d.day) OVER () AS last_day
    FROM days d
    WINDOW earlier AS (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
),
bursts AS (
    SELECT c.*
    FROM compared c
    WHERE c.day > c.last_day - 7
      AND c.events >= 20
      AND c.earlier_days >= 7
      AND 5 * c.failures > c.events
      AND c.failures * c.usual_events > 3 * c.usual_failures * c.events
)
SELECT CASE WHEN EXISTS (SELECT 1 FROM message_usage) THEN count(*) END AS value
FROM bursts

-- sample:
WITH events AS (
    SELECT u.day AS day, 1 AS events, CAST(u.error_name IS NOT NULL AS INTEGER) AS failures
    FROM message_usage u
    WHERE NOT u.is_fork_copy AND u.day IS NOT NULL
    UNION ALL
    SELECT u.day, 1, CAST(t.is_failure AND NOT coalesce(t.is_aborted, false) AS INTEGER)
    FROM tool_calls t
    JOIN message_usage u ON u.message_id = t.message_id
    WHERE NOT u.is_fork_copy AND u.day IS NOT NULL
),
days AS (
    SELECT day, sum(events) AS events, sum(failures) AS failures FROM events GROUP BY day
),
compared AS (
    SELECT
        d.day,
        d.events,
        d.failures,
        sum(d.events) OVER earlier AS usual_events,
        sum(d.failures) OVER earlier AS usual_failures,
        count(*) OVER earlier AS earlier_days,
        max(d.day) OVER () AS last_day
    FROM days d
    WINDOW earlier AS (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
),
bursts AS (
    SELECT c.*
    FROM compared c
    WHERE c.day > c.last_day - 7
      AND c.events >= 20
      AND c.earlier_days >= 7
      AND 5 * c.failures > c.events
      AND c.failures * c.usual_events > 3 * c.usual_failures * c.events
)
SELECT
    day,
    events,
    failures,
    round(100.0 * failures / events, 2) AS percent,
    round(100.0 * usual_failures / usual_events, 2) AS usual_percent
FROM bursts
ORDER BY day
LIMIT 10
