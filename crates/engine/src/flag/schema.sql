CREATE TABLE IF NOT EXISTS plimsoll_flag (
    id text PRIMARY KEY,
    name text NOT NULL,
    salt text NOT NULL UNIQUE,
    version bigint NOT NULL,
    archived bigint NOT NULL CHECK (archived IN (0, 1)),
    definition text NOT NULL,
    created_at text NOT NULL,
    changed_at text NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS plimsoll_flag_name ON plimsoll_flag (name) WHERE archived = 0;
CREATE TABLE IF NOT EXISTS plimsoll_flag_key (
    flag text NOT NULL REFERENCES plimsoll_flag (id),
    key text NOT NULL,
    PRIMARY KEY (flag, key)
);
CREATE TABLE IF NOT EXISTS plimsoll_flag_member (
    flag text NOT NULL REFERENCES plimsoll_flag (id),
    key text NOT NULL,
    variant text,
    entered bigint NOT NULL,
    departed bigint,
    PRIMARY KEY (flag, key, entered)
);
CREATE TABLE IF NOT EXISTS plimsoll_flag_segment (
    number bigint PRIMARY KEY,
    name text NOT NULL,
    archived bigint NOT NULL CHECK (archived IN (0, 1)),
    definition text NOT NULL
);
CREATE TABLE IF NOT EXISTS plimsoll_flag_version (
    one bigint PRIMARY KEY CHECK (one = 1),
    number bigint NOT NULL
);
