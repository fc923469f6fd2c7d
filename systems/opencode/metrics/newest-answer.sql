-- metric: newest-answer
-- name: plimsoll_opencode_newest_answer_timestamp_seconds
-- help: When the newest answer began, in seconds since 1970.
-- kind: gauge
-- labels:

SELECT epoch_us(max(time_created)) / 1e6 AS value FROM message_usage
