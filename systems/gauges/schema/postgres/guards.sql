-- What is written once stays: the guards of the history, the ledger of set IDs and of what a gauge is (PostgreSQL).
-- A name with `_guard_` says that the trigger only refuses, so that a restore may lift it for its own transaction.

CREATE OR REPLACE FUNCTION gauge_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$guard$;
DROP TRIGGER IF EXISTS gauge_history_guard_update ON gauge_history;
CREATE TRIGGER gauge_history_guard_update BEFORE UPDATE ON gauge_history
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('the history is append-only');
DROP TRIGGER IF EXISTS gauge_history_guard_delete ON gauge_history;
CREATE TRIGGER gauge_history_guard_delete BEFORE DELETE ON gauge_history
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('the history is append-only');
DROP TRIGGER IF EXISTS gauge_history_subjects_guard_update ON gauge_history_subjects;
CREATE TRIGGER gauge_history_subjects_guard_update BEFORE UPDATE ON gauge_history_subjects
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('the history is append-only');
DROP TRIGGER IF EXISTS gauge_history_subjects_guard_delete ON gauge_history_subjects;
CREATE TRIGGER gauge_history_subjects_guard_delete BEFORE DELETE ON gauge_history_subjects
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('the history is append-only');
DROP TRIGGER IF EXISTS gauge_set_ids_guard_update ON gauge_set_ids;
CREATE TRIGGER gauge_set_ids_guard_update BEFORE UPDATE ON gauge_set_ids
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('a set ID that was given out stays given out');
DROP TRIGGER IF EXISTS gauge_set_ids_guard_delete ON gauge_set_ids;
CREATE TRIGGER gauge_set_ids_guard_delete BEFORE DELETE ON gauge_set_ids
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('a set ID that was given out stays given out');
DROP TRIGGER IF EXISTS gauge_movements_guard_update ON gauge_movements;
CREATE TRIGGER gauge_movements_guard_update BEFORE UPDATE ON gauge_movements
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('movements are append-only');
DROP TRIGGER IF EXISTS gauge_movements_guard_delete ON gauge_movements;
CREATE TRIGGER gauge_movements_guard_delete BEFORE DELETE ON gauge_movements
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('movements are append-only');
DROP TRIGGER IF EXISTS gauge_qc_checks_guard_update ON gauge_qc_checks;
CREATE TRIGGER gauge_qc_checks_guard_update BEFORE UPDATE ON gauge_qc_checks
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('QC checks are append-only');
DROP TRIGGER IF EXISTS gauge_qc_checks_guard_delete ON gauge_qc_checks;
CREATE TRIGGER gauge_qc_checks_guard_delete BEFORE DELETE ON gauge_qc_checks
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('QC checks are append-only');
DROP TRIGGER IF EXISTS gauge_calibrations_guard_update ON gauge_calibrations;
CREATE TRIGGER gauge_calibrations_guard_update BEFORE UPDATE ON gauge_calibrations
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('calibrations are append-only');
DROP TRIGGER IF EXISTS gauge_calibrations_guard_delete ON gauge_calibrations;
CREATE TRIGGER gauge_calibrations_guard_delete BEFORE DELETE ON gauge_calibrations
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('calibrations are append-only');
DROP TRIGGER IF EXISTS gauge_standards_used_guard_update ON gauge_standards_used;
CREATE TRIGGER gauge_standards_used_guard_update BEFORE UPDATE ON gauge_standards_used
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('calibrations are append-only');
DROP TRIGGER IF EXISTS gauge_standards_used_guard_delete ON gauge_standards_used;
CREATE TRIGGER gauge_standards_used_guard_delete BEFORE DELETE ON gauge_standards_used
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('calibrations are append-only');
DROP TRIGGER IF EXISTS gauges_guard_delete ON gauges;
CREATE TRIGGER gauges_guard_delete BEFORE DELETE ON gauges
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('a gauge is deleted softly, its row stays');
DROP TRIGGER IF EXISTS gauge_thread_specifications_guard_delete ON gauge_thread_specifications;
CREATE TRIGGER gauge_thread_specifications_guard_delete BEFORE DELETE ON gauge_thread_specifications
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('what a gauge is does not change');
DROP TRIGGER IF EXISTS gauge_sets_guard_delete ON gauge_sets;
CREATE TRIGGER gauge_sets_guard_delete BEFORE DELETE ON gauge_sets
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('a set ends, its row stays');
DROP TRIGGER IF EXISTS gauge_set_members_guard_delete ON gauge_set_members;
CREATE TRIGGER gauge_set_members_guard_delete BEFORE DELETE ON gauge_set_members
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('memberships are closed, never deleted');
DROP TRIGGER IF EXISTS gauge_certificates_guard_delete ON gauge_certificates;
CREATE TRIGGER gauge_certificates_guard_delete BEFORE DELETE ON gauge_certificates
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('a certificate is superseded, never deleted');
DROP TRIGGER IF EXISTS gauge_checkouts_guard_delete ON gauge_checkouts;
CREATE TRIGGER gauge_checkouts_guard_delete BEFORE DELETE ON gauge_checkouts
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('check-outs are closed, never deleted');
DROP TRIGGER IF EXISTS gauge_history_head_guard_delete ON gauge_history_head;
CREATE TRIGGER gauge_history_head_guard_delete BEFORE DELETE ON gauge_history_head
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('the history does not lose its end');
DROP TRIGGER IF EXISTS gauge_tolerance_cases_guard_delete ON gauge_tolerance_cases;
CREATE TRIGGER gauge_tolerance_cases_guard_delete BEFORE DELETE ON gauge_tolerance_cases
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('cases are closed, never deleted');
DROP TRIGGER IF EXISTS gauge_categories_guard_delete ON gauge_categories;
CREATE TRIGGER gauge_categories_guard_delete BEFORE DELETE ON gauge_categories
    FOR EACH ROW EXECUTE FUNCTION gauge_guard('numbers are counted on for ever');
DROP TRIGGER IF EXISTS gauges_guard_frozen ON gauges;
CREATE TRIGGER gauges_guard_frozen BEFORE UPDATE ON gauges
    FOR EACH ROW
    WHEN (NEW.serial IS DISTINCT FROM OLD.serial OR NEW.category IS DISTINCT FROM OLD.category OR NEW.equipment_type IS DISTINCT FROM OLD.equipment_type OR NEW.name IS DISTINCT FROM OLD.name OR NEW.manufacturer IS DISTINCT FROM OLD.manufacturer OR NEW.model IS DISTINCT FROM OLD.model OR NEW.ownership IS DISTINCT FROM OLD.ownership OR NEW.customer IS DISTINCT FROM OLD.customer OR NEW.employee IS DISTINCT FROM OLD.employee OR NEW.created_entry IS DISTINCT FROM OLD.created_entry OR NEW.created_at IS DISTINCT FROM OLD.created_at OR NEW.created_by IS DISTINCT FROM OLD.created_by) EXECUTE FUNCTION gauge_guard('what a gauge is does not change; delete it as a clerical error and register it anew');
DROP TRIGGER IF EXISTS gauge_thread_specifications_guard_frozen ON gauge_thread_specifications;
CREATE TRIGGER gauge_thread_specifications_guard_frozen BEFORE UPDATE ON gauge_thread_specifications
    FOR EACH ROW
    WHEN (NEW.serial IS DISTINCT FROM OLD.serial OR NEW.thread_size IS DISTINCT FROM OLD.thread_size OR NEW.thread_type IS DISTINCT FROM OLD.thread_type OR NEW.thread_form IS DISTINCT FROM OLD.thread_form OR NEW.thread_class IS DISTINCT FROM OLD.thread_class OR NEW.gauge_type IS DISTINCT FROM OLD.gauge_type OR NEW.hand IS DISTINCT FROM OLD.hand OR NEW.acme_starts IS DISTINCT FROM OLD.acme_starts OR NEW.side IS DISTINCT FROM OLD.side) EXECUTE FUNCTION gauge_guard('what a gauge is does not change; delete it as a clerical error and register it anew');
DROP TRIGGER IF EXISTS gauge_set_members_guard_frozen ON gauge_set_members;
CREATE TRIGGER gauge_set_members_guard_frozen BEFORE UPDATE ON gauge_set_members
    FOR EACH ROW
    WHEN (NEW.set_id IS DISTINCT FROM OLD.set_id OR NEW.side IS DISTINCT FROM OLD.side OR NEW.from_entry IS DISTINCT FROM OLD.from_entry OR NEW.from_at IS DISTINCT FROM OLD.from_at OR NEW.serial IS DISTINCT FROM OLD.serial) EXECUTE FUNCTION gauge_guard('a membership that began did begin');
DROP TRIGGER IF EXISTS gauge_certificates_guard_frozen ON gauge_certificates;
CREATE TRIGGER gauge_certificates_guard_frozen BEFORE UPDATE ON gauge_certificates
    FOR EACH ROW
    WHEN (NEW.certificate IS DISTINCT FROM OLD.certificate OR NEW.serial IS DISTINCT FROM OLD.serial OR NEW.entry IS DISTINCT FROM OLD.entry OR NEW.laboratory IS DISTINCT FROM OLD.laboratory OR NEW.issued_on IS DISTINCT FROM OLD.issued_on OR NEW.file_name IS DISTINCT FROM OLD.file_name OR NEW.file_digest IS DISTINCT FROM OLD.file_digest) EXECUTE FUNCTION gauge_guard('a certificate is superseded, never changed');
DROP TRIGGER IF EXISTS gauge_set_members_guard_forward ON gauge_set_members;
CREATE TRIGGER gauge_set_members_guard_forward BEFORE UPDATE ON gauge_set_members
    FOR EACH ROW
    WHEN (OLD.until_entry IS NOT NULL) EXECUTE FUNCTION gauge_guard('a membership that ended did end');
DROP TRIGGER IF EXISTS gauge_categories_guard_forward ON gauge_categories;
CREATE TRIGGER gauge_categories_guard_forward BEFORE UPDATE ON gauge_categories
    FOR EACH ROW
    WHEN (NEW.next_number < OLD.next_number) EXECUTE FUNCTION gauge_guard('numbers are counted on for ever');
DROP TRIGGER IF EXISTS gauge_history_head_guard_forward ON gauge_history_head;
CREATE TRIGGER gauge_history_head_guard_forward BEFORE UPDATE ON gauge_history_head
    FOR EACH ROW
    WHEN (NEW.entry <= OLD.entry) EXECUTE FUNCTION gauge_guard('the history does not lose its end');
