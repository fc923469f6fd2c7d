-- Fences: which side takes writes for a customer. A customer without one is written on both sides. Each write looks at the
-- fence in its own transaction, so that no program has to know of the pilot; the carrier passes under a sign of its own.

CREATE TABLE IF NOT EXISTS luckygas_fence (
    customer text NOT NULL PRIMARY KEY,
    epoch bigint NOT NULL,
    open bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS luckygas_carrier (
    carrier bigint NOT NULL PRIMARY KEY CHECK (carrier = 1),
    at_work bigint NOT NULL
);
INSERT INTO luckygas_carrier (carrier, at_work) SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM luckygas_carrier);
-- Which row a record got that began on the new side.
CREATE TABLE IF NOT EXISTS luckygas_number (
    entity text NOT NULL,
    code text NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (entity, code)
);
CREATE UNIQUE INDEX IF NOT EXISTS luckygas_number_number ON luckygas_number (entity, number);
CREATE INDEX IF NOT EXISTS luckygas_outbox_row ON luckygas_outbox (table_name, row_key, position);
CREATE INDEX IF NOT EXISTS luckygas_outbox_table ON luckygas_outbox (table_name, position);
CREATE INDEX IF NOT EXISTS luckygas_outbox_origin ON luckygas_outbox (origin) WHERE origin IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS luckygas_clients_fence_insert BEFORE INSERT ON clients
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = CAST(NEW.id AS text) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_clients_fence_update_to BEFORE UPDATE ON clients
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = CAST(NEW.id AS text) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_clients_fence_update_from BEFORE UPDATE ON clients
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = CAST(OLD.id AS text) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_clients_fence_delete BEFORE DELETE ON clients
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = CAST(OLD.id AS text) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_fence_insert BEFORE INSERT ON deliveries
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = CAST(NEW.client_id AS text) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_fence_update_to BEFORE UPDATE ON deliveries
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = CAST(NEW.client_id AS text) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_fence_update_from BEFORE UPDATE ON deliveries
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = CAST(OLD.client_id AS text) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_fence_delete BEFORE DELETE ON deliveries
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = CAST(OLD.client_id AS text) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
