-- metric: recent-cost
-- name: plimsoll_opencode_recent_cost_dollars
-- help: Stored cost of the last days up to the newest day with use, in US dollars.
-- kind: gauge
-- labels: days

SELECT days, coalesce(sum(stored_cost) FILTER (day > last_day - days), 0) AS value
FROM daily_stats, (SELECT max(day) AS last_day FROM daily_stats), (VALUES (1), (7), (30)) AS spans (days)
GROUP BY ALL
ORDER BY ALL
