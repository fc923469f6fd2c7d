-- The journal of Plimsoll on PostgreSQL. See journal/mod.rs for what each table holds.
CREATE TABLE IF NOT EXISTS plimsoll_plan (
    id text PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    system text NOT NULL,
    change_kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('building', 'ready', 'purged')),
    created_at text NOT NULL,
    actor text NOT NULL,
    source text NOT NULL,
    shapes text NOT NULL,
    digest text NOT NULL,
    items bigint NOT NULL,
    changes bigint NOT NULL,
    refused bigint NOT NULL,
    unchanged bigint NOT NULL,
    journal_bytes bigint NOT NULL,
    facts text NOT NULL,
    approved_by text,
    approved_at text,
    approved_digest text,
    undoes text,
    replays text
);
CREATE TABLE IF NOT EXISTS plimsoll_item (
    plan bigint NOT NULL,
    item bigint NOT NULL,
    label text NOT NULL,
    record text,
    refusal text,
    PRIMARY KEY (plan, item)
);
CREATE TABLE IF NOT EXISTS plimsoll_change (
    plan bigint NOT NULL,
    item bigint NOT NULL,
    position bigint NOT NULL,
    table_name text NOT NULL,
    row_key text NOT NULL,
    before_image text,
    after_image text,
    PRIMARY KEY (plan, item, position)
);
CREATE INDEX IF NOT EXISTS plimsoll_change_row ON plimsoll_change (table_name, row_key);
CREATE TABLE IF NOT EXISTS plimsoll_run (
    id text PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    plan text NOT NULL,
    system text NOT NULL,
    change_kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'paused', 'stopped', 'cancelled', 'finished')),
    requested text CHECK (requested IN ('pause', 'cancel')),
    actor text NOT NULL,
    reason text NOT NULL,
    settings text NOT NULL,
    started_at text NOT NULL,
    finished_at text,
    duration_ms bigint NOT NULL,
    planned bigint NOT NULL,
    applied bigint NOT NULL,
    noop bigint NOT NULL,
    conflicted bigint NOT NULL,
    quarantined bigint NOT NULL,
    skipped bigint NOT NULL,
    batches bigint NOT NULL,
    rows_written bigint NOT NULL,
    stop_class text,
    stop_reason text,
    undoes text,
    undo_mode text,
    backup text,
    owner text,
    epoch bigint NOT NULL,
    lease_until text
);
CREATE TABLE IF NOT EXISTS plimsoll_partition (
    run text NOT NULL,
    number bigint NOT NULL,
    plan bigint NOT NULL,
    first_item bigint NOT NULL,
    end_item bigint NOT NULL,
    next_item bigint NOT NULL,
    batches bigint NOT NULL,
    last_receipt text NOT NULL,
    PRIMARY KEY (run, number)
);
CREATE TABLE IF NOT EXISTS plimsoll_batch (
    run text NOT NULL,
    partition bigint NOT NULL,
    number bigint NOT NULL,
    plan bigint NOT NULL,
    first_item bigint NOT NULL,
    end_item bigint NOT NULL,
    applied bigint NOT NULL,
    noop bigint NOT NULL,
    conflicted bigint NOT NULL,
    quarantined bigint NOT NULL,
    skipped bigint NOT NULL,
    rows_written bigint NOT NULL,
    attempts bigint NOT NULL,
    exceptions text NOT NULL,
    committed_at text NOT NULL,
    duration_us bigint NOT NULL,
    PRIMARY KEY (run, partition, number)
);
CREATE TABLE IF NOT EXISTS plimsoll_receipt (
    run text NOT NULL,
    partition bigint NOT NULL,
    number bigint NOT NULL,
    previous text NOT NULL,
    changes_digest text NOT NULL,
    outcome_digest text NOT NULL,
    digest text NOT NULL,
    PRIMARY KEY (run, partition, number)
);
CREATE TABLE IF NOT EXISTS plimsoll_quarantine (
    id text PRIMARY KEY,
    system text NOT NULL,
    run text NOT NULL,
    plan bigint NOT NULL,
    item bigint NOT NULL,
    label text NOT NULL,
    class text NOT NULL,
    reason text NOT NULL,
    together_with text,
    record text,
    record_digest text,
    changes text NOT NULL,
    edited text,
    status text NOT NULL CHECK (status IN ('open', 'replayed', 'dropped')),
    created_at text NOT NULL,
    changed_at text NOT NULL
);
CREATE INDEX IF NOT EXISTS plimsoll_quarantine_run ON plimsoll_quarantine (run, item);
CREATE INDEX IF NOT EXISTS plimsoll_quarantine_record ON plimsoll_quarantine (system, record_digest);
CREATE TABLE IF NOT EXISTS plimsoll_event (
    number bigint PRIMARY KEY,
    at text NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    previous text NOT NULL,
    digest text NOT NULL
);
CREATE INDEX IF NOT EXISTS plimsoll_event_subject ON plimsoll_event (subject);
CREATE TABLE IF NOT EXISTS plimsoll_backup (
    id text PRIMARY KEY,
    created_at text NOT NULL,
    method text NOT NULL,
    location text NOT NULL,
    bytes bigint NOT NULL,
    digests text NOT NULL,
    verified_at text NOT NULL
);
CREATE OR REPLACE FUNCTION plimsoll_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END;
$body$;
CREATE OR REPLACE TRIGGER plimsoll_receipt_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plimsoll_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION plimsoll_append_only();
CREATE OR REPLACE TRIGGER plimsoll_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plimsoll_event
    FOR EACH STATEMENT EXECUTE FUNCTION plimsoll_append_only();
