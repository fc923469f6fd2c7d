-- metric: answers
-- name: plimsoll_opencode_answers
-- help: Answers of models, fork copies left out.
-- kind: gauge
-- labels: provider model

SELECT provider, model, count(*) AS value FROM message_usage WHERE NOT coalesce(is_fork_copy, false) GROUP BY ALL ORDER BY ALL
