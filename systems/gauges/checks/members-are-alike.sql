-- check: members-are-alike
-- title: Both members of a set have one size, class, type, form and hand, and stand for their own side
-- severity: error
-- rule: = 0
-- hint: unpair the set and pair its gauges with what fits them
-- requirements: GS-04, GS-09

SELECT count(*) AS value FROM gauge_set_members g
JOIN gauge_set_members n ON n.set_id = g.set_id AND n.side = 'nogo' AND n.until_entry IS NULL
JOIN gauge_thread_specifications a ON a.serial = g.serial
JOIN gauge_thread_specifications b ON b.serial = n.serial
WHERE g.side = 'go' AND g.until_entry IS NULL AND (a.side <> 'go' OR b.side <> 'nogo'
    OR a.thread_size <> b.thread_size OR a.thread_class <> b.thread_class OR a.thread_type <> b.thread_type
    OR coalesce(a.thread_form, '') <> coalesce(b.thread_form, '') OR a.gauge_type <> b.gauge_type OR a.hand <> b.hand
    OR coalesce(a.acme_starts, 0) <> coalesce(b.acme_starts, 0))

-- sample:
SELECT g.set_id, g.serial AS go, n.serial AS nogo FROM gauge_set_members g
JOIN gauge_set_members n ON n.set_id = g.set_id AND n.side = 'nogo' AND n.until_entry IS NULL
JOIN gauge_thread_specifications a ON a.serial = g.serial
JOIN gauge_thread_specifications b ON b.serial = n.serial
WHERE g.side = 'go' AND g.until_entry IS NULL AND (a.side <> 'go' OR b.side <> 'nogo'
    OR a.thread_size <> b.thread_size OR a.thread_class <> b.thread_class OR a.thread_type <> b.thread_type
    OR coalesce(a.thread_form, '') <> coalesce(b.thread_form, '') OR a.gauge_type <> b.gauge_type OR a.hand <> b.hand
    OR coalesce(a.acme_starts, 0) <> coalesce(b.acme_starts, 0))
ORDER BY g.set_id LIMIT 10
