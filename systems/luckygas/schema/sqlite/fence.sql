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
CREATE TRIGGER IF NOT EXISTS luckygas_customers_fence_insert BEFORE INSERT ON customers
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = NEW.customer_code AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_customers_fence_update_to BEFORE UPDATE ON customers
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = NEW.customer_code AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_customers_fence_update_from BEFORE UPDATE ON customers
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = OLD.customer_code AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_customers_fence_delete BEFORE DELETE ON customers
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = OLD.customer_code AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_orders_fence_insert BEFORE INSERT ON orders
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = NEW.customer_code AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_orders_fence_update_to BEFORE UPDATE ON orders
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = NEW.customer_code AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_orders_fence_update_from BEFORE UPDATE ON orders
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = OLD.customer_code AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_orders_fence_delete BEFORE DELETE ON orders
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = OLD.customer_code AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_fence_insert BEFORE INSERT ON deliveries
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = (SELECT customer_code FROM orders WHERE order_number = NEW.order_number) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_fence_update_to BEFORE UPDATE ON deliveries
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = (SELECT customer_code FROM orders WHERE order_number = NEW.order_number) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_fence_update_from BEFORE UPDATE ON deliveries
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = (SELECT customer_code FROM orders WHERE order_number = OLD.order_number) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
CREATE TRIGGER IF NOT EXISTS luckygas_deliveries_fence_delete BEFORE DELETE ON deliveries
WHEN EXISTS (SELECT 1 FROM luckygas_fence WHERE customer = (SELECT customer_code FROM orders WHERE order_number = OLD.order_number) AND open = 0)
    AND NOT EXISTS (SELECT 1 FROM luckygas_carrier WHERE at_work = 1) BEGIN
    SELECT RAISE(ABORT, 'this customer is not written on this side now; hint: plimsoll pilot status says which side writes');
END;
