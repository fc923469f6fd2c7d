-- view: security-by-technique
-- title: Security by technique
-- answers: Which techniques of MITRE ATT&CK do the risky actions resemble?
-- parameters: project agent tool session from to
-- shape: rows
-- chart: bar x=technique y=findings series=severity
-- requirements: OC-85
-- budget_ms: 250

SELECT
    f.technique,
    f.rule,
    f.severity,
    count(*) AS findings,
    count(DISTINCT f.session_id) AS sessions,
    max(f.explanation) AS explanation,
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
GROUP BY f.technique, f.rule, f.severity
ORDER BY findings DESC, f.technique, f.rule, f.severity
