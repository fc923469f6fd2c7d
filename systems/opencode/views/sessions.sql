-- view: sessions
-- title: Sessions
-- answers: Which sessions are there? `text` is looked for in title and folder.
-- parameters: project agent model from to text limit
-- shape: rows
-- chart: table
-- requirements: OC-32 OC-97
-- budget_ms: 250

SELECT
    s.id AS session_id,
    s.title,
    s.project_id,
    m.root_path,
    s.directory,
    s.parent_id,
    s.time_created,
    s.time_updated,
    t.status,
    m.messages,
    m.exchanges,
    m.tool_calls,
    m.errors,
    m.stored_cost,
    m.list_cost,
    s.version,
    s.generation
FROM sessions s
LEFT JOIN session_resource_metrics m ON m.session_id = s.id
LEFT JOIN session_traces t ON t.session_id = s.id
WHERE ($project IS NULL OR s.project_id = $project OR m.root_path = $project)
  AND ($from IS NULL OR s.time_created >= $from)
  AND ($to IS NULL OR s.time_created < $to)
  AND ($text IS NULL OR contains(lower(s.title), lower($text)) OR contains(lower(s.directory), lower($text)))
  AND (($agent IS NULL AND $model IS NULL) OR s.id IN (
      SELECT u.session_id FROM message_usage u
      WHERE ($agent IS NULL OR u.agent = $agent)
        AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)))
ORDER BY s.time_updated DESC NULLS LAST, s.id
LIMIT coalesce($limit, 100)
