-- lineage: from each session of `climbers` up to the top of its delegation.
--
-- `path` begins with the session and ends with its root. A parent that has no document ends the way. Sessions that
-- delegate in a circle (damaged data) are cut above the smallest id of the circle, so that everyone below agrees on
-- one root. The way is carried along as a list: it is short, and a list is what tells a circle.
climb AS (
    SELECT climbers.session_id, [climbers.session_id] AS path, sessions.parent_id AS next
    FROM climbers
    LEFT JOIN sessions ON sessions.id = climbers.session_id
    UNION ALL
    SELECT climb.session_id, list_append(climb.path, sessions.id), sessions.parent_id
    FROM climb
    JOIN sessions ON sessions.id = climb.next
    WHERE NOT list_contains(climb.path, sessions.id)
),
ended AS (
    SELECT session_id, path, list_position(path, next) AS circle
    FROM climb
    WHERE list_contains(path, next) OR NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = climb.next)
),
lineage AS (
    SELECT
        session_id,
        CASE WHEN circle > 0 THEN path[1:list_position(path, list_min(path[circle:]))] ELSE path END AS path
    FROM ended
)
