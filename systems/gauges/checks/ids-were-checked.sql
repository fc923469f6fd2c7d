-- check: ids-were-checked
-- title: No set ID was given out while set_id_reuse_check was off
-- severity: warn
-- rule: = 0
-- hint: `plimsoll view gauges unchecked-ids` says when and by whom; docs/runbooks/gauge-ids-unchecked.md says what to do
-- requirements: GS-01, GS-19

SELECT count(*) AS value FROM gauge_set_ids WHERE NOT reuse_checked

-- sample:
SELECT set_id, issue, issued_at, issued_by FROM gauge_set_ids WHERE NOT reuse_checked ORDER BY issued_at DESC LIMIT 10
