-- Incidents and the notices that tell of them. The same text for SQLite and PostgreSQL.
CREATE TABLE IF NOT EXISTS plimsoll_incident (
    id text PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    cause text NOT NULL,
    system text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'acknowledged', 'resolved')),
    severity text NOT NULL CHECK (severity IN ('P0', 'P1', 'P2')),
    title text NOT NULL,
    detail text NOT NULL,
    runbook text NOT NULL,
    occurrences bigint NOT NULL,
    reopened bigint NOT NULL,
    notices bigint NOT NULL,
    first_at text NOT NULL,
    last_at text NOT NULL,
    noticed_at text,
    clear_since text,
    acknowledged_by text,
    acknowledged_at text,
    resolved_by text,
    resolved_at text,
    resolution text
);
CREATE UNIQUE INDEX IF NOT EXISTS plimsoll_incident_cause ON plimsoll_incident (cause) WHERE status <> 'resolved';
CREATE INDEX IF NOT EXISTS plimsoll_incident_last ON plimsoll_incident (last_at);
CREATE TABLE IF NOT EXISTS plimsoll_notice (
    id text PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    incident text,
    kind text NOT NULL CHECK (kind IN ('opened', 'reopened', 'escalated', 'reminder', 'resolved', 'digest', 'test')),
    severity text NOT NULL,
    body text NOT NULL,
    status text NOT NULL CHECK (status IN ('waiting', 'sent', 'withdrawn')),
    not_before text NOT NULL,
    attempts bigint NOT NULL,
    last_error text,
    created_at text NOT NULL,
    sent_at text
);
CREATE INDEX IF NOT EXISTS plimsoll_notice_status ON plimsoll_notice (status, number);
