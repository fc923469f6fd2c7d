-- view: delegation-tree
-- title: Delegation
-- answers: Who delegated to whom? Trees with `session` in them, or all that have more than one session.
-- parameters: project session from to limit
-- shape: rows
-- chart: tree parent=parent_session_id label=title
-- requirements: OC-20 OC-21
-- budget_ms: 250

WITH RECURSIVE tree AS (
    SELECT
        t.session_id,
        coalesce(strftime(t.time_start, '%Y%m%d%H%M%S%f'), '') || ' ' || t.session_id AS place,
        t.time_start AS root_start
    FROM session_traces t
    WHERE t.session_id = t.root_session_id
      AND ($session IS NOT NULL OR t.descendants > 0)
      AND ($session IS NULL OR t.session_id IN (
          SELECT r.root_session_id FROM session_traces r WHERE r.session_id = $session))
    UNION ALL
    SELECT
        t.session_id,
        p.place || '/' || coalesce(strftime(t.time_start, '%Y%m%d%H%M%S%f'), '') || ' ' || t.session_id,
        p.root_start
    FROM tree p
    JOIN session_traces t ON t.parent_session_id = p.session_id
    WHERE t.depth > 0
      AND length(p.place) < 4000
)
SELECT
    t.root_session_id,
    t.session_id,
    t.parent_session_id,
    t.depth,
    repeat('  ', CAST(t.depth AS INTEGER)) || coalesce(s.title, t.session_id) AS title,
    t.status,
    t.time_start,
    t.time_end,
    t.descendants,
    t.tokens,
    t.stored_cost,
    t.total_tokens,
    t.total_stored_cost,
    t.total_list_cost,
    t.total_tool_calls
FROM tree r
JOIN session_traces t ON t.session_id = r.session_id
LEFT JOIN sessions s ON s.id = t.session_id
LEFT JOIN session_resource_metrics m ON m.session_id = t.session_id
WHERE ($project IS NULL OR m.root_path = $project OR m.project_id = $project)
  AND ($from IS NULL OR r.root_start >= $from)
  AND ($to IS NULL OR r.root_start < $to)
ORDER BY r.place, t.session_id
LIMIT coalesce($limit, 1000)
