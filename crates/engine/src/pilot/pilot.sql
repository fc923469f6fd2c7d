CREATE TABLE IF NOT EXISTS plimsoll_pilot_member (
    customer text NOT NULL PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    canary bigint NOT NULL,
    stage text NOT NULL,
    state text NOT NULL,
    enrolled_at text NOT NULL,
    enrolled_by text NOT NULL,
    reason text NOT NULL,
    changed_at text NOT NULL
);
CREATE TABLE IF NOT EXISTS plimsoll_pilot_record (
    entity text NOT NULL,
    record_key text NOT NULL,
    code text NOT NULL,
    form text,
    held text,
    changed_at text NOT NULL,
    PRIMARY KEY (entity, record_key)
);
CREATE UNIQUE INDEX IF NOT EXISTS plimsoll_pilot_record_code ON plimsoll_pilot_record (entity, code);
CREATE INDEX IF NOT EXISTS plimsoll_pilot_record_held ON plimsoll_pilot_record (entity) WHERE held IS NOT NULL;
CREATE TABLE IF NOT EXISTS plimsoll_pilot_due (
    entity text NOT NULL,
    record_key text NOT NULL,
    waits text,
    since text NOT NULL,
    PRIMARY KEY (entity, record_key)
);
CREATE TABLE IF NOT EXISTS plimsoll_pilot_place (
    reader text NOT NULL PRIMARY KEY,
    writer bigint NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS plimsoll_pilot_event (
    number bigint NOT NULL PRIMARY KEY,
    customer text NOT NULL,
    at text NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL
);
CREATE INDEX IF NOT EXISTS plimsoll_pilot_event_customer ON plimsoll_pilot_event (customer, number);
CREATE TABLE IF NOT EXISTS plimsoll_pilot_certificate (
    customer text NOT NULL,
    round bigint NOT NULL,
    issued_at text NOT NULL,
    certificate text NOT NULL,
    PRIMARY KEY (customer, round)
);
