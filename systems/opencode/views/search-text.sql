-- view: search-text
-- title: Search
-- answers: Where was `text` written, thought or printed? A text as /../ is a regular expression.
-- parameters: text project session from to limit
-- shape: rows
-- chart: table
-- requirements: OC-97
-- budget_ms: 2000

-- Case does not matter. The score counts occurrences (at most 20), more for what was written than for what was thought
-- or printed, and less in long texts.
WITH sources AS (
    SELECT t.part_id, t.session_id, t.message_id, 'text' AS kind, t.text AS text, 3 AS weight
    FROM text_messages t
    UNION ALL
    SELECT b.part_id, b.session_id, b.message_id, 'reasoning', b.text, 2
    FROM thinking_blocks b
    UNION ALL
    SELECT c.part_id, c.session_id, c.message_id, 'tool',
        coalesce(c.command || chr(10), '') || coalesce(c.output, c.error, ''), 1
    FROM tool_calls c
),
found AS (
    SELECT
        s.*,
        CASE WHEN $text LIKE '/_%/'
            THEN regexp_extract(s.text, '(?i)' || substr($text, 2, length($text) - 2))
            ELSE $text END AS hit
    FROM sources s
    WHERE ($session IS NULL OR s.session_id = $session)
      AND CASE WHEN $text LIKE '/_%/'
          THEN regexp_matches(s.text, '(?i)' || substr($text, 2, length($text) - 2))
          ELSE $text <> '' AND contains(lower(s.text), lower($text)) END
)
SELECT
    f.part_id,
    f.kind,
    round(f.weight * least(20, (length(f.text) - length(replace(lower(f.text), lower(f.hit), '')))
        / greatest(1, length(f.hit))) / (1.0 + ln(1.0 + length(f.text) / 1000.0)), 3) AS score,
    f.session_id,
    r.title,
    p.time_created,
    substr(f.text, greatest(1, strpos(lower(f.text), lower(f.hit)) - 60), 160) AS excerpt,
    f.message_id
FROM found f
LEFT JOIN parts p ON p.id = f.part_id
LEFT JOIN session_resource_metrics r ON r.session_id = f.session_id
LEFT JOIN message_places u ON u.message_id = f.message_id
WHERE NOT coalesce(u.is_fork_copy, false)
  AND ($project IS NULL OR r.root_path = $project OR r.project_id = $project)
  AND ($from IS NULL OR p.time_created >= $from)
  AND ($to IS NULL OR p.time_created < $to)
ORDER BY score DESC, f.part_id
LIMIT coalesce($limit, 50)
