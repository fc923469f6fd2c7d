-- The new system's tables, parents before children; the same in both databases. Amounts are whole New Taiwan dollars.
-- legacy_id is the number of the row's counterpart in the legacy database; null until it has one.

CREATE TABLE IF NOT EXISTS customers (
    customer_code text NOT NULL PRIMARY KEY,
    legacy_id bigint UNIQUE,
    invoice_title text,
    short_name text,
    address text,
    contact_person text,
    tax_id text,
    customer_type text CHECK (customer_type IN ('household', 'business', 'restaurant', 'factory')),
    district text,
    area text,
    latitude double precision,
    longitude double precision,
    is_active boolean,
    is_terminated boolean,
    is_subscription boolean,
    email text,
    mobile_phone text,
    payment_method text CHECK (payment_method IN ('cash', 'monthly', 'transfer')),
    pricing_method text CHECK (pricing_method IN ('cylinder', 'weight', 'meter')),
    delivery_time_preference text CHECK (delivery_time_preference IN ('morning', 'afternoon', 'evening', 'anytime')),
    needs_same_day_delivery boolean,
    has_flow_meter boolean,
    has_switch boolean,
    cylinders_50kg bigint,
    cylinders_20kg bigint,
    cylinders_16kg bigint,
    cylinders_10kg bigint,
    cylinders_4kg bigint,
    monthly_delivery_volume double precision,
    daily_usage_avg double precision,
    notes text,
    created_at timestamptz,
    updated_at timestamptz
);
CREATE TABLE IF NOT EXISTS products (
    product_code text NOT NULL PRIMARY KEY,
    name text NOT NULL,
    cylinder_kg bigint NOT NULL,
    unit_price bigint NOT NULL,
    is_active boolean NOT NULL
);
CREATE TABLE IF NOT EXISTS drivers (
    driver_code text NOT NULL PRIMARY KEY,
    legacy_id bigint UNIQUE,
    name text,
    phone text,
    email text,
    license_type text CHECK (license_type IN ('light', 'heavy', 'trailer')),
    experience_years bigint,
    familiar_areas text,
    is_active boolean,
    is_available boolean,
    created_at timestamptz,
    updated_at timestamptz
);
CREATE TABLE IF NOT EXISTS vehicles (
    plate_number text NOT NULL PRIMARY KEY,
    legacy_id bigint UNIQUE,
    vehicle_type text CHECK (vehicle_type IN ('truck', 'van', 'motorcycle')),
    capacity_kg double precision,
    is_active boolean,
    last_maintenance_date date,
    notes text,
    created_at timestamptz,
    updated_at timestamptz
);
CREATE TABLE IF NOT EXISTS orders (
    order_number text NOT NULL PRIMARY KEY,
    legacy_id bigint UNIQUE,
    customer_code text NOT NULL REFERENCES customers (customer_code),
    status text CHECK (status IN ('pending', 'confirmed', 'assigned', 'in_delivery', 'delivered', 'cancelled')),
    scheduled_date date,
    delivered_at timestamptz,
    qty_50kg bigint,
    qty_20kg bigint,
    qty_16kg bigint,
    qty_10kg bigint,
    qty_4kg bigint,
    amount_total bigint,
    payment_status text CHECK (payment_status IN ('unpaid', 'partly_paid', 'paid')),
    notes text,
    created_at timestamptz,
    updated_at timestamptz
);
CREATE TABLE IF NOT EXISTS deliveries (
    order_number text NOT NULL PRIMARY KEY REFERENCES orders (order_number),
    driver_code text REFERENCES drivers (driver_code),
    plate_number text REFERENCES vehicles (plate_number),
    returned_50kg bigint,
    returned_20kg bigint,
    returned_16kg bigint,
    returned_10kg bigint,
    returned_4kg bigint,
    signed_by text
);
CREATE TABLE IF NOT EXISTS sms_log (
    sms_number bigint NOT NULL PRIMARY KEY,
    customer_code text REFERENCES customers (customer_code),
    order_number text REFERENCES orders (order_number),
    phone text NOT NULL,
    body text NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'sent', 'delivered', 'failed')),
    provider_detail text,
    sent_at timestamptz
);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer_code);
CREATE INDEX IF NOT EXISTS deliveries_driver ON deliveries (driver_code);
CREATE INDEX IF NOT EXISTS deliveries_vehicle ON deliveries (plate_number);
CREATE INDEX IF NOT EXISTS sms_log_customer ON sms_log (customer_code);
CREATE INDEX IF NOT EXISTS sms_log_order ON sms_log (order_number);
