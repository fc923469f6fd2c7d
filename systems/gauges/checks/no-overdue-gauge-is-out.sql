-- check: no-overdue-gauge-is-out
-- title: Nobody has a gauge whose calibration has run out
-- severity: error
-- rule: = 0
-- hint: `plimsoll view gauges overdue` says who has it; ask for it back, it is not to be used
-- requirements: GS-12

SELECT count(*) AS value FROM gauge_checkouts c JOIN gauges g ON g.serial = c.serial
WHERE c.returned_entry IS NULL AND NOT g.sealed AND g.due_on < CAST(CURRENT_DATE AS text)

-- sample:
SELECT g.serial, g.set_id, g.due_on, c.holder FROM gauge_checkouts c JOIN gauges g ON g.serial = c.serial
WHERE c.returned_entry IS NULL AND NOT g.sealed AND g.due_on < CAST(CURRENT_DATE AS text)
ORDER BY g.due_on LIMIT 10
