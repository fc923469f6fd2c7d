//! Dual write between two real databases: each side's changes arrive at the other, once, and nothing comes back.

use std::sync::atomic::AtomicBool;

use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_engine::Session;
use plimsoll_engine::pilot::carry::{Carrier, Paces, Reach, prepare};
use plimsoll_engine::pilot::declare::Pilot;
use plimsoll_engine::pilot::due::held;
use plimsoll_engine::pilot::record::SideStore;
use plimsoll_luckygas::mapping::ENTITIES;
use plimsoll_luckygas::pilot::LuckyGas;
use plimsoll_luckygas::schema::{LEGACY, NEW, before_capture};
use plimsoll_luckygas::{LEGACY as LEGACY_SYSTEM, SYSTEM};
use plimsoll_simulator::luckygas::{Settings, generate};

use crate::support::{Database, big5};

static GO: AtomicBool = AtomicBool::new(false);
const ROUNDS: u32 = 40;

/// Both sides with a carrier between them.
pub(crate) struct Dual {
    pub(crate) legacy: Database,
    pub(crate) new: Database,
    pub(crate) carrier: Carrier<'static>,
}

pub(crate) fn session(database: &Database, actor: &str) -> Session {
    Session::new(database.store.reopen().unwrap(), actor)
}

impl Dual {
    pub(crate) fn generated(settings: &Settings, mut new: Database, reach: Reach) -> Self {
        let mut legacy = Database::sqlite(&before_capture(&LEGACY));
        generate(settings, legacy.store.as_mut(), new.store.as_mut(), &mut |_, _| {}).unwrap();
        Self::over(legacy, new, reach)
    }

    pub(crate) fn over(legacy: Database, new: Database, reach: Reach) -> Self {
        let mut sessions = (session(&new, "carrier"), session(&legacy, "carrier"));
        prepare(&mut sessions.0, &mut sessions.1, (&SYSTEM, &LEGACY_SYSTEM)).unwrap();
        let paces: &'static Paces = Box::leak(Box::new(Paces::new(&LuckyGas, 0)));
        let url = legacy.store.url();
        let carrier = Carrier::open(sessions.0, &LuckyGas, &url, paces, reach, "carrier").unwrap();
        let mut dual = Self { legacy, new, carrier };
        dual.legacy.store.forget_shapes();
        dual.new.store.forget_shapes();
        dual
    }

    /// Rounds until both sides say the same.
    pub(crate) fn settle(&mut self) {
        self.carrier.snapshot().unwrap();
        // Open transactions of other tests on the same server hold the reading of its outbox back.
        for _ in 0..2_000 {
            self.carrier.settle(&GO, ROUNDS).unwrap();
            let place = plimsoll_engine::pilot::due::new_place(self.new.store.as_mut()).unwrap();
            if LuckyGas.outbox().seen(self.new.store.as_mut(), place).unwrap().is_empty() {
                return;
            }
            self.carrier.session.clock.sleep_ms(10);
        }
        panic!("some transaction stays open");
    }

    pub(crate) fn legacy_row(&mut self, entity: &str, number: i64) -> Option<Fields> {
        let map = ENTITIES.iter().find(|map| map.name == entity).unwrap();
        let shape = self.legacy.store.shape(map.legacy_table).unwrap().unwrap();
        let key = [RowKey(vec![Value::Integer(number)])];
        let image = self.legacy.store.read_rows(&shape, &key).unwrap().pop().unwrap()?;
        Some(shape.columns.iter().map(|column| column.name.clone()).zip(image).collect())
    }

    /// Every record of both sides, compared one by one and without sums.
    pub(crate) fn differences(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        for entity in LuckyGas.entities() {
            let map = ENTITIES.iter().find(|map| map.name == entity.name).unwrap();
            let legacy = self.legacy.rows(map.legacy_table);
            let mut new = SideStore { side: Side::New, store: self.new.store.as_mut(), pilot: &LuckyGas };
            let keys = new.keys_after(entity, None, 1_000_000).unwrap();
            let records = new.records(entity, &keys).unwrap();
            let mut by_number: std::collections::BTreeMap<String, Result<Fields, String>> = records
                .into_iter()
                .flatten()
                .map(|record| (record.record_key.to_text(), record.form))
                .collect();
            for row in legacy {
                let key = RowKey(vec![row["id"].clone()]).to_text();
                match by_number.remove(&key) {
                    Some(Ok(form)) if form == row => {}
                    Some(Ok(form)) => {
                        let names: Vec<&String> =
                            row.keys().filter(|name| row.get(*name) != form.get(*name)).collect();
                        found.push(format!("{} {key}: {names:?}", entity.name));
                    }
                    Some(Err(reason)) => found.push(format!("{} {key}: {reason}", entity.name)),
                    None => found.push(format!("{} {key}: only legacy", entity.name)),
                }
            }
            found.extend(by_number.into_keys().map(|key| format!("{} {key}: only new", entity.name)));
        }
        found
    }

    fn sql(database: &mut Database, sql: &str, parameters: &[Value]) {
        assert_eq!(database.store.execute(sql, parameters).unwrap(), 1, "{sql}");
    }

    pub(crate) fn on_legacy(&mut self, sql: &str, parameters: &[Value]) {
        Self::sql(&mut self.legacy, sql, parameters);
    }

    pub(crate) fn on_new(&mut self, sql: &str, parameters: &[Value]) {
        Self::sql(&mut self.new, sql, parameters);
    }

    fn text(&mut self, sql: &str) -> Option<String> {
        let rows = self.new.store.query(sql, &[]).unwrap();
        rows.into_iter().next().and_then(|row| row[0].as_text().map(str::to_owned))
    }
}

fn clean(seed: u64) -> Settings {
    Settings { clients: 40, deliveries: 90, new_customers: 0, dirty_percent: 0, ..Settings::of(40, seed) }
}

fn sides() -> Vec<Database> {
    std::iter::once(Database::sqlite(&NEW)).chain(Database::postgres(&NEW)).collect()
}

#[test]
fn what_each_side_writes_arrives_at_the_other_once_and_nothing_comes_back() {
    for new in sides() {
        let mut dual = Dual::generated(&clean(3), new, Reach::Everyone);
        dual.settle();
        assert_eq!(dual.differences(), Vec::<String>::new());
        assert_eq!(held(dual.new.store.as_mut(), 10).unwrap(), []);
        let customers = dual.new.count("SELECT count(*) FROM customers");
        assert_eq!(customers, 40);

        // A legacy user and a user of the new system, each with a customer of their own.
        dual.on_legacy("UPDATE clients SET notes = $1 WHERE id = 1", &[big5("先打電話")]);
        let code = dual.text("SELECT customer_code FROM customers WHERE legacy_id = 2").unwrap();
        dual.on_new(
            "UPDATE customers SET notes = 'ring twice', email = 'a@example.invalid' WHERE customer_code = $1",
            &[Value::text(code.as_str())],
        );
        dual.settle();
        assert_eq!(dual.text("SELECT notes FROM customers WHERE legacy_id = 1").as_deref(), Some("先打電話"));
        assert_eq!(dual.legacy_row("customer", 2).unwrap()["notes"], big5("ring twice"));
        assert_eq!(dual.differences(), Vec::<String>::new());

        // The same customer, different fields: both stay.
        dual.on_legacy("UPDATE clients SET area = $1 WHERE id = 2", &[big5("南區")]);
        dual.on_new(
            "UPDATE customers SET contact_person = 'Wu' WHERE customer_code = $1",
            &[Value::text(code.as_str())],
        );
        dual.settle();
        assert_eq!(dual.text("SELECT area FROM customers WHERE legacy_id = 2").as_deref(), Some("南區"));
        assert_eq!(dual.legacy_row("customer", 2).unwrap()["contact_person"], big5("Wu"));
        assert_eq!(dual.differences(), Vec::<String>::new());

        // What the legacy side cannot say is not narrowed by its echo.
        dual.on_new(
            "UPDATE customers SET customer_type = 'restaurant' WHERE customer_code = $1",
            &[Value::text(code.as_str())],
        );
        dual.settle();
        dual.on_legacy("UPDATE clients SET notes = $1 WHERE id = 2", &[big5("again")]);
        dual.settle();
        let kind = format!("SELECT customer_type FROM customers WHERE customer_code = '{code}'");
        assert_eq!(dual.text(&kind).as_deref(), Some("restaurant"));
        assert_eq!(dual.text("SELECT notes FROM customers WHERE legacy_id = 2").as_deref(), Some("again"));

        // At rest: nobody's outbox grows, and nothing is sent (L6).
        let lines = |dual: &mut Dual| {
            let sql = "SELECT count(*) FROM luckygas_outbox";
            (dual.legacy.count(sql), dual.new.count(sql))
        };
        let before = lines(&mut dual);
        for _ in 0..3 {
            assert!(dual.carrier.round(&GO).unwrap().is_idle());
        }
        assert_eq!(lines(&mut dual), before);
    }
}

#[test]
fn a_customer_that_begins_on_the_new_side_gets_its_number_and_its_order_follows() {
    for new in sides() {
        let mut dual = Dual::generated(&clean(4), new, Reach::Members);
        dual.settle();
        dual.on_new(
            "INSERT INTO customers (customer_code, short_name, customer_type, is_active) VALUES ('N-1', '新客', 'household', $1)",
            &[Value::Boolean(true)],
        );
        dual.on_new(
            "INSERT INTO orders (order_number, customer_code, status, qty_20kg) VALUES ('N-ORDER-1', 'N-1', 'pending', 2)",
            &[],
        );
        dual.settle();
        let number = dual.new.count("SELECT legacy_id FROM customers WHERE customer_code = 'N-1'");
        let order = dual.new.count("SELECT legacy_id FROM orders WHERE order_number = 'N-ORDER-1'");
        let legacy = dual.legacy_row("order", order).unwrap();
        assert_eq!(
            (&legacy["client_id"], &legacy["qty_20kg"]),
            (&Value::Integer(number), &Value::Integer(2))
        );
        assert_eq!(dual.legacy_row("customer", number).unwrap()["client_code"], big5("N-1"));
        assert_eq!(dual.legacy.count("SELECT count(*) FROM clients"), 41, "once");
        // Nobody else's rows came over: only what the new side has is carried.
        assert_eq!(dual.new.count("SELECT count(*) FROM customers"), 1);

        // Legacy users work on it, and it goes away there: the deletion travels (L10).
        dual.on_legacy("UPDATE deliveries SET qty_20kg = 3 WHERE id = $1", &[Value::Integer(order)]);
        dual.settle();
        assert_eq!(dual.new.count("SELECT qty_20kg FROM orders WHERE order_number = 'N-ORDER-1'"), 3);
        dual.on_legacy("DELETE FROM deliveries WHERE id = $1", &[Value::Integer(order)]);
        dual.settle();
        assert_eq!(dual.new.count("SELECT count(*) FROM orders"), 0);
        dual.on_new("DELETE FROM customers WHERE customer_code = 'N-1'", &[]);
        dual.settle();
        assert_eq!(dual.legacy_row("customer", number), None);
        assert_eq!(held(dual.new.store.as_mut(), 10).unwrap(), []);
    }
}

#[test]
fn what_both_sides_wrote_goes_to_a_person_whatever_the_clocks_say() {
    use plimsoll_engine::sync::conflicts;

    for new in sides() {
        let mut dual = Dual::generated(&clean(5), new, Reach::Everyone);
        dual.settle();
        let code = dual.text("SELECT customer_code FROM customers WHERE legacy_id = 7").unwrap();
        dual.on_legacy("UPDATE clients SET address = $1 WHERE id = 7", &[big5("甲路1號")]);
        // Any time apart (L3), and neither is written over the other before a person decides (L1, L2).
        dual.carrier.session.clock.sleep_ms(20);
        dual.on_new(
            "UPDATE customers SET address = '乙路2號' WHERE customer_code = $1",
            &[Value::text(code.as_str())],
        );
        dual.settle();
        let link = LuckyGas.link("customer");
        let open = conflicts::list(
            &mut dual.carrier.session,
            link,
            conflicts::ConflictFilter { limit: 10, ..conflicts::ConflictFilter::default() },
        )
        .unwrap();
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(dual.legacy_row("customer", 7).unwrap()["address"], big5("甲路1號"));
        assert_eq!(
            dual.text("SELECT address FROM customers WHERE legacy_id = 7").as_deref(),
            Some("乙路2號")
        );
        // Other fields travel on.
        dual.on_legacy("UPDATE clients SET notes = $1 WHERE id = 7", &[big5("x")]);
        dual.settle();
        assert_eq!(dual.text("SELECT notes FROM customers WHERE legacy_id = 7").as_deref(), Some("x"));
    }
}

#[test]
fn statuses_only_move_forward_whichever_side_moves_them() {
    let mut dual = Dual::generated(&clean(6), Database::sqlite(&NEW), Reach::Everyone);
    dual.settle();
    let number = dual.new.count("SELECT min(legacy_id) FROM orders");
    let order = dual.text(&format!("SELECT order_number FROM orders WHERE legacy_id = {number}")).unwrap();
    let legacy = |dual: &mut Dual, word: &str| {
        dual.on_legacy(
            "UPDATE deliveries SET status = $1 WHERE id = $2",
            &[big5(word), Value::Integer(number)],
        );
    };
    let new = |dual: &mut Dual, word: &str| {
        let parameters = [Value::text(word), Value::text(order.as_str())];
        dual.on_new("UPDATE orders SET status = $1 WHERE order_number = $2", &parameters);
    };
    let status = format!("SELECT status FROM orders WHERE legacy_id = {number}");
    legacy(&mut dual, "待派");
    dual.settle();
    assert_eq!(dual.text(&status).as_deref(), Some("pending"));
    for (word, other, after) in
        [("已派", "in_delivery", "in_delivery"), ("已送達", "in_delivery", "delivered")]
    {
        legacy(&mut dual, word);
        new(&mut dual, other);
        dual.settle();
        assert_eq!(dual.text(&status).as_deref(), Some(after));
        assert_eq!(dual.differences(), Vec::<String>::new());
    }
}

#[test]
fn what_cannot_be_carried_is_held_by_name_and_its_neighbours_go_on() {
    let settings = Settings {
        clients: 120,
        deliveries: 200,
        new_customers: 0,
        dirty_percent: 25,
        ..Settings::of(120, 9)
    };
    let mut dual = Dual::generated(&settings, Database::sqlite(&NEW), Reach::Everyone);
    dual.settle();
    let held = held(dual.new.store.as_mut(), 10_000).unwrap();
    let differences = dual.differences();
    assert!(!held.is_empty());
    // Each row that is on one side only is held or waits, with its reason; no other differs.
    assert_eq!(held.len(), differences.len(), "{held:#?}\n{differences:#?}");
    // A value that is mended goes on.
    let client =
        dual.legacy.store.query("SELECT id FROM clients WHERE client_code IS NULL LIMIT 1", &[]).unwrap();
    if let Some(row) = client.first() {
        dual.on_legacy(
            "UPDATE clients SET client_code = $1 WHERE id = $2",
            &[big5("MENDED-1"), row[0].clone()],
        );
        dual.settle();
        assert_eq!(dual.new.count("SELECT count(*) FROM customers WHERE customer_code = 'MENDED-1'"), 1);
    }
}

/// Rows of one page share their time in the earlier system, and more rows than a page has changed at once (L5).
#[test]
fn nothing_is_lost_at_the_edge_of_a_page() {
    let settings = Settings { clients: 700, deliveries: 100, ..clean(11) };
    let mut dual = Dual::generated(&settings, Database::sqlite(&NEW), Reach::Everyone);
    dual.settle();
    let changed = dual.legacy.store.execute("UPDATE clients SET notes = $1", &[big5("all at once")]).unwrap();
    assert_eq!(changed, 700);
    dual.settle();
    assert_eq!(dual.new.count("SELECT count(*) FROM customers WHERE notes = 'all at once'"), 700);
    assert_eq!(dual.differences(), Vec::<String>::new());
}

/// Whoever reads an outbox can tell the carrier's writes from a user's (L6).
#[test]
fn the_carriers_own_writes_are_signed() {
    let mut dual = Dual::generated(&clean(12), Database::sqlite(&NEW), Reach::Everyone);
    dual.settle();
    let unsigned = "SELECT count(*) FROM luckygas_outbox WHERE origin IS NULL";
    assert_eq!((dual.legacy.count(unsigned), dual.new.count(unsigned)), (0, 0));
    dual.on_new("UPDATE customers SET notes = 'x' WHERE legacy_id = 1", &[]);
    dual.on_legacy("UPDATE clients SET notes = $1 WHERE id = 2", &[big5("y")]);
    dual.settle();
    assert_eq!((dual.legacy.count(unsigned), dual.new.count(unsigned)), (1, 1), "the users' own");
}

/// Both sides wrote the address of one customer; `winner` is told which one counts.
fn both_write(winner: plimsoll_luckygas::link::Winner) -> (Value, Option<String>) {
    plimsoll_luckygas::link::set_winner(winner);
    let mut dual = Dual::generated(&clean(13), Database::sqlite(&NEW), Reach::Everyone);
    dual.settle();
    dual.on_legacy("UPDATE clients SET address = $1 WHERE id = 7", &[big5("甲路1號")]);
    dual.carrier.session.clock.sleep_ms(20);
    dual.on_new("UPDATE customers SET address = '乙路2號' WHERE legacy_id = 7", &[]);
    dual.settle();
    assert_eq!(dual.differences(), Vec::<String>::new());
    let legacy = dual.legacy_row("customer", 7).unwrap()["address"].clone();
    (legacy, dual.text("SELECT address FROM customers WHERE legacy_id = 7"))
}

#[test]
fn the_new_side_wins_where_it_is_said() {
    let (legacy, new) = both_write(plimsoll_luckygas::link::Winner::New);
    assert_eq!((legacy, new.as_deref()), (big5("乙路2號"), Some("乙路2號")));
}

#[test]
fn the_legacy_side_wins_where_it_is_said() {
    let (legacy, new) = both_write(plimsoll_luckygas::link::Winner::Legacy);
    assert_eq!((legacy, new.as_deref()), (big5("甲路1號"), Some("甲路1號")));
}

#[test]
fn the_later_change_wins_where_it_is_said() {
    let (legacy, new) = both_write(plimsoll_luckygas::link::Winner::Newest);
    assert_eq!((legacy, new.as_deref()), (big5("乙路2號"), Some("乙路2號")));
}
