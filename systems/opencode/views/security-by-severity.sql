-- view: security-by-severity
-- title: Security by severity
-- answers: How many risky actions were there, and how grave are they?
-- parameters: project agent tool session from to
-- shape: rows
-- chart: bar x=severity y=findings
-- requirements: OC-85
-- budget_ms: 250

SELECT
    f.severity,
    count(*) AS findings,
    count(DISTINCT f.session_id) AS sessions,
    count(DISTINCT f.rule) AS rules,
    max(f.time_created) AS last_seen
FROM security_findings f
LEFT JOIN message_usage u ON u.message_id = f.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($tool IS NULL OR f.tool_name = $tool)
  AND ($session IS NULL OR f.session_id = $session)
  AND ($from IS NULL OR f.time_created >= $from)
  AND ($to IS NULL OR f.time_created < $to)
GROUP BY f.severity
ORDER BY
    CASE f.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END,
    f.severity
