-- check: root-tokens
-- title: Sessions with a finished answer have tokens
-- severity: error
-- rule: > 95 percent
-- hint: see whether the provider reports usage; sessions that it reports nothing for are in the sample
-- requirements: OC-15 OC-16 OC-68

-- Sessions in which no answer was finished, or only copies are, cannot have tokens and are not counted.
WITH answered AS (
    SELECT u.session_id
    FROM message_usage u
    WHERE NOT u.is_fork_copy AND u.error_name IS NULL AND u.time_completed IS NOT NULL
    GROUP BY u.session_id
)
SELECT 100.0 * count(*) FILTER (WHERE m.root_tokens > 0) / nullif(count(*), 0) AS value
FROM answered a
LEFT JOIN session_resource_metrics m ON m.session_id = a.session_id

-- sample:
WITH answered AS (
    SELECT u.session_id
    FROM message_usage u
    WHERE NOT u.is_fork_copy AND u.error_name IS NULL AND u.time_completed IS NOT NULL
    GROUP BY u.session_id
)
SELECT a.session_id, m.title, m.root_tokens
FROM answered a
LEFT JOIN session_resource_metrics m ON m.session_id = a.session_id
WHERE coalesce(m.root_tokens, 0) <= 0
ORDER BY a.session_id
LIMIT 10
