//! Rows of the legacy database.
//!
//! Owns one client, driver, vehicle and delivery by its number. Texts are bytes, as that database has them.

use plimsoll_core::value::Value;

use super::clock;
use super::dirt::{self, Dirt};
use super::vocabulary::{self as words, Word};
use crate::random::Random;

pub(super) const CLIENTS: &[&str] = &[
    "id",
    "client_code",
    "invoice_title",
    "short_name",
    "address",
    "contact_person",
    "tax_id",
    "is_corporate",
    "district",
    "area",
    "latitude",
    "longitude",
    "is_active",
    "is_terminated",
    "payment_method",
    "pricing_method",
    "delivery_time_preference",
    "needs_same_day_delivery",
    "has_flow_meter",
    "has_switch",
    "cylinder_50kg",
    "cylinder_20kg",
    "cylinder_16kg",
    "cylinder_10kg",
    "cylinder_4kg",
    "monthly_delivery_volume",
    "daily_usage_avg",
    "notes",
    "created_at",
    "updated_at",
];

pub(super) const DRIVERS: &[&str] = &[
    "id",
    "employee_id",
    "name",
    "phone",
    "license_type",
    "experience_years",
    "familiar_areas",
    "is_active",
    "is_available",
    "created_at",
    "updated_at",
];

pub(super) const VEHICLES: &[&str] = &[
    "id",
    "plate_number",
    "vehicle_type",
    "capacity_kg",
    "is_active",
    "last_maintenance_date",
    "notes",
    "created_at",
    "updated_at",
];

pub(super) const DELIVERIES: &[&str] = &[
    "id",
    "client_id",
    "driver_id",
    "vehicle_id",
    "status",
    "scheduled_date",
    "actual_delivery_time",
    "qty_50kg",
    "qty_20kg",
    "qty_16kg",
    "qty_10kg",
    "qty_4kg",
    "returned_50kg",
    "returned_20kg",
    "returned_16kg",
    "returned_10kg",
    "returned_4kg",
    "notes",
    "created_at",
    "updated_at",
];

/// Makes rows.
pub(super) struct Legacy {
    seed: u64,
    dirty_percent: u8,
    clients: u64,
    pub(super) drivers: u64,
    places: Vec<Word>,
    districts: Vec<Word>,
    areas: Vec<Word>,
    streets: Vec<Word>,
    surnames: Vec<Word>,
    given: Vec<Word>,
    notes: Vec<Word>,
    payments: Vec<Word>,
    pricings: Vec<Word>,
    times: Vec<Word>,
    statuses: Vec<Word>,
    licenses: Vec<Word>,
    vehicle_types: Vec<Word>,
    unknown: Vec<Word>,
    fixed: Vec<Word>,
}

fn bytes(bytes: Vec<u8>) -> Value {
    Value::Bytes(bytes)
}

fn number(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A value, or null in `percent` of 100 rows.
fn or_null(random: &mut Random, percent: usize, value: Value) -> Value {
    if random.percent(percent) { Value::Null } else { value }
}

fn flag(random: &mut Random, yes: usize) -> Value {
    let value = Value::Integer(i64::from(random.percent(yes)));
    or_null(random, 4, value)
}

/// A few cylinders, none, or nobody wrote it down.
fn cylinders(random: &mut Random) -> Value {
    let value = if random.percent(70) { 0 } else { random.between(1, 12) as u64 };
    or_null(random, 5, number(value))
}

fn any(random: &mut Random, words: &[Word]) -> Value {
    bytes(random.pick(words).bytes.clone())
}

/// A double with a fraction that no decimal writes.
fn double(random: &mut Random, low: f64, span: f64) -> f64 {
    low + span * (random.below(1 << 30) as f64 / f64::from(1 << 30))
}

/// The code of a client.
pub(super) fn code(number: u64) -> String {
    format!("D{number:07}")
}

impl Legacy {
    pub(super) fn new(seed: u64, dirty_percent: u8, clients: u64) -> Self {
        let drivers = (clients / 100).clamp(3, 60);
        Self {
            seed,
            dirty_percent,
            clients,
            drivers,
            places: words::words(words::PLACES),
            districts: words::words(words::DISTRICTS),
            areas: words::words(words::AREAS),
            streets: words::words(words::STREETS),
            surnames: words::words(words::SURNAMES),
            given: words::words(words::GIVEN),
            notes: words::words(words::NOTES),
            payments: words::words(words::PAYMENTS),
            pricings: words::words(words::PRICINGS),
            times: words::words(words::TIMES),
            statuses: words::words(words::STATUSES),
            licenses: words::words(words::LICENSES),
            vehicle_types: words::words(words::VEHICLES),
            unknown: words::words(words::UNKNOWN),
            fixed: words::words(&["示範瓦斯用戶", "示範", "號"]),
        }
    }

    fn random(&self, what: &str, id: u64) -> Random {
        Random::named(self.seed, &["luckygas", what, &id.to_string()])
    }

    /// Client `id`, counted from 1, and what is wrong with it.
    pub(super) fn client(&self, id: u64) -> (Vec<Value>, Option<Dirt>) {
        let dirt = dirt::of_client(self.seed, id, self.dirty_percent);
        let random = &mut self.random("client", id);
        let [title, short, house] = [0, 1, 2].map(|at| self.fixed[at].bytes.as_slice());
        let corporate = random.percent(25);
        let created = clock::moment(random, id);
        let updated = clock::moment(random, id + 1_000);
        let person = [random.pick(&self.surnames).bytes.as_slice(), &random.pick(&self.given).bytes].concat();
        let place = [
            random.pick(&self.places).bytes.as_slice(),
            &random.pick(&self.streets).bytes,
            random.between(1, 300).to_string().as_bytes(),
            house,
        ]
        .concat();
        let district = random.pick(&self.districts).bytes.clone();
        let tax = format!("{:08}", random.below(100_000_000)).into_bytes();
        let note = any(random, &self.notes);
        let mut row = vec![
            number(id),
            bytes(code(id).into_bytes()),
            bytes([title, id.to_string().as_bytes()].concat()),
            bytes([short, id.to_string().as_bytes()].concat()),
            bytes(place),
            or_null(random, 10, bytes(person)),
            if corporate { bytes(tax) } else { Value::Null },
            Value::Integer(i64::from(corporate)),
            bytes(district),
            any(random, &self.areas),
            Value::Float(double(random, 22.5, 2.7)),
            Value::Float(double(random, 120.1, 1.8)),
            flag(random, 92),
            flag(random, 4),
            any(random, &self.payments),
            any(random, &self.pricings),
            any(random, &self.times),
            flag(random, 8),
            flag(random, 20),
            flag(random, 15),
        ];
        row.extend((0..5).map(|_| cylinders(random)));
        let (volume, usage) = (double(random, 0.0, 400.0), double(random, 0.0, 20.0));
        row.push(or_null(random, 12, Value::Float(volume)));
        row.push(or_null(random, 12, Value::Float(usage)));
        row.push(or_null(random, 40, note));
        row.push(bytes(clock::legacy(created)));
        row.push(bytes(clock::legacy(updated)));
        self.soil(&mut row, CLIENTS, dirt, random);
        (row, dirt)
    }

    /// Driver `id`, counted from 1.
    pub(super) fn driver(&self, id: u64) -> Vec<Value> {
        let random = &mut self.random("driver", id);
        let name = [random.pick(&self.surnames).bytes.as_slice(), &self.fixed[1].bytes].concat();
        let areas =
            [random.pick(&self.areas).bytes.as_slice(), b",", &random.pick(&self.areas).bytes].concat();
        let moment = clock::moment(random, id);
        vec![
            number(id),
            bytes(format!("DEMO-{id:03}").into_bytes()),
            bytes(name),
            bytes(format!("0900-000-{:03}", id % 1_000).into_bytes()),
            any(random, &self.licenses),
            or_null(random, 10, number(random.clone().between(0, 30) as u64)),
            bytes(areas),
            flag(random, 95),
            flag(random, 80),
            bytes(clock::legacy(moment)),
            bytes(clock::legacy(moment)),
        ]
    }

    /// Vehicle `id`, counted from 1; there are as many as drivers.
    pub(super) fn vehicle(&self, id: u64) -> Vec<Value> {
        let random = &mut self.random("vehicle", id);
        let moment = clock::moment(random, id);
        let maintained = moment.date().to_string().into_bytes();
        vec![
            number(id),
            bytes(format!("DEMO-{:04}", 1_000 + id).into_bytes()),
            any(random, &self.vehicle_types),
            Value::Float(double(random, 80.0, 3_000.0)),
            flag(random, 90),
            or_null(random, 20, bytes(maintained)),
            Value::Null,
            bytes(clock::legacy(moment)),
            bytes(clock::legacy(moment)),
        ]
    }

    /// Delivery `id`, counted from 1, and what is wrong with it.
    pub(super) fn delivery(&self, id: u64) -> (Vec<Value>, Option<Dirt>) {
        let dirt = dirt::of_delivery(self.seed, id, self.dirty_percent);
        let random = &mut self.random("delivery", id);
        let moment = clock::moment(random, id);
        let status = random.pick(&self.statuses);
        let delivered = status.text == "已送達";
        let client = 1 + random.below(usize::try_from(self.clients).unwrap_or(usize::MAX)) as u64;
        let crew = |random: &mut Random| {
            let one = 1 + random.below(usize::try_from(self.drivers).unwrap_or(1)) as u64;
            or_null(random, 15, number(one))
        };
        let mut row = vec![
            number(id),
            number(client),
            crew(random),
            crew(random),
            bytes(status.bytes.clone()),
            bytes(moment.date().to_string().into_bytes()),
            if delivered { bytes(clock::legacy(moment)) } else { Value::Null },
        ];
        row.extend((0..10).map(|_| cylinders(random)));
        let note = any(random, &self.notes);
        row.push(or_null(random, 70, note));
        row.push(bytes(clock::legacy(moment)));
        row.push(bytes(clock::legacy(clock::moment(random, id + 500))));
        self.soil(&mut row, DELIVERIES, dirt, random);
        (row, dirt)
    }

    fn soil(&self, row: &mut [Value], columns: &[&str], dirt: Option<Dirt>, random: &mut Random) {
        let is_client = columns.len() == CLIENTS.len();
        let nobody = number(self.clients + 1_000_000 + random.below(1_000) as u64);
        let (column, value) = match dirt {
            None | Some(Dirt::BeyondBig5) => return,
            Some(Dirt::DuplicateCode) => ("client_code", bytes(code(1).into_bytes())),
            Some(Dirt::NoCode) => {
                ("client_code", if random.percent(50) { Value::Null } else { bytes(Vec::new()) })
            }
            Some(Dirt::BrokenText) => ("notes", bytes(random.pick(words::BROKEN).to_vec())),
            Some(Dirt::ForeignText) => ("notes", bytes(random.pick(words::FOREIGN).to_vec())),
            Some(Dirt::UnknownWord) => {
                (if is_client { "payment_method" } else { "status" }, any(random, &self.unknown))
            }
            Some(Dirt::OddFlag) => ("is_active", Value::Integer(random.between(2, 9) as i64)),
            Some(Dirt::NoTime) => {
                let texts = ["0000-00-00 00:00:00", "2024-02-30 08:00:00", "2024/1/5", ""];
                ("updated_at", bytes(random.word(&texts).as_bytes().to_vec()))
            }
            Some(Dirt::OrphanClient) => ("client_id", nobody),
            Some(Dirt::OrphanDriver) => ("driver_id", nobody),
        };
        if let Some(at) = columns.iter().position(|known| *known == column) {
            row[at] = value;
        }
    }
}
