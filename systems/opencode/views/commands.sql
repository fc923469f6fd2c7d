-- view: commands
-- title: Shell commands
-- answers: Which programs does the agent run, and how do they end?
-- parameters: project agent model from to session limit
-- shape: rows
-- chart: bar x=program y=runs
-- requirements: OC-39 OC-85
-- budget_ms: 250

-- The program is the first word of the command line, after variables that are set for it.
WITH programs AS (
    SELECT
        regexp_extract(trim(t.command), '^(?:[A-Za-z_][A-Za-z0-9_]*=[^ ]* +)*([^ \t\n;|&]+)', 1) AS program,
        t.is_failure,
        t.exit_code,
        t.execution_time_ms,
        t.session_id
    FROM tool_calls t
    LEFT JOIN message_usage u ON u.message_id = t.message_id
    WHERE NOT coalesce(u.is_fork_copy, false)
      AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
      AND ($agent IS NULL OR u.agent = $agent)
      AND ($model IS NULL OR u.model = $model OR u.provider || '/' || u.model = $model)
      AND ($session IS NULL OR t.session_id = $session)
      AND ($from IS NULL OR coalesce(t.time_start, u.time_created) >= $from)
      AND ($to IS NULL OR coalesce(t.time_start, u.time_created) < $to)
      AND t.command IS NOT NULL
)
SELECT
    program,
    count(*) AS runs,
    count(*) FILTER (WHERE is_failure) AS failures,
    count(DISTINCT session_id) AS sessions,
    coalesce(sum(execution_time_ms), 0) AS execution_ms
FROM programs
GROUP BY program
ORDER BY runs DESC, program
LIMIT coalesce($limit, 100)
