-- view: compaction-efficiency
-- title: Compactions
-- answers: How much smaller did the context become at each compaction?
-- parameters: project session from to limit
-- shape: rows
-- chart: bar x=time_created y=tokens_before,tokens_after
-- requirements: OC-11 OC-55
-- budget_ms: 250

-- Before: what the last answer ahead of the compaction was sent. After: what the first answer behind it was sent. The
-- answer that writes the summary counts as neither. Both count input and cache, that is the whole context.
WITH context AS (
    SELECT
        u.message_id,
        u.session_id,
        u.time_created,
        coalesce(u.tokens_input, 0) + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0) AS tokens
    FROM message_usage u
    WHERE NOT coalesce(u.is_summary, false)
      AND NOT coalesce(u.is_fork_copy, false)
      AND coalesce(u.tokens_input, 0) + coalesce(u.tokens_cache_read, 0) + coalesce(u.tokens_cache_write, 0) > 0
),
points AS (
    SELECT
        c.part_id,
        c.session_id,
        c.time_created,
        c.automatic,
        c.overflow,
        (SELECT arg_max(b.tokens, (b.time_created, b.message_id)) FROM context b
         WHERE b.session_id = c.session_id AND b.time_created < c.time_created) AS tokens_before,
        (SELECT arg_min(a.tokens, (a.time_created, a.message_id)) FROM context a
         WHERE a.session_id = c.session_id AND a.time_created > c.time_created) AS tokens_after
    FROM compactions c
    LEFT JOIN message_places w ON w.message_id = c.message_id
    WHERE NOT coalesce(w.is_fork_copy, false)
)
SELECT
    p.part_id,
    p.session_id,
    p.time_created,
    p.automatic,
    p.overflow,
    p.tokens_before,
    p.tokens_after,
    p.tokens_before - p.tokens_after AS tokens_saved,
    round(100.0 * (p.tokens_before - p.tokens_after) / nullif(p.tokens_before, 0), 2) AS saved_percent
FROM points p
LEFT JOIN session_resource_metrics s ON s.session_id = p.session_id
WHERE ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($session IS NULL OR p.session_id = $session)
  AND ($from IS NULL OR p.time_created >= $from)
  AND ($to IS NULL OR p.time_created < $to)
ORDER BY p.time_created DESC NULLS LAST, p.part_id
LIMIT coalesce($limit, 200)
