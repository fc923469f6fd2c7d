-- view: storage-by-part-type
-- title: Size by type of part
-- answers: What takes the room? Characters of text, output and prompts by type of part.
-- parameters: project session
-- shape: rows
-- chart: pie label=part_type value=characters
-- requirements: OC-79
-- budget_ms: 250

SELECT
    p.part_type,
    count(*) AS parts,
    coalesce(sum(p.character_count), 0) AS characters,
    round(avg(p.character_count), 1) AS average_characters,
    max(p.character_count) AS largest_characters,
    round(100.0 * coalesce(sum(p.character_count), 0)
        / nullif(sum(coalesce(sum(p.character_count), 0)) OVER (), 0), 2) AS percent
FROM parts p
LEFT JOIN session_resource_metrics s ON s.session_id = p.session_id
WHERE ($project IS NULL OR s.root_path = $project OR s.project_id = $project)
  AND ($session IS NULL OR p.session_id = $session)
GROUP BY p.part_type
ORDER BY characters DESC, p.part_type
