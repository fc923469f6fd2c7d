-- check: token-anomaly
-- title: No count of tokens is impossible, and no recent day used far more than usual
-- severity: error
-- rule: = 0
-- hint: look at view cost-by-message for the day or message in the sample
-- requirements: OC-71

-- Impossible: negative, or more than 10 million for one request. Far more: above a million and above five times the
-- mean of up to 28 earlier days with use; 7 of these must be there. Recent: the last 7 days that there are figures for.
WITH days AS (
    SELECT u.day AS day, sum(coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
            + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0)) AS amount
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
    WHERE c.day > c.last_day - 7 AND c.earlier_days >= 7 AND c.amount > 5 * c.usual AND c.amount > 1000000
    UNION ALL
    SELECT 'negative', u.message_id, least(u.tokens_input, u.tokens_output, u.tokens_reasoning,
        u.tokens_cache_read, u.tokens_cache_write), NULL
    FROM message_usage u
    WHERE least(u.tokens_input, u.tokens_output, u.tokens_reasoning, u.tokens_cache_read, u.tokens_cache_write) < 0
    UNION ALL
    SELECT 'too large', u.message_id, coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0), NULL
    FROM message_usage u
    WHERE coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0)
        > 10000000 * greatest(u.steps, 1)
)
SELECT CASE WHEN EXISTS (SELECT 1 FROM message_usage) THEN count(*) END AS value
FROM anomalies

-- sample:
WITH days AS (
    SELECT u.day AS day, sum(coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
            + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0)) AS amount
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
    WHERE c.day > c.last_day - 7 AND c.earlier_days >= 7 AND c.amount > 5 * c.usual AND c.amount > 1000000
    UNION ALL
    SELECT 'negative', u.message_id, least(u.tokens_input, u.tokens_output, u.tokens_reasoning,
        u.tokens_cache_read, u.tokens_cache_write), NULL
    FROM message_usage u
    WHERE least(u.tokens_input, u.tokens_output, u.tokens_reasoning, u.tokens_cache_read, u.tokens_cache_write) < 0
    UNION ALL
    SELECT 'too large', u.message_id, coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0), NULL
    FROM message_usage u
    WHERE coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0)
        > 10000000 * greatest(u.steps, 1)
)
SELECT kind, place, amount, round(usual, 4) AS usual
FROM anomalies
ORDER BY kind, place
LIMIT 10
