-- view: reasoning-share
-- title: Share of reasoning
-- answers: How much of the answering time and of the written tokens is reasoning?
-- parameters: project agent model from to
-- shape: rows
-- chart: bar x=model y=time_percent,token_percent
-- requirements: OC-08
-- budget_ms: 250

WITH blocks AS (
    SELECT message_id, count(*) AS blocks, sum(duration_ms) AS reasoning_ms, sum(character_count) AS characters
    FROM thinking_blocks
    GROUP BY message_id
)
SELECT
    u.provider,
    u.model,
    count(*) AS messages,
    count(b.message_id) AS messages_with_reasoning,
    coalesce(sum(b.blocks), 0) AS blocks,
    coalesce(sum(b.characters), 0) AS characters,
    coalesce(sum(b.reasoning_ms), 0) AS reasoning_ms,
    sum(u.response_ms) AS response_ms,
    round(100.0 * sum(b.reasoning_ms) / nullif(sum(u.response_ms), 0), 2) AS time_percent,
    round(100.0 * sum(u.tokens_reasoning)
        / nullif(sum(coalesce(u.tokens_output, 0) + coalesce(u.tokens_reasoning, 0)), 0), 2) AS token_percent
FROM message_usage u
LEFT JOIN blocks b ON b.message_id = u.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
  AND ($from IS NULL OR u.time_created >= $from)
  AND ($to IS NULL OR u.time_created < $to)
GROUP BY u.provider, u.model
ORDER BY messages DESC, u.provider, u.model
