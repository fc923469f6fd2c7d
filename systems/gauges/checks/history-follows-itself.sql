-- check: history-follows-itself
-- title: Lines of history are numbered without a gap, and each holds the digest of the one before
-- severity: error
-- rule: = 0
-- hint: `plimsoll view gauges verify-history` computes every digest and names the line
-- requirements: GS-13, GS-14

SELECT (SELECT count(*) FROM gauge_history h LEFT JOIN gauge_history p ON p.entry = h.entry - 1
        WHERE h.previous <> coalesce(p.digest, ''))
     + (SELECT count(*) FROM gauge_history_head e WHERE NOT EXISTS (
        SELECT 1 FROM gauge_history h WHERE h.entry = e.entry AND h.digest = e.digest)) AS value

-- sample:
SELECT h.entry, h.at, h.actor, h.operation FROM gauge_history h LEFT JOIN gauge_history p ON p.entry = h.entry - 1
WHERE h.previous <> coalesce(p.digest, '') ORDER BY h.entry LIMIT 10
