-- view: model-prices
-- title: Prices in use
-- answers: Which list prices are applied, and where do they come from?
-- parameters: model
-- shape: rows
-- chart: table
-- requirements: OC-43 OC-44
-- budget_ms: 250

SELECT
    p.model_name,
    p.vendor,
    p.input_token_cost_per_1k,
    p.output_token_cost_per_1k,
    p.cache_read_token_cost_per_1k,
    p.cache_write_token_cost_per_1k,
    p.reasoning_token_cost_per_1k,
    p.tiers,
    p.price_source,
    p.updated_at
FROM model_pricing p
WHERE ($model IS NULL OR p.model_name = $model)
ORDER BY p.model_name
