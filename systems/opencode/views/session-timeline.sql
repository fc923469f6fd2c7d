-- view: session-timeline
-- title: Timeline of a session
-- answers: What happened in a session, turn by turn? Without `session`: the one changed last.
-- parameters: session limit
-- shape: rows
-- chart: timeline x=time_created length=duration_ms label=name
-- requirements: OC-20 OC-21
-- budget_ms: 250

SELECT
    x.exchange_number,
    e.event_order,
    e.time_created,
    e.event_type,
    e.name,
    e.status,
    e.duration_ms,
    e.tokens,
    e.child_session_id,
    e.exchange_id
FROM exchange_traces e
JOIN exchanges x ON x.id = e.exchange_id
WHERE e.session_id = coalesce($session,
    (SELECT s.id FROM sessions s ORDER BY s.time_updated DESC NULLS LAST, s.id DESC LIMIT 1))
ORDER BY x.exchange_number, e.event_order, e.exchange_id
LIMIT coalesce($limit, 2000)
