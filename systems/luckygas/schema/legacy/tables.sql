-- The legacy program's tables, as it made them: no rule but the number of each row.
-- Every text is Big5 and stored as bytes (storage class BLOB), instants and dates too.

CREATE TABLE IF NOT EXISTS clients (
    id INTEGER PRIMARY KEY,
    client_code TEXT,
    invoice_title TEXT,
    short_name TEXT,
    address TEXT,
    contact_person TEXT,
    tax_id TEXT,
    is_corporate INTEGER,
    district TEXT,
    area TEXT,
    latitude REAL,
    longitude REAL,
    is_active INTEGER,
    is_terminated INTEGER,
    payment_method TEXT,
    pricing_method TEXT,
    delivery_time_preference TEXT,
    needs_same_day_delivery INTEGER,
    has_flow_meter INTEGER,
    has_switch INTEGER,
    cylinder_50kg INTEGER,
    cylinder_20kg INTEGER,
    cylinder_16kg INTEGER,
    cylinder_10kg INTEGER,
    cylinder_4kg INTEGER,
    monthly_delivery_volume REAL,
    daily_usage_avg REAL,
    notes TEXT,
    created_at TEXT,
    updated_at TEXT
);
CREATE TABLE IF NOT EXISTS drivers (
    id INTEGER PRIMARY KEY,
    employee_id TEXT,
    name TEXT,
    phone TEXT,
    license_type TEXT,
    experience_years INTEGER,
    familiar_areas TEXT,
    is_active INTEGER,
    is_available INTEGER,
    created_at TEXT,
    updated_at TEXT
);
CREATE TABLE IF NOT EXISTS vehicles (
    id INTEGER PRIMARY KEY,
    plate_number TEXT,
    vehicle_type TEXT,
    capacity_kg REAL,
    is_active INTEGER,
    last_maintenance_date TEXT,
    notes TEXT,
    created_at TEXT,
    updated_at TEXT
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY,
    client_id INTEGER,
    driver_id INTEGER,
    vehicle_id INTEGER,
    status TEXT,
    scheduled_date TEXT,
    actual_delivery_time TEXT,
    qty_50kg INTEGER,
    qty_20kg INTEGER,
    qty_16kg INTEGER,
    qty_10kg INTEGER,
    qty_4kg INTEGER,
    returned_50kg INTEGER,
    returned_20kg INTEGER,
    returned_16kg INTEGER,
    returned_10kg INTEGER,
    returned_4kg INTEGER,
    notes TEXT,
    created_at TEXT,
    updated_at TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_client ON deliveries (client_id);
