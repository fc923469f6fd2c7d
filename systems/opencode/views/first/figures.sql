-- One line of figures as soon as the messages are read, counted as OpenCode itself counts them: every message with the
-- cost and tokens that it carries, copies of forks included.
SELECT format(
    '{} sessions, {} messages, {} USD, {} tokens in, {} out',
    (SELECT count(*) FROM sessions),
    count(*),
    coalesce(sum(stored_cost), 0)::DECIMAL(18, 2)::VARCHAR,
    coalesce(sum(tokens_input), 0),
    coalesce(sum(tokens_output), 0)
)
FROM messages
