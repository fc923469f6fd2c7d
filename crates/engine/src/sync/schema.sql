CREATE TABLE IF NOT EXISTS plimsoll_sync_record (
    link text NOT NULL,
    record_key text NOT NULL,
    scope text NOT NULL,
    state text NOT NULL,
    badge text NOT NULL,
    due_ms bigint,
    failures bigint NOT NULL,
    lease_holder text NOT NULL,
    lease_epoch bigint NOT NULL,
    lease_until_ms bigint NOT NULL,
    changed_at text NOT NULL,
    PRIMARY KEY (link, record_key)
);
CREATE INDEX IF NOT EXISTS plimsoll_sync_record_due ON plimsoll_sync_record (link, due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS plimsoll_sync_record_badge ON plimsoll_sync_record (link, badge) WHERE badge <> 'synced';
CREATE TABLE IF NOT EXISTS plimsoll_sync_edit (
    link text NOT NULL,
    edit text NOT NULL,
    record_key text NOT NULL,
    scope text NOT NULL,
    author text NOT NULL,
    state text NOT NULL,
    fields text NOT NULL,
    reason text,
    created_at text NOT NULL,
    changed_at text NOT NULL,
    committed_ms bigint,
    settled_ms bigint,
    request text,
    PRIMARY KEY (link, edit)
);
CREATE INDEX IF NOT EXISTS plimsoll_sync_edit_record ON plimsoll_sync_edit (link, record_key);
CREATE INDEX IF NOT EXISTS plimsoll_sync_edit_state ON plimsoll_sync_edit (link, state, author);
CREATE TABLE IF NOT EXISTS plimsoll_sync_conflict (
    link text NOT NULL,
    record_key text NOT NULL,
    revision bigint NOT NULL,
    scope text NOT NULL,
    question text NOT NULL,
    opened_at text NOT NULL,
    closed_at text,
    closed_by text,
    answer text,
    PRIMARY KEY (link, record_key, revision)
);
CREATE INDEX IF NOT EXISTS plimsoll_sync_conflict_open ON plimsoll_sync_conflict (link, opened_at) WHERE closed_at IS NULL;
CREATE TABLE IF NOT EXISTS plimsoll_sync_rule (
    link text NOT NULL,
    field text NOT NULL,
    pick text NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    created_at text NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (link, field)
);
CREATE TABLE IF NOT EXISTS plimsoll_sync_history (
    link text NOT NULL,
    record_key text NOT NULL,
    version bigint NOT NULL,
    at text NOT NULL,
    actor text NOT NULL,
    because text NOT NULL,
    difference text NOT NULL,
    PRIMARY KEY (link, record_key, version)
);
CREATE TABLE IF NOT EXISTS plimsoll_sync_happening (
    link text NOT NULL,
    record_key text NOT NULL,
    number bigint NOT NULL,
    at text NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (link, record_key, number)
);
CREATE INDEX IF NOT EXISTS plimsoll_sync_happening_kind ON plimsoll_sync_happening (link, kind, at);
CREATE TABLE IF NOT EXISTS plimsoll_sync_pull (
    link text NOT NULL,
    scope text NOT NULL,
    cursor text NOT NULL,
    changed_at text,
    complete_at text,
    complete_rows bigint,
    held text,
    drift text,
    confirmed bigint NOT NULL,
    PRIMARY KEY (link, scope)
);
CREATE TABLE IF NOT EXISTS plimsoll_sync_count (
    link text NOT NULL,
    worker text NOT NULL,
    name text NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (link, worker, name)
);
CREATE TABLE IF NOT EXISTS plimsoll_sync_stamp (
    link text NOT NULL,
    scope text NOT NULL,
    shard bigint NOT NULL,
    token text NOT NULL,
    PRIMARY KEY (link, scope, shard)
);
CREATE INDEX IF NOT EXISTS plimsoll_sync_happening_at ON plimsoll_sync_happening (link, at);
CREATE INDEX IF NOT EXISTS plimsoll_sync_history_at ON plimsoll_sync_history (link, at);
