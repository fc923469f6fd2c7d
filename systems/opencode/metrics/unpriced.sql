-- metric: unpriced
-- name: plimsoll_opencode_unpriced_answers
-- help: Answers of models without a known price.
-- kind: gauge
-- labels:

SELECT count(*) AS value FROM message_usage WHERE NOT coalesce(is_fork_copy, false) AND list_cost IS NULL
