-- metric: sessions
-- name: plimsoll_opencode_sessions
-- help: Sessions.
-- kind: gauge
-- labels:

SELECT count(*) AS value FROM sessions
