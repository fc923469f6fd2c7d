-- Schedules, their runs, and who holds each. The same text for SQLite and PostgreSQL.
CREATE TABLE IF NOT EXISTS plimsoll_schedule (
    name text PRIMARY KEY,
    cron text NOT NULL,
    zone text NOT NULL,
    command text NOT NULL,
    missed text NOT NULL CHECK (missed IN ('skip', 'once', 'all')),
    severity text NOT NULL CHECK (severity IN ('P0', 'P1', 'P2')),
    limit_minutes bigint NOT NULL,
    enabled bigint NOT NULL CHECK (enabled IN (0, 1)),
    due_at text,
    created_at text NOT NULL,
    changed_at text NOT NULL
);
CREATE TABLE IF NOT EXISTS plimsoll_schedule_run (
    id text PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    schedule text NOT NULL,
    due_at text NOT NULL,
    started_at text NOT NULL,
    finished_at text,
    outcome text NOT NULL
        CHECK (outcome IN ('running', 'done', 'exceptions', 'refused', 'failed', 'abandoned', 'skipped')),
    exit_code bigint,
    duration_ms bigint,
    output text NOT NULL,
    holder text NOT NULL,
    epoch bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS plimsoll_schedule_run_schedule ON plimsoll_schedule_run (schedule, number);
CREATE TABLE IF NOT EXISTS plimsoll_schedule_lease (
    schedule text PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    until text NOT NULL
);
