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
CREATE TRIGGER IF NOT EXISTS luckygas_customers_insert AFTER INSERT ON customers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'customers', json_array(NEW.customer_code), NEW.legacy_id, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_customers_update AFTER UPDATE ON customers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'customers', json_array(OLD.customer_code), OLD.legacy_id, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.customer_code IS NOT NEW.customer_code;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'customers', json_array(NEW.customer_code), NEW.legacy_id, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_customers_delete AFTER DELETE ON customers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'customers', json_array(OLD.customer_code), OLD.legacy_id, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_orders_insert AFTER INSERT ON orders BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'orders', json_array(NEW.order_number), NEW.legacy_id, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_orders_update AFTER UPDATE ON orders BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'orders', json_array(OLD.order_number), OLD.legacy_id, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.order_number IS NOT NEW.order_number;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'orders', json_array(NEW.order_number), NEW.legacy_id, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_orders_delete AFTER DELETE ON orders BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'orders', json_array(OLD.order_number), OLD.legacy_id, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_insert AFTER INSERT ON deliveries BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'deliveries', json_array(NEW.order_number), NULL, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_update AFTER UPDATE ON deliveries BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'deliveries', json_array(OLD.order_number), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.order_number IS NOT NEW.order_number;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'deliveries', json_array(NEW.order_number), NULL, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_delete AFTER DELETE ON deliveries BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'deliveries', json_array(OLD.order_number), NULL, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_drivers_insert AFTER INSERT ON drivers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'drivers', json_array(NEW.driver_code), NEW.legacy_id, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_drivers_update AFTER UPDATE ON drivers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'drivers', json_array(OLD.driver_code), OLD.legacy_id, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.driver_code IS NOT NEW.driver_code;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'drivers', json_array(NEW.driver_code), NEW.legacy_id, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_drivers_delete AFTER DELETE ON drivers BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'drivers', json_array(OLD.driver_code), OLD.legacy_id, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_vehicles_insert AFTER INSERT ON vehicles BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'vehicles', json_array(NEW.plate_number), NEW.legacy_id, 'insert', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_vehicles_update AFTER UPDATE ON vehicles BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'vehicles', json_array(OLD.plate_number), OLD.legacy_id, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE OLD.plate_number IS NOT NEW.plate_number;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'vehicles', json_array(NEW.plate_number), NEW.legacy_id, 'update', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_vehicles_delete AFTER DELETE ON vehicles BEGIN
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    SELECT 0, 'vehicles', json_array(OLD.plate_number), OLD.legacy_id, 'delete', strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;
