-- check: members-and-gauges-agree
-- title: A gauge says that it is in a set exactly while it is a member of it
-- severity: error
-- rule: = 0
-- hint: something other than plimsoll wrote a row; `plimsoll view gauges verify-history` names it
-- requirements: GS-04, GS-05

-- Retired, returned and deleted gauges keep the ID of their set without being members any more.
SELECT count(*) AS value FROM gauges g
LEFT JOIN gauge_set_members m ON m.serial = g.serial AND m.until_entry IS NULL
WHERE (m.set_id IS NOT NULL AND (g.set_id IS NULL OR g.set_id <> m.set_id))
   OR (m.set_id IS NULL AND g.set_id IS NOT NULL AND g.status NOT IN ('retired', 'returned', 'deleted'))

-- sample:
SELECT g.serial, g.status, g.set_id AS says, m.set_id AS member_of FROM gauges g
LEFT JOIN gauge_set_members m ON m.serial = g.serial AND m.until_entry IS NULL
WHERE (m.set_id IS NOT NULL AND (g.set_id IS NULL OR g.set_id <> m.set_id))
   OR (m.set_id IS NULL AND g.set_id IS NOT NULL AND g.status NOT IN ('retired', 'returned', 'deleted'))
ORDER BY g.serial LIMIT 10
