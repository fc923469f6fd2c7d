-- Gauge sets: the tables, parents before children; the same in both databases.
-- Moments are texts of one width (2026-11-29T12:00:00.000Z) and days are 2026-11-29, so that the order of the texts is
-- the order of time in every database, and what the history's digests cover is what is stored.
-- `entry` is always the number of the line of gauge_history that tells why the row is there.

CREATE TABLE IF NOT EXISTS gauge_users (
    user_name text NOT NULL PRIMARY KEY,
    full_name text NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'qc', 'supervisor', 'admin')),
    department text,
    active boolean NOT NULL
);
CREATE TABLE IF NOT EXISTS gauge_settings (
    name text NOT NULL PRIMARY KEY,
    setting text NOT NULL
);
CREATE TABLE IF NOT EXISTS gauge_categories (
    category text NOT NULL PRIMARY KEY,
    title text NOT NULL,
    equipment_type text NOT NULL CHECK (equipment_type IN ('thread_gauge', 'hand_tool', 'large_equipment', 'calibration_standard')),
    thread_type text,
    gauge_type text CHECK (gauge_type IN ('plug', 'ring')),
    next_number bigint NOT NULL CHECK (next_number > 0)
);
CREATE TABLE IF NOT EXISTS gauge_locations (
    location text NOT NULL PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('bin', 'shelf', 'rack', 'cabinet', 'drawer', 'room', 'other')),
    title text NOT NULL,
    zone text,
    building text,
    facility text,
    active boolean NOT NULL,
    allowed text
);
CREATE TABLE IF NOT EXISTS gauge_rejection_reasons (
    reason_code text NOT NULL PRIMARY KEY,
    title text NOT NULL,
    active boolean NOT NULL
);

-- The history: append-only, each line holding the digest of the one before.
CREATE TABLE IF NOT EXISTS gauge_history (
    entry bigint NOT NULL PRIMARY KEY CHECK (entry > 0),
    at text NOT NULL CHECK (length(at) = 24),
    actor text NOT NULL CHECK (length(actor) > 0),
    operation text NOT NULL,
    set_id text,
    reason text NOT NULL CHECK (length(reason) > 0),
    subjects text NOT NULL,
    detail text NOT NULL,
    previous text NOT NULL,
    digest text NOT NULL
);
CREATE INDEX IF NOT EXISTS gauge_history_set ON gauge_history (set_id, entry);
-- Which gauges and sets a line is about, so that the history of one is an indexed look-up.
CREATE TABLE IF NOT EXISTS gauge_history_subjects (
    subject text NOT NULL,
    entry bigint NOT NULL REFERENCES gauge_history (entry),
    PRIMARY KEY (subject, entry)
);
-- Where the chain ends, so that lines cut off its end are missed too.
CREATE TABLE IF NOT EXISTS gauge_history_head (
    name text NOT NULL PRIMARY KEY CHECK (name = 'head'),
    entry bigint NOT NULL,
    at text NOT NULL,
    digest text NOT NULL
);

-- Every set ID ever given out. A row is never changed or deleted, so no ID is given out twice; issue 2 and later exist
-- only while set_id_reuse_check was off, and say so.
CREATE TABLE IF NOT EXISTS gauge_set_ids (
    set_id text NOT NULL,
    issue bigint NOT NULL CHECK (issue > 0),
    category text NOT NULL REFERENCES gauge_categories (category),
    number bigint NOT NULL CHECK (number > 0),
    origin text NOT NULL CHECK (origin IN ('automatic', 'typed', 'paired', 'imported', 'backfilled')),
    reuse_checked boolean NOT NULL,
    entry bigint NOT NULL,
    issued_at text NOT NULL CHECK (length(issued_at) = 24),
    issued_by text NOT NULL,
    PRIMARY KEY (set_id, issue),
    CHECK (issue = 1 OR NOT reuse_checked)
);
CREATE TABLE IF NOT EXISTS gauge_sets (
    set_id text NOT NULL PRIMARY KEY,
    category text NOT NULL REFERENCES gauge_categories (category),
    likeness text NOT NULL,
    created_entry bigint NOT NULL,
    created_at text NOT NULL,
    created_by text NOT NULL,
    ended text CHECK (ended IN ('unpaired', 'retired', 'returned', 'deleted')),
    ended_entry bigint,
    ended_at text,
    CHECK ((ended IS NULL) = (ended_entry IS NULL) AND (ended IS NULL) = (ended_at IS NULL))
);
CREATE TABLE IF NOT EXISTS gauges (
    serial text NOT NULL PRIMARY KEY CHECK (length(serial) > 0),
    category text NOT NULL REFERENCES gauge_categories (category),
    equipment_type text NOT NULL CHECK (equipment_type IN ('thread_gauge', 'hand_tool', 'large_equipment', 'calibration_standard')),
    name text NOT NULL,
    manufacturer text,
    model text,
    ownership text NOT NULL CHECK (ownership IN ('company', 'customer', 'employee')),
    customer text,
    employee text,
    status text NOT NULL CHECK (status IN ('available', 'checked_out', 'calibration_due', 'pending_qc', 'out_of_service',
        'pending_unseal', 'retired', 'out_for_calibration', 'pending_certificate', 'pending_release', 'returned', 'lost',
        'deleted')),
    set_id text REFERENCES gauge_sets (set_id),
    sealed boolean NOT NULL,
    location text REFERENCES gauge_locations (location),
    interval_days bigint NOT NULL CHECK (interval_days > 0),
    certified_on text CHECK (length(certified_on) = 10),
    unsealed_on text CHECK (length(unsealed_on) = 10),
    due_on text CHECK (length(due_on) = 10),
    deleted_reason text,
    created_entry bigint NOT NULL,
    created_at text NOT NULL,
    created_by text NOT NULL,
    CHECK ((ownership = 'customer') = (customer IS NOT NULL)),
    CHECK ((ownership = 'employee') = (employee IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS gauges_set ON gauges (set_id);
CREATE INDEX IF NOT EXISTS gauges_status ON gauges (status, due_on);
CREATE TABLE IF NOT EXISTS gauge_thread_specifications (
    serial text NOT NULL PRIMARY KEY REFERENCES gauges (serial),
    thread_size text NOT NULL,
    thread_type text NOT NULL CHECK (thread_type IN ('standard', 'metric', 'acme', 'npt', 'sti', 'spiralock')),
    thread_form text CHECK (thread_form IN ('UN', 'UNF', 'UNEF', 'UNS', 'UNR', 'UNJ', 'NPT', 'NPTF')),
    thread_class text NOT NULL,
    gauge_type text NOT NULL CHECK (gauge_type IN ('plug', 'ring')),
    hand text NOT NULL CHECK (hand IN ('RH', 'LH')),
    acme_starts bigint CHECK (acme_starts BETWEEN 1 AND 4),
    side text NOT NULL CHECK (side IN ('go', 'nogo'))
);
CREATE INDEX IF NOT EXISTS gauge_thread_specifications_size ON gauge_thread_specifications (thread_size, thread_class, side);
-- Who was a member of which set, from when until when. One GO and one NO-GO at a time, a gauge in one set at a time.
CREATE TABLE IF NOT EXISTS gauge_set_members (
    set_id text NOT NULL REFERENCES gauge_sets (set_id),
    side text NOT NULL CHECK (side IN ('go', 'nogo')),
    from_entry bigint NOT NULL,
    from_at text NOT NULL CHECK (length(from_at) = 24),
    serial text NOT NULL REFERENCES gauges (serial),
    until_entry bigint CHECK (until_entry > from_entry),
    until_at text CHECK (length(until_at) = 24),
    PRIMARY KEY (set_id, side, from_entry),
    CHECK ((until_entry IS NULL) = (until_at IS NULL) AND (until_at IS NULL OR until_at >= from_at))
);
CREATE UNIQUE INDEX IF NOT EXISTS gauge_set_members_side ON gauge_set_members (set_id, side) WHERE until_entry IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS gauge_set_members_gauge ON gauge_set_members (serial) WHERE until_entry IS NULL;
CREATE INDEX IF NOT EXISTS gauge_set_members_serial ON gauge_set_members (serial, from_entry);

CREATE TABLE IF NOT EXISTS gauge_movements (
    serial text NOT NULL REFERENCES gauges (serial),
    entry bigint NOT NULL,
    at text NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    from_location text,
    to_location text,
    PRIMARY KEY (serial, entry)
);
CREATE TABLE IF NOT EXISTS gauge_checkouts (
    serial text NOT NULL REFERENCES gauges (serial),
    entry bigint NOT NULL,
    set_id text,
    holder text NOT NULL REFERENCES gauge_users (user_name),
    department text,
    work_job text,
    part text,
    work_order text,
    out_at text NOT NULL,
    expected_on text,
    returned_entry bigint,
    returned_at text,
    returned_by text,
    PRIMARY KEY (serial, entry),
    CHECK ((returned_entry IS NULL) = (returned_at IS NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS gauge_checkouts_open ON gauge_checkouts (serial) WHERE returned_entry IS NULL;
CREATE TABLE IF NOT EXISTS gauge_transfers (
    serial text NOT NULL REFERENCES gauges (serial),
    entry bigint NOT NULL,
    from_user text NOT NULL REFERENCES gauge_users (user_name),
    to_user text NOT NULL REFERENCES gauge_users (user_name),
    state text NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'cancelled')),
    ended_entry bigint,
    PRIMARY KEY (serial, entry),
    CHECK ((state = 'pending') = (ended_entry IS NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS gauge_transfers_open ON gauge_transfers (serial) WHERE ended_entry IS NULL;
CREATE TABLE IF NOT EXISTS gauge_unseal_requests (
    serial text NOT NULL REFERENCES gauges (serial),
    entry bigint NOT NULL,
    asked_by text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'approved', 'confirmed', 'rejected')),
    approved_by text,
    ended_entry bigint,
    PRIMARY KEY (serial, entry),
    CHECK ((state IN ('pending', 'approved')) = (ended_entry IS NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS gauge_unseal_requests_open ON gauge_unseal_requests (serial) WHERE ended_entry IS NULL;
CREATE TABLE IF NOT EXISTS gauge_qc_checks (
    serial text NOT NULL REFERENCES gauges (serial),
    entry bigint NOT NULL,
    inspector text NOT NULL,
    result text NOT NULL CHECK (result IN ('pass', 'fail')),
    rejection_reason text REFERENCES gauge_rejection_reasons (reason_code),
    PRIMARY KEY (serial, entry),
    CHECK (result = 'pass' OR rejection_reason IS NOT NULL)
);
CREATE TABLE IF NOT EXISTS gauge_calibration_batches (
    batch text NOT NULL PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('internal', 'external')),
    vendor text,
    tracking text,
    state text NOT NULL CHECK (state IN ('pending_send', 'sent', 'completed', 'cancelled')),
    created_entry bigint NOT NULL,
    sent_entry bigint,
    ended_entry bigint,
    CHECK (kind = 'internal' OR vendor IS NOT NULL)
);
CREATE TABLE IF NOT EXISTS gauge_calibration_members (
    batch text NOT NULL REFERENCES gauge_calibration_batches (batch),
    serial text NOT NULL REFERENCES gauges (serial),
    entry bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('added', 'sent', 'passed', 'failed', 'removed')),
    PRIMARY KEY (batch, serial)
);
CREATE UNIQUE INDEX IF NOT EXISTS gauge_calibration_members_open ON gauge_calibration_members (serial)
    WHERE state IN ('added', 'sent');
CREATE TABLE IF NOT EXISTS gauge_calibrations (
    serial text NOT NULL REFERENCES gauges (serial),
    entry bigint NOT NULL,
    batch text REFERENCES gauge_calibration_batches (batch),
    calibrated_on text NOT NULL,
    laboratory text NOT NULL,
    technician text,
    result text NOT NULL CHECK (result IN ('pass', 'fail')),
    as_found text NOT NULL,
    as_found_in_tolerance boolean NOT NULL,
    as_left text NOT NULL,
    standards text NOT NULL,
    PRIMARY KEY (serial, entry)
);
CREATE TABLE IF NOT EXISTS gauge_certificates (
    certificate text NOT NULL PRIMARY KEY,
    serial text NOT NULL REFERENCES gauges (serial),
    entry bigint NOT NULL,
    laboratory text NOT NULL,
    issued_on text NOT NULL CHECK (length(issued_on) = 10),
    file_name text,
    file_digest text,
    verified_by text,
    verified_entry bigint,
    superseded_by text REFERENCES gauge_certificates (certificate),
    superseded_entry bigint,
    CHECK ((superseded_by IS NULL) = (superseded_entry IS NULL))
);
CREATE INDEX IF NOT EXISTS gauge_certificates_serial ON gauge_certificates (serial, entry);
-- Which standard a calibration used, with the standard's own certificate as it was then.
CREATE TABLE IF NOT EXISTS gauge_standards_used (
    serial text NOT NULL,
    entry bigint NOT NULL,
    standard text NOT NULL REFERENCES gauges (serial),
    standard_certificate text,
    standard_due_on text,
    PRIMARY KEY (serial, entry, standard)
);
-- A gauge that was found out of tolerance: what it may have touched, and what was done about it.
CREATE TABLE IF NOT EXISTS gauge_tolerance_cases (
    case_entry bigint NOT NULL PRIMARY KEY,
    serial text NOT NULL REFERENCES gauges (serial),
    window_from text,
    window_until text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'disposed', 'notified', 'closed')),
    disposition text,
    notified text,
    closed_entry bigint,
    CHECK ((state = 'closed') = (closed_entry IS NOT NULL)),
    CHECK (state = 'open' OR disposition IS NOT NULL)
);
