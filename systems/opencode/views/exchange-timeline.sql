-- view: exchange-timeline
-- title: Timeline of an exchange
-- answers: What happened in a turn, in order, sub-agents' work nested? Without parameters: the last one.
-- parameters: exchange session limit
-- shape: rows
-- chart: timeline x=offset_ms length=duration_ms label=name depth=depth
-- requirements: OC-18 OC-21
-- budget_ms: 250

WITH RECURSIVE
delegating AS (
    SELECT e.exchange_id, e.event_order, e.child_session_id
    FROM exchange_traces e
    WHERE e.child_session_id IS NOT NULL
),
chosen AS MATERIALIZED (
    SELECT x.id
    FROM exchanges x
    WHERE ($exchange IS NULL OR x.id = $exchange)
      AND ($session IS NULL OR x.session_id = $session OR x.id = $session)
      AND ($exchange IS NOT NULL OR $session IS NOT NULL OR x.id = (
          SELECT y.id FROM exchanges y ORDER BY y.time_start DESC NULLS LAST, y.id DESC LIMIT 1))
),
tree AS (
    SELECT
        x.id,
        x.session_id,
        x.exchange_number,
        0 AS depth,
        x.time_start AS origin,
        lpad(CAST(x.exchange_number AS VARCHAR), 8, '0') || ' ' || x.id AS place
    FROM exchanges x
    WHERE x.id IN (SELECT id FROM chosen)
    UNION ALL
    SELECT
        x.id,
        x.session_id,
        x.exchange_number,
        p.depth + 1,
        p.origin,
        p.place || '/' || lpad(CAST(e.event_order AS VARCHAR), 8, '0')
            || '/' || lpad(CAST(x.exchange_number AS VARCHAR), 8, '0') || ' ' || x.id
    FROM tree p
    JOIN delegating e ON e.exchange_id = p.id
    JOIN exchanges x ON x.session_id = e.child_session_id
    WHERE p.depth < 8 AND x.session_id <> p.session_id
)
SELECT
    r.depth,
    r.session_id,
    r.exchange_number,
    e.event_order,
    date_diff('millisecond', r.origin, e.time_created) AS offset_ms,
    e.time_created,
    e.event_type,
    e.name,
    e.status,
    e.duration_ms,
    e.tokens,
    e.character_count,
    e.child_session_id,
    e.event_data,
    e.message_id,
    e.part_id,
    r.id AS exchange_id
FROM tree r
JOIN exchange_traces e ON e.exchange_id = r.id
ORDER BY r.place || '/' || lpad(CAST(e.event_order AS VARCHAR), 8, '0'), r.id, e.event_order
LIMIT coalesce($limit, 2000)
