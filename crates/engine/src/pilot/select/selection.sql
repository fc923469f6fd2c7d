CREATE TABLE IF NOT EXISTS plimsoll_pilot_selection (
    id text NOT NULL PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    request text NOT NULL,
    cohort text NOT NULL,
    members bigint NOT NULL,
    customers bigint NOT NULL,
    made_at text NOT NULL,
    made_by text NOT NULL,
    reason text NOT NULL
);
