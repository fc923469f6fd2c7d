-- Sessions whose derived rows change although none of their own documents did.
--
-- Run with `affected` filled, before rows are deleted and again after others came, and before any derived table is
-- computed again: it reads what the derived tables said before. Three ways lead from a changed session to another:
-- a message of it was the original of a fork's copy (which may count now that the original is gone or different);
-- a message of it begins at the same instant as one elsewhere (a fork's copy keeps the original's time);
-- its place in the tree of delegation changed, and with it the root of all sessions below.
INSERT INTO affected
WITH RECURSIVE moments AS (
    SELECT DISTINCT time_created FROM messages WHERE session_id IN (SELECT scope_id FROM affected)
),
moved AS (
    SELECT affected.scope_id AS session_id
    FROM affected
    LEFT JOIN sessions ON sessions.id = affected.scope_id
    LEFT JOIN session_traces ON session_traces.session_id = affected.scope_id
    WHERE (sessions.id IS NULL) <> (session_traces.session_id IS NULL)
        OR sessions.parent_id IS DISTINCT FROM session_traces.parent_session_id
),
below AS (
    SELECT session_id FROM moved
    UNION
    SELECT sessions.id FROM below JOIN sessions ON sessions.parent_id = below.session_id
),
wider AS (
    SELECT session_id FROM messages WHERE time_created IN (SELECT time_created FROM moments)
    UNION
    SELECT session_id FROM message_places
    WHERE original_session_id IN (SELECT scope_id FROM affected)
    UNION
    SELECT session_id FROM below
)
SELECT session_id FROM wider WHERE session_id IS NOT NULL
