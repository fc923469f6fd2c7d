-- view: security-findings
-- title: Security findings
-- answers: Which risky actions were taken, the gravest first?
-- parameters: project agent tool session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-85
-- budget_ms: 250

SELECT
    f.part_id,
    f.ordinal,
    f.time_created,
    f.session_id,
    f.tool_name,
    f.severity,
    f.rule,
    f.technique,
    f.explanation,
    left(f.excerpt, 240) AS excerpt
FROM security_findings f
LEFT JOIN message_usage u ON u.message_id = f.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($tool IS NULL OR f.tool_name = $tool)
  AND ($session IS NULL OR f.session_id = $session)
  AND ($from IS NULL OR f.time_created >= $from)
  AND ($to IS NULL OR f.time_created < $to)
ORDER BY
    CASE f.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END,
    f.time_created DESC NULLS LAST, f.part_id, f.ordinal
LIMIT coalesce($limit, 100)
