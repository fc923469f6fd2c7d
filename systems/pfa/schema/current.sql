CREATE TABLE IF NOT EXISTS pfa_mirror (
    pfa_id text PRIMARY KEY,
    organization text NOT NULL,
    remote_version bigint NOT NULL,
    remote_changed_ms bigint,
    observed_at text NOT NULL,
    category text,
    class text,
    source text,
    dor text,
    area_silo text,
    manufacturer text,
    model text,
    contract text,
    equipment_tag text,
    monthly_rate text,
    purchase_price text,
    original_start date,
    original_end date,
    forecast_start date,
    forecast_end date,
    actual_start date,
    actual_end date,
    is_actualized text,
    is_discontinued text,
    is_funds_transferable text
);
CREATE INDEX IF NOT EXISTS pfa_mirror_organization ON pfa_mirror (organization, pfa_id);
CREATE INDEX IF NOT EXISTS pfa_mirror_category ON pfa_mirror (organization, category, pfa_id);
CREATE INDEX IF NOT EXISTS pfa_mirror_source ON pfa_mirror (organization, source, pfa_id);
CREATE INDEX IF NOT EXISTS pfa_mirror_area ON pfa_mirror (organization, area_silo, pfa_id);
CREATE INDEX IF NOT EXISTS pfa_mirror_tag ON pfa_mirror (equipment_tag, pfa_id);
