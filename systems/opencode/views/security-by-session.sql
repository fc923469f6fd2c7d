-- view: security-by-session
-- title: Security by session
-- answers: Which sessions took most risk? Critical counts 10, high 5, medium 2, low 1.
-- parameters: project agent tool session from to limit
-- shape: rows
-- chart: bar x=title y=risk_score
-- requirements: OC-85
-- budget_ms: 250

SELECT
    f.session_id,
    max(s.title) AS title,
    sum(CASE f.severity WHEN 'critical' THEN 10 WHEN 'high' THEN 5 WHEN 'medium' THEN 2 ELSE 1 END) AS risk_score,
    count(*) AS findings,
    count(*) FILTER (WHERE f.severity = 'critical') AS critical,
    count(*) FILTER (WHERE f.severity = 'high') AS high,
    max(f.time_created) AS last_seen
FROM security_findings f
LEFT JOIN sessions s ON s.id = f.session_id
LEFT JOIN message_usage u ON u.message_id = f.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR u.root_path = $project OR u.project_id = $project)
  AND ($agent IS NULL OR u.agent = $agent)
  AND ($tool IS NULL OR f.tool_name = $tool)
  AND ($session IS NULL OR f.session_id = $session)
  AND ($from IS NULL OR f.time_created >= $from)
  AND ($to IS NULL OR f.time_created < $to)
GROUP BY f.session_id
ORDER BY risk_score DESC, f.session_id
LIMIT coalesce($limit, 200)
