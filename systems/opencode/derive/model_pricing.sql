-- model_pricing: models to look up in the price books.
--
-- Those that occur, under `provider/model`, and the four that the requirements price by bare name (without a provider).
SELECT concat(provider, '/', model) AS model_name, provider, model, vendor
FROM models
WHERE provider IS NOT NULL
UNION ALL
VALUES
    ('claude-3-opus', NULL, 'claude-3-opus', 'anthropic'),
    ('claude-3-sonnet', NULL, 'claude-3-sonnet', 'anthropic'),
    ('gpt-4-turbo', NULL, 'gpt-4-turbo', 'openai'),
    ('gpt-4o', NULL, 'gpt-4o', 'openai')
