
-- The reuse check is a flag of the control store, no longer a setting of this one.
DROP TABLE IF EXISTS gauge_settings;
-- The register of IDs given out while the check was off.
CREATE INDEX IF NOT EXISTS gauge_set_ids_unchecked ON gauge_set_ids (issued_at) WHERE NOT reuse_checked;
-- Audits of a window of time, and operations counted by name.
CREATE INDEX IF NOT EXISTS gauge_history_at ON gauge_history (at);
CREATE INDEX IF NOT EXISTS gauge_history_operation ON gauge_history (operation);
