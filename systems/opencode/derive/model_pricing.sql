-- model_pricing: models to look up in the price book: those that occur, and four that are asked for by bare name.
SELECT concat(provider, '/', model) AS model_name, provider, model, vendor
FROM models
WHERE provider IS NOT NULL
UNION ALL
VALUES
    ('claude-3-opus', 'anthropic', 'claude-3-opus', 'anthropic'),
    ('claude-3-sonnet', 'anthropic', 'claude-3-sonnet', 'anthropic'),
    ('gpt-4-turbo', 'openai', 'gpt-4-turbo', 'openai'),
    ('gpt-4o', 'openai', 'gpt-4o', 'openai')
ORDER BY model_name
