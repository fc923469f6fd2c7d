-- Change capture: each change of a captured row leaves a line in the outbox, in the transaction of the change.
-- Only the key is kept: who carries a change over reads the row as it is then. origin is null for a user's change.
-- writer is the transaction: positions are given out before they commit, so a reader takes lines only of writers that
-- have ended, in the order (writer, position).

CREATE TABLE IF NOT EXISTS luckygas_outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    writer bigint NOT NULL,
    table_name text NOT NULL,
    row_key text NOT NULL,
    counterpart bigint,
    operation text NOT NULL,
    origin text,
    captured_at text NOT NULL
);
CREATE INDEX IF NOT EXISTS luckygas_outbox_writer ON luckygas_outbox (writer, position);
CREATE OR REPLACE FUNCTION luckygas_capture() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
    key_column text := TG_ARGV[0];
    image jsonb;
    before jsonb;
BEGIN
    IF TG_OP = 'DELETE' THEN
        image := to_jsonb(OLD);
    ELSE
        image := to_jsonb(NEW);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        before := to_jsonb(OLD);
        IF before ->> key_column IS DISTINCT FROM image ->> key_column THEN
            INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
            VALUES (pg_current_xact_id()::text::bigint, TG_TABLE_NAME, jsonb_build_array(before -> key_column)::text,
                    (before ->> 'legacy_id')::bigint, 'delete',
                    to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'));
        END IF;
    END IF;
    INSERT INTO luckygas_outbox (writer, table_name, row_key, counterpart, operation, captured_at)
    VALUES (pg_current_xact_id()::text::bigint, TG_TABLE_NAME, jsonb_build_array(image -> key_column)::text,
            (image ->> 'legacy_id')::bigint, lower(TG_OP),
            to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'));
    RETURN NULL;
END
$capture$;
DROP TRIGGER IF EXISTS luckygas_customers_change ON customers;
CREATE TRIGGER luckygas_customers_change AFTER INSERT OR UPDATE OR DELETE ON customers
    FOR EACH ROW EXECUTE FUNCTION luckygas_capture('customer_code');
DROP TRIGGER IF EXISTS luckygas_orders_change ON orders;
CREATE TRIGGER luckygas_orders_change AFTER INSERT OR UPDATE OR DELETE ON orders
    FOR EACH ROW EXECUTE FUNCTION luckygas_capture('order_number');
DROP TRIGGER IF EXISTS luckygas_deliveries_change ON deliveries;
CREATE TRIGGER luckygas_deliveries_change AFTER INSERT OR UPDATE OR DELETE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION luckygas_capture('order_number');
DROP TRIGGER IF EXISTS luckygas_drivers_change ON drivers;
CREATE TRIGGER luckygas_drivers_change AFTER INSERT OR UPDATE OR DELETE ON drivers
    FOR EACH ROW EXECUTE FUNCTION luckygas_capture('driver_code');
DROP TRIGGER IF EXISTS luckygas_vehicles_change ON vehicles;
CREATE TRIGGER luckygas_vehicles_change AFTER INSERT OR UPDATE OR DELETE ON vehicles
    FOR EACH ROW EXECUTE FUNCTION luckygas_capture('plate_number');
