-- view: prompts
-- title: Prompts
-- answers: What did people ask for? `text` is looked for in the prompt.
-- parameters: project agent model session from to text limit
-- shape: rows
-- chart: table
-- requirements: OC-97
-- budget_ms: 250

SELECT
    x.id AS exchange_id,
    x.time_start,
    x.session_id,
    x.exchange_number,
    x.agent,
    x.model,
    length(x.prompt_input) AS characters,
    left(x.prompt_input, 400) AS prompt,
    x.duration_ms,
    x.stored_cost
FROM exchanges x
LEFT JOIN session_resource_metrics s ON s.session_id = x.session_id
WHERE NOT coalesce(x.is_fork_copy, false)
  AND ($text IS NULL OR contains(lower(x.prompt_input), lower($text)))
  AND ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($agent IS NULL OR x.agent = $agent)
  AND ($model IS NULL OR x.model = $model OR x.provider || '/' || x.model = $model)
  AND ($session IS NULL OR x.session_id = $session)
  AND ($from IS NULL OR x.time_start >= $from)
  AND ($to IS NULL OR x.time_start < $to)
ORDER BY x.time_start DESC NULLS LAST, x.id
LIMIT coalesce($limit, 100)
