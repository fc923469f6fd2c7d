-- view: tool-outputs
-- title: Size of outputs
-- answers: Which tools fill the context with output?
-- parameters: project agent model from to tool session
-- shape: rows
-- chart: bar x=tool_name y=output_characters
-- requirements: OC-07
-- budget_ms: 250

SELECT
    t.tool_name,
    count(*) AS calls,
    coalesce(sum(t.output_character_count), 0) AS output_characters,
    round(avg(t.output_character_count), 1) AS average_characters,
    max(t.output_character_count) AS largest_characters,
    count(t.time_compacted) AS outputs_dropped_from_context
FROM tool_calls t
LEFT JOIN message_usage u ON u.message_id = t.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($tool IS NULL OR t.tool_name = $tool)
  AND ($session IS NULL OR t.session_id = $session)
  AND ($from IS NULL OR coalesce(t.time_start, u.time_created) >= $from)
  AND ($to IS NULL OR coalesce(t.time_start, u.time_created) < $to)
GROUP BY t.tool_name
ORDER BY output_characters DESC, t.tool_name
