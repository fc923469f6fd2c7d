-- view: cost-by-tool
-- title: Cost of answers by the tools they called
-- answers: In which tools' company does cost arise? An answer's cost is shared evenly among its calls.
-- parameters: project agent model from to tool
-- shape: rows
-- chart: bar x=tool_name y=attributed_stored_cost
-- requirements: OC-49
-- budget_ms: 250

-- The model is paid for, not the tool: this attributes, it does not measure. Answers without calls are the row without
-- a tool, so that the sum is the sum of all costs.
WITH calls AS (
    SELECT message_id, count(*) AS calls FROM tool_calls GROUP BY message_id
),
shares AS (
    SELECT
        t.tool_name,
        u.message_id,
        CAST(u.stored_cost / coalesce(c.calls, 1) AS DECIMAL(18,10)) AS stored_share,
        CAST(u.list_cost / coalesce(c.calls, 1) AS DECIMAL(18,10)) AS list_share
    FROM message_usage u
    LEFT JOIN calls c ON c.message_id = u.message_id
    LEFT JOIN tool_calls t ON t.message_id = u.message_id
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
      AND ($from IS NULL OR u.time_created >= $from)
      AND ($to IS NULL OR u.time_created < $to)
      AND ($tool IS NULL OR t.tool_name = $tool)
)
SELECT
    tool_name,
    count(*) FILTER (WHERE tool_name IS NOT NULL) AS calls,
    count(DISTINCT message_id) AS messages,
    sum(stored_share) AS attributed_stored_cost,
    sum(list_share) AS attributed_list_cost
FROM shares
GROUP BY tool_name
ORDER BY attributed_stored_cost DESC NULLS LAST, tool_name
