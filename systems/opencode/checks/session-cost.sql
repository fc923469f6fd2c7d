-- check: session-cost
-- title: Sessions that used tokens have a cost
-- severity: error
-- rule: > 95 percent
-- hint: add prices for the models of view unknown-models: plimsoll prices update --from FILE
-- requirements: OC-46 OC-49 OC-68

-- A cost is known when it was stored and is not 0, or when there is a price. A stored 0 alone says nothing: it is what
-- a subscription leaves, and what OpenCode writes for a model without a price.
WITH used AS (
    SELECT u.session_id, bool_and(u.stored_cost > 0 OR u.list_cost IS NOT NULL) AS is_known
    FROM message_usage u
    WHERE NOT u.is_fork_copy
      AND coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0) > 0
    GROUP BY u.session_id
)
SELECT 100.0 * count(*) FILTER (WHERE is_known) / nullif(count(*), 0) AS value
FROM used

-- sample:
WITH used AS (
    SELECT u.session_id, bool_and(u.stored_cost > 0 OR u.list_cost IS NOT NULL) AS is_known
    FROM message_usage u
    WHERE NOT u.is_fork_copy
      AND coalesce(u.tokens_input, 0) + coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)
        + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0) > 0
    GROUP BY u.session_id
)
SELECT n.session_id, u.provider, u.model, count(*) AS unknown_answers
FROM used n
JOIN message_usage u ON u.session_id = n.session_id
WHERE NOT n.is_known AND NOT u.is_fork_copy AND u.list_cost IS NULL AND coalesce(u.stored_cost, 0) = 0
GROUP BY n.session_id, u.provider, u.model
ORDER BY unknown_answers DESC, n.session_id, u.provider, u.model
LIMIT 10
