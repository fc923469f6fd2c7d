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
    SELECT session_id, max_by(struct_pack(path, next), len(path)) AS way FROM climb GROUP BY session_id
),
lineage AS (
    SELECT
        session_id,
        CASE WHEN list_contains(way.path, way.next)
            THEN way.path[1:list_position(way.path, list_min(way.path[list_position(way.path, way.next):]))]
            ELSE way.path END AS path
    FROM ended
)
