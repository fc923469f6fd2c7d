-- view: reasoning-blocks
-- title: Reasoning
-- answers: Where was most time spent on thinking?
-- parameters: project agent model session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-08
-- budget_ms: 250

SELECT
    b.part_id,
    b.session_id,
    b.message_id,
    u.model,
    b.time_start,
    b.duration_ms,
    b.character_count,
    left(b.text, 240) AS text
FROM thinking_blocks b
LEFT JOIN message_usage u ON u.message_id = b.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($session IS NULL OR b.session_id = $session)
  AND ($from IS NULL OR b.time_start >= $from)
  AND ($to IS NULL OR b.time_start < $to)
ORDER BY b.duration_ms DESC NULLS LAST, b.part_id
LIMIT coalesce($limit, 100)
