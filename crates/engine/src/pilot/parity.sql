CREATE TABLE IF NOT EXISTS plimsoll_parity_record (
    entity text NOT NULL,
    row_key text NOT NULL,
    record_key text NOT NULL,
    segment bigint NOT NULL,
    lane_1 bigint NOT NULL,
    lane_2 bigint NOT NULL,
    lane_3 bigint NOT NULL,
    lane_4 bigint NOT NULL,
    PRIMARY KEY (entity, row_key)
);
CREATE INDEX IF NOT EXISTS plimsoll_parity_record_segment ON plimsoll_parity_record (entity, segment);
CREATE TABLE IF NOT EXISTS plimsoll_parity_sum (
    entity text NOT NULL,
    level bigint NOT NULL,
    segment bigint NOT NULL,
    records bigint NOT NULL,
    lane_1 bigint NOT NULL,
    lane_2 bigint NOT NULL,
    lane_3 bigint NOT NULL,
    lane_4 bigint NOT NULL,
    PRIMARY KEY (entity, level, segment)
);
CREATE TABLE IF NOT EXISTS plimsoll_parity_place (
    side text NOT NULL PRIMARY KEY,
    writer bigint NOT NULL,
    position bigint NOT NULL,
    expected_records bigint NOT NULL
);
