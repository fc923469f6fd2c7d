-- models: what each model of each provider did, without what forks copied.
--
-- The vendor is who made the model, read from its name, because many providers serve models that others made; the more
-- particular names come first (a distilled model is named after both). Speed is of the answers that took any time.
WITH used AS (
    SELECT
        provider,
        model,
        count(DISTINCT session_id) AS sessions,
        sum(messages) AS messages,
        sum(tokens_input) AS tokens_input,
        sum(tokens_output) AS tokens_output,
        sum(tokens_reasoning) AS tokens_reasoning,
        sum(tokens_cache_read) AS tokens_cache_read,
        sum(tokens_cache_write) AS tokens_cache_write,
        sum(stored_cost) AS stored_cost,
        sum(list_cost) AS list_cost,
        sum(priced_messages) AS priced_messages,
        sum(timed_messages) AS timed_messages,
        sum(response_ms) AS response_ms,
        sum(timed_tokens) AS timed_tokens,
        sum(errors) AS errors,
        min(first_used) AS first_used,
        max(last_used) AS last_used,
        lower(model) AS lower_name
    FROM session_usage
    WHERE NOT is_fork_copy AND model IS NOT NULL
    GROUP BY provider, model
)
SELECT
    provider,
    model,
    CASE
        WHEN contains(lower_name, 'claude') THEN 'anthropic'
        WHEN contains(lower_name, 'gemini') OR contains(lower_name, 'gemma') THEN 'google'
        WHEN contains(lower_name, 'deepseek') THEN 'deepseek'
        WHEN contains(lower_name, 'nemotron') THEN 'nvidia'
        WHEN contains(lower_name, 'qwen') OR contains(lower_name, 'qwq') THEN 'alibaba'
        WHEN contains(lower_name, 'llama') THEN 'meta'
        WHEN regexp_matches(lower_name, 'mi[sx]tral|codestral|devstral|magistral|ministral|pixtral') THEN 'mistral'
        WHEN contains(lower_name, 'grok') THEN 'xai'
        WHEN regexp_matches(lower_name, 'kimi|moonshot|(^|/)k2p[0-9]') THEN 'moonshotai'
        WHEN regexp_matches(lower_name, '(^|[-/])glm') THEN 'zhipuai'
        WHEN contains(lower_name, 'minimax') THEN 'minimax'
        WHEN regexp_matches(lower_name, '(^|/)command-|cohere') THEN 'cohere'
        WHEN regexp_matches(lower_name, '(^|[/.])nova-') THEN 'amazon'
        WHEN regexp_matches(lower_name, '(^|/)phi-') THEN 'microsoft'
        WHEN regexp_matches(lower_name, '(^|/)granite-') THEN 'ibm'
        WHEN regexp_matches(lower_name, '(^|/)sonar') THEN 'perplexity'
        WHEN regexp_matches(lower_name, 'doubao|(^|/)seed-') THEN 'bytedance'
        WHEN regexp_matches(lower_name, 'gpt|codex|(^|/)o[1-9]($|-)') THEN 'openai'
        ELSE provider
    END AS vendor,
    sessions,
    TRY_CAST(messages AS BIGINT) AS messages,
    TRY_CAST(tokens_input AS BIGINT) AS tokens_input,
    TRY_CAST(tokens_output AS BIGINT) AS tokens_output,
    TRY_CAST(tokens_reasoning AS BIGINT) AS tokens_reasoning,
    TRY_CAST(tokens_cache_read AS BIGINT) AS tokens_cache_read,
    TRY_CAST(tokens_cache_write AS BIGINT) AS tokens_cache_write,
    TRY_CAST(stored_cost AS DECIMAL(18, 10)) AS stored_cost,
    TRY_CAST(list_cost AS DECIMAL(18, 10)) AS list_cost,
    priced_messages > 0 AS has_price,
    CASE WHEN timed_messages > 0 THEN CAST(response_ms AS DOUBLE) / CAST(timed_messages AS DOUBLE) END
        AS average_response_ms,
    CASE WHEN response_ms > 0 THEN CAST(timed_tokens AS DOUBLE) * 1000 / CAST(response_ms AS DOUBLE) END
        AS output_per_second,
    TRY_CAST(errors AS BIGINT) AS errors,
    first_used,
    last_used
FROM used
