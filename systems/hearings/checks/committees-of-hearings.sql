-- check: every-hearing-has-a-committee
-- title: Almost every hearing has a committee that holds it
-- severity: error
-- rule: < 1 percent
-- hint: look these events up in the API; a committee that is missing here is in quarantine
-- requirements: X-09

SELECT 100.0 * count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM hearing_committees c WHERE c.hearing_id = h.hearing_id)) / nullif(count(*), 0) AS value
FROM hearings h

-- sample:
SELECT h.event_id, h.title FROM hearings h
WHERE NOT EXISTS (SELECT 1 FROM hearing_committees c WHERE c.hearing_id = h.hearing_id)
ORDER BY h.event_id LIMIT 10
