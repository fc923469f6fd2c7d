-- check: ids-are-in-the-ledger
-- title: Every set has its ID in the ledger of IDs that were given out
-- severity: error
-- rule: = 0
-- hint: an ID that is not in the ledger can be given out again; restore the row from a backup
-- requirements: GS-01, GS-02

SELECT count(*) AS value FROM gauge_sets s
WHERE NOT EXISTS (SELECT 1 FROM gauge_set_ids i WHERE i.set_id = s.set_id)

-- sample:
SELECT s.set_id, s.created_at FROM gauge_sets s
WHERE NOT EXISTS (SELECT 1 FROM gauge_set_ids i WHERE i.set_id = s.set_id)
ORDER BY s.set_id LIMIT 10
