-- Change capture: each change of a captured row leaves a line in the outbox, in the transaction of the change.
-- Only the key is kept: who carries a change over reads the row as it is then. origin is null for a user's change.

CREATE TABLE IF NOT EXISTS luckygas_outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    writer bigint NOT NULL,
    table_name text NOT NULL,
    row_key text NOT NULL,
    counterpart bigint,
    operation text NOT NULL,
    origin text,
    captured_at text NOT NULL
);
CREATE INDEX IF NOT EXISTS luckygas_outbox_writer ON luckygas_outbox (writer, position);
CREATE TRIGGER IF NOT EXISTS luckygas_clients_insert AFTER INSERT ON clients BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'clients', json_array(NEW.id), NULL, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_clients_update AFTER UPDATE ON clients BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'clients', json_array(OLD.id), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.id IS NOT NEW.id;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'clients', json_array(NEW.id), NULL, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_clients_delete AFTER DELETE ON clients BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'clients', json_array(OLD.id), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_drivers_insert AFTER INSERT ON drivers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'drivers', json_array(NEW.id), NULL, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_drivers_update AFTER UPDATE ON drivers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'drivers', json_array(OLD.id), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.id IS NOT NEW.id;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'drivers', json_array(NEW.id), NULL, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_drivers_delete AFTER DELETE ON drivers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'drivers', json_array(OLD.id), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_vehicles_insert AFTER INSERT ON vehicles BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'vehicles', json_array(NEW.id), NULL, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_vehicles_update AFTER UPDATE ON vehicles BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'vehicles', json_array(OLD.id), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.id IS NOT NEW.id;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'vehicles', json_array(NEW.id), NULL, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_vehicles_delete AFTER DELETE ON vehicles BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'vehicles', json_array(OLD.id), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_insert AFTER INSERT ON deliveries BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'deliveries', json_array(NEW.id), NULL, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_update AFTER UPDATE ON deliveries BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'deliveries', json_array(OLD.id), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.id IS NOT NEW.id;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'deliveries', json_array(NEW.id), NULL, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_delete AFTER DELETE ON deliveries BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'deliveries', json_array(OLD.id), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
