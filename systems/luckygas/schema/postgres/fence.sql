-- Fences: which side takes writes for a customer. A customer without one is written on both sides. Each write looks at the
-- fence in its own transaction, so that no program has to know of the pilot; the carrier passes under a sign of its own.

CREATE TABLE IF NOT EXISTS luckygas_fence (
    customer text NOT NULL PRIMARY KEY,
    epoch bigint NOT NULL,
    open bigint NOT NULL
);
-- The fence's row is shared by writers until they commit, and closing it takes it alone: who passed it is waited for.
CREATE OR REPLACE FUNCTION luckygas_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
DECLARE
    images jsonb[];
    image jsonb;
    whose text;
    is_open bigint;
BEGIN
    IF current_setting('plimsoll.carrier', true) = '1' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    images := CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[to_jsonb(NEW)]
        WHEN 'UPDATE' THEN ARRAY[to_jsonb(NEW), to_jsonb(OLD)]
        ELSE ARRAY[to_jsonb(OLD)]
    END;
    FOREACH image IN ARRAY images LOOP
        IF TG_TABLE_NAME = 'deliveries' THEN
            SELECT customer_code INTO whose FROM orders WHERE order_number = image ->> 'order_number';
        ELSE
            whose := image ->> 'customer_code';
        END IF;
        is_open := NULL;
        SELECT open INTO is_open FROM luckygas_fence WHERE customer = whose FOR SHARE;
        IF is_open = 0 THEN
            RAISE EXCEPTION 'customer % is not written on this side now', whose
                USING ERRCODE = 'P0001', HINT = 'plimsoll pilot status says which side writes';
        END IF;
    END LOOP;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$guard$;
DROP TRIGGER IF EXISTS luckygas_customers_fence ON customers;
CREATE TRIGGER luckygas_customers_fence BEFORE INSERT OR UPDATE OR DELETE ON customers
    FOR EACH ROW EXECUTE FUNCTION luckygas_guard();
DROP TRIGGER IF EXISTS luckygas_orders_fence ON orders;
CREATE TRIGGER luckygas_orders_fence BEFORE INSERT OR UPDATE OR DELETE ON orders
    FOR EACH ROW EXECUTE FUNCTION luckygas_guard();
DROP TRIGGER IF EXISTS luckygas_deliveries_fence ON deliveries;
CREATE TRIGGER luckygas_deliveries_fence BEFORE INSERT OR UPDATE OR DELETE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION luckygas_guard();
