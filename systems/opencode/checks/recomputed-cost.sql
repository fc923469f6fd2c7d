-- check: recomputed-cost
-- title: The stored cost agrees with the prices
-- severity: warn
-- rule: <= 5 percent
-- hint: see view cost-comparison: a price has changed, or a version counts tokens in another way
-- requirements: OC-45 OC-50

-- Over answers that were paid for and have a price; a stored 0 is a subscription and says nothing about prices.
SELECT 100.0 * abs(sum(u.stored_cost) - sum(u.recomputed_cost)) / nullif(sum(u.recomputed_cost), 0) AS value
FROM message_usage u
WHERE NOT u.is_fork_copy AND u.stored_cost > 0 AND u.recomputed_cost IS NOT NULL

-- sample:
SELECT
    u.provider,
    u.model,
    u.token_rule,
    count(*) AS messages,
    sum(u.stored_cost) AS stored_cost,
    sum(u.recomputed_cost) AS recomputed_cost
FROM message_usage u
WHERE NOT u.is_fork_copy AND u.stored_cost > 0 AND u.recomputed_cost IS NOT NULL
GROUP BY u.provider, u.model, u.token_rule
ORDER BY abs(sum(u.stored_cost) - sum(u.recomputed_cost)) DESC, u.provider, u.model, u.token_rule
LIMIT 10
