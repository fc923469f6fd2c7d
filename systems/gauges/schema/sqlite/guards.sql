-- What is written once stays: the guards of the history, the ledger of set IDs and of what a gauge is (SQLite).
-- A name with `_guard_` says that the trigger only refuses, so that a restore may lift it for its own transaction.

CREATE TRIGGER IF NOT EXISTS gauge_history_guard_update BEFORE UPDATE ON gauge_history BEGIN
    SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_history_guard_delete BEFORE DELETE ON gauge_history BEGIN
    SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_history_subjects_guard_update BEFORE UPDATE ON gauge_history_subjects BEGIN
    SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_history_subjects_guard_delete BEFORE DELETE ON gauge_history_subjects BEGIN
    SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_set_ids_guard_update BEFORE UPDATE ON gauge_set_ids BEGIN
    SELECT RAISE(ABORT, 'a set ID that was given out stays given out');
END;
CREATE TRIGGER IF NOT EXISTS gauge_set_ids_guard_delete BEFORE DELETE ON gauge_set_ids BEGIN
    SELECT RAISE(ABORT, 'a set ID that was given out stays given out');
END;
CREATE TRIGGER IF NOT EXISTS gauge_movements_guard_update BEFORE UPDATE ON gauge_movements BEGIN
    SELECT RAISE(ABORT, 'movements are append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_movements_guard_delete BEFORE DELETE ON gauge_movements BEGIN
    SELECT RAISE(ABORT, 'movements are append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_qc_checks_guard_update BEFORE UPDATE ON gauge_qc_checks BEGIN
    SELECT RAISE(ABORT, 'QC checks are append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_qc_checks_guard_delete BEFORE DELETE ON gauge_qc_checks BEGIN
    SELECT RAISE(ABORT, 'QC checks are append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_calibrations_guard_update BEFORE UPDATE ON gauge_calibrations BEGIN
    SELECT RAISE(ABORT, 'calibrations are append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_calibrations_guard_delete BEFORE DELETE ON gauge_calibrations BEGIN
    SELECT RAISE(ABORT, 'calibrations are append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_standards_used_guard_update BEFORE UPDATE ON gauge_standards_used BEGIN
    SELECT RAISE(ABORT, 'calibrations are append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauge_standards_used_guard_delete BEFORE DELETE ON gauge_standards_used BEGIN
    SELECT RAISE(ABORT, 'calibrations are append-only');
END;
CREATE TRIGGER IF NOT EXISTS gauges_guard_delete BEFORE DELETE ON gauges BEGIN
    SELECT RAISE(ABORT, 'a gauge is deleted softly, its row stays');
END;
CREATE TRIGGER IF NOT EXISTS gauge_thread_specifications_guard_delete BEFORE DELETE ON gauge_thread_specifications BEGIN
    SELECT RAISE(ABORT, 'what a gauge is does not change');
END;
CREATE TRIGGER IF NOT EXISTS gauge_sets_guard_delete BEFORE DELETE ON gauge_sets BEGIN
    SELECT RAISE(ABORT, 'a set ends, its row stays');
END;
CREATE TRIGGER IF NOT EXISTS gauge_set_members_guard_delete BEFORE DELETE ON gauge_set_members BEGIN
    SELECT RAISE(ABORT, 'memberships are closed, never deleted');
END;
CREATE TRIGGER IF NOT EXISTS gauge_certificates_guard_delete BEFORE DELETE ON gauge_certificates BEGIN
    SELECT RAISE(ABORT, 'a certificate is superseded, never deleted');
END;
CREATE TRIGGER IF NOT EXISTS gauge_checkouts_guard_delete BEFORE DELETE ON gauge_checkouts BEGIN
    SELECT RAISE(ABORT, 'check-outs are closed, never deleted');
END;
CREATE TRIGGER IF NOT EXISTS gauge_history_head_guard_delete BEFORE DELETE ON gauge_history_head BEGIN
    SELECT RAISE(ABORT, 'the history does not lose its end');
END;
CREATE TRIGGER IF NOT EXISTS gauge_tolerance_cases_guard_delete BEFORE DELETE ON gauge_tolerance_cases BEGIN
    SELECT RAISE(ABORT, 'cases are closed, never deleted');
END;
CREATE TRIGGER IF NOT EXISTS gauge_categories_guard_delete BEFORE DELETE ON gauge_categories BEGIN
    SELECT RAISE(ABORT, 'numbers are counted on for ever');
END;
CREATE TRIGGER IF NOT EXISTS gauges_guard_frozen BEFORE UPDATE ON gauges
WHEN NEW.serial IS NOT OLD.serial OR NEW.category IS NOT OLD.category OR NEW.equipment_type IS NOT OLD.equipment_type OR NEW.name IS NOT OLD.name OR NEW.manufacturer IS NOT OLD.manufacturer OR NEW.model IS NOT OLD.model OR NEW.ownership IS NOT OLD.ownership OR NEW.customer IS NOT OLD.customer OR NEW.employee IS NOT OLD.employee OR NEW.created_entry IS NOT OLD.created_entry OR NEW.created_at IS NOT OLD.created_at OR NEW.created_by IS NOT OLD.created_by BEGIN
    SELECT RAISE(ABORT, 'what a gauge is does not change; delete it as a clerical error and register it anew');
END;
CREATE TRIGGER IF NOT EXISTS gauge_thread_specifications_guard_frozen BEFORE UPDATE ON gauge_thread_specifications
WHEN NEW.serial IS NOT OLD.serial OR NEW.thread_size IS NOT OLD.thread_size OR NEW.thread_type IS NOT OLD.thread_type OR NEW.thread_form IS NOT OLD.thread_form OR NEW.thread_class IS NOT OLD.thread_class OR NEW.gauge_type IS NOT OLD.gauge_type OR NEW.hand IS NOT OLD.hand OR NEW.acme_starts IS NOT OLD.acme_starts OR NEW.side IS NOT OLD.side BEGIN
    SELECT RAISE(ABORT, 'what a gauge is does not change; delete it as a clerical error and register it anew');
END;
CREATE TRIGGER IF NOT EXISTS gauge_set_members_guard_frozen BEFORE UPDATE ON gauge_set_members
WHEN NEW.set_id IS NOT OLD.set_id OR NEW.side IS NOT OLD.side OR NEW.from_entry IS NOT OLD.from_entry OR NEW.from_at IS NOT OLD.from_at OR NEW.serial IS NOT OLD.serial BEGIN
    SELECT RAISE(ABORT, 'a membership that began did begin');
END;
CREATE TRIGGER IF NOT EXISTS gauge_certificates_guard_frozen BEFORE UPDATE ON gauge_certificates
WHEN NEW.certificate IS NOT OLD.certificate OR NEW.serial IS NOT OLD.serial OR NEW.entry IS NOT OLD.entry OR NEW.laboratory IS NOT OLD.laboratory OR NEW.issued_on IS NOT OLD.issued_on OR NEW.file_name IS NOT OLD.file_name OR NEW.file_digest IS NOT OLD.file_digest BEGIN
    SELECT RAISE(ABORT, 'a certificate is superseded, never changed');
END;
CREATE TRIGGER IF NOT EXISTS gauge_set_members_guard_forward BEFORE UPDATE ON gauge_set_members
WHEN OLD.until_entry IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'a membership that ended did end');
END;
CREATE TRIGGER IF NOT EXISTS gauge_categories_guard_forward BEFORE UPDATE ON gauge_categories
WHEN NEW.next_number < OLD.next_number BEGIN
    SELECT RAISE(ABORT, 'numbers are counted on for ever');
END;
CREATE TRIGGER IF NOT EXISTS gauge_history_head_guard_forward BEFORE UPDATE ON gauge_history_head
WHEN NEW.entry <= OLD.entry BEGIN
    SELECT RAISE(ABORT, 'the history does not lose its end');
END;
