//! Parity between two real databases: kept by change, exact against brute force, and repaired by a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::parity::RowDifference;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_engine::Session;
use plimsoll_engine::capture::Outbox;
use plimsoll_engine::change::apply::{self, StartRun};
use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::change::setup;
use plimsoll_engine::pilot::compare::{EntityParity, Through, compare};
use plimsoll_engine::pilot::follow::{build, catch_up};
use plimsoll_engine::pilot::record::SideStore;
use plimsoll_engine::pilot::repair::{Repair, plan_repair};
use plimsoll_luckygas::mapping::ENTITIES;
use plimsoll_luckygas::pilot::LuckyGas;
use plimsoll_luckygas::schema::{LEGACY, NEW, OUTBOX, before_capture};
use plimsoll_simulator::luckygas::{Settings, generate};
use plimsoll_store::{Access, Store, in_transaction, schema};

use crate::support::{Database, Known, NOW, big5, settle};

const EXPECTED: u64 = 2_000;

/// Both sides, with everything carried over that can be.
struct Both {
    legacy: Database,
    new: Database,
}

fn insert(store: &mut dyn Store, table: &str, fields: &Fields) {
    let shape = store.shape(table).unwrap().unwrap();
    let image = shape
        .columns
        .iter()
        .map(|column| store.canonical(column, fields.get(&column.name).cloned().unwrap_or_default()))
        .collect();
    let change = Change::new(shape.clone(), None, Some(image)).unwrap();
    assert_eq!(store.write_rows(&[&change]).unwrap(), [true], "{table}");
}

impl Both {
    fn carried(settings: &Settings, mut new: Database) -> Self {
        let mut legacy = Database::sqlite(&before_capture(&LEGACY));
        generate(settings, legacy.store.as_mut(), new.store.as_mut(), &mut |_, _| {}).unwrap();
        let mut known = Known::default();
        let mut codes = BTreeSet::new();
        for entity in ENTITIES {
            let rows = legacy.rows(entity.legacy_table);
            in_transaction(
                new.store.as_mut(),
                Access::ReadWrite,
                |store| -> Result<(), plimsoll_store::StoreError> {
                    for row in &rows {
                        let Ok(new) = entity.to_new(row, &known) else { continue };
                        let root = &new[entity.tables[0]];
                        let code = root
                            .values()
                            .find_map(|_| {
                                ["customer_code", "driver_code", "plate_number", "order_number"]
                                    .iter()
                                    .find_map(|key| {
                                        (entity.name != "order" || *key == "order_number")
                                            .then(|| root.get(*key))
                                            .flatten()
                                    })
                            })
                            .and_then(Value::as_text)
                            .unwrap()
                            .to_owned();
                        if !codes.insert((entity.name, code.clone())) {
                            continue;
                        }
                        known.0.insert((entity.name.into(), row["id"].as_integer().unwrap()), code);
                        entity.tables.iter().for_each(|table| insert(store, table, &new[table]));
                    }
                    Ok(())
                },
            )
            .unwrap();
        }
        for (database, side) in [(&mut legacy, &LEGACY), (&mut new, &NEW)] {
            schema::upgrade(database.store.as_mut(), side, NOW).unwrap();
            schema::upgrade(database.store.as_mut(), &plimsoll_engine::pilot::schema::SCHEMA, NOW).unwrap();
        }
        let mut both = Self { legacy, new };
        both.build();
        both
    }

    fn sides(&mut self) -> (SideStore<'_>, SideStore<'_>) {
        (
            SideStore { side: Side::Legacy, store: self.legacy.store.as_mut(), pilot: &LuckyGas },
            SideStore { side: Side::New, store: self.new.store.as_mut(), pilot: &LuckyGas },
        )
    }

    fn build(&mut self) {
        let (mut legacy, mut new) = self.sides();
        let quiet: plimsoll_engine::session::ProgressSink = Arc::new(|_| {});
        build(&mut legacy, EXPECTED, &quiet).unwrap();
        build(&mut new, EXPECTED, &quiet).unwrap();
    }

    /// As if every change so far was carried over.
    fn end(&mut self) -> Through {
        let outbox = Outbox(OUTBOX);
        settle(self.new.store.as_mut());
        Through {
            legacy: outbox.end(self.legacy.store.as_mut()).unwrap(),
            new: outbox.end(self.new.store.as_mut()).unwrap(),
        }
    }

    fn compare(&mut self, carried: Through) -> BTreeMap<String, EntityParity> {
        let (mut legacy, mut new) = self.sides();
        let found = compare(&mut legacy, &mut new, carried, usize::MAX).unwrap();
        found.into_iter().map(|parity| (parity.entity.clone(), parity)).collect()
    }

    /// The sums as they are stored, without the empty ones: one kept by change leaves those behind.
    fn sums(&mut self) -> Vec<Vec<Vec<Value>>> {
        let sql = "SELECT * FROM plimsoll_parity_sum WHERE records <> 0 ORDER BY entity, level, segment";
        let digests = "SELECT * FROM plimsoll_parity_record ORDER BY entity, row_key";
        let mut all = Vec::new();
        for database in [&mut self.legacy, &mut self.new] {
            for sql in [sql, digests] {
                let mut rows = database.store.query(sql, &[]).unwrap();
                rows.sort_by_cached_key(|row| format!("{row:?}"));
                all.push(rows);
            }
        }
        all
    }
}

fn small() -> Settings {
    Settings { clients: 150, deliveries: 400, new_customers: 20, dirty_percent: 6, seed: 11 }
}

fn new_databases() -> impl Iterator<Item = Database> {
    [Some(Database::sqlite(&before_capture(&NEW))), Database::postgres(&before_capture(&NEW))]
        .into_iter()
        .flatten()
}

fn changed(parity: &EntityParity) -> BTreeMap<String, (RowDifference, Vec<String>)> {
    let one = |one: &plimsoll_engine::pilot::compare::Difference| {
        (one.record.to_text(), (one.how, one.fields.iter().map(|field| field.column.clone()).collect()))
    };
    parity.shown.iter().map(one).collect()
}

#[test]
fn what_differs_is_named_and_sums_kept_by_change_equal_those_made_anew() {
    for new in new_databases() {
        let mut both = Both::carried(&small(), new);
        let end = both.end();
        let before = both.compare(end);
        // What could not be carried is on the legacy side alone; what began on the new side is there alone.
        assert!(before["customer"].shown.iter().all(|one| one.how != RowDifference::Values));
        let alone = before["customer"].shown.iter().filter(|one| one.how == RowDifference::OnlyNew);
        assert_eq!(
            alone.map(|one| one.reason.as_deref()).collect::<BTreeSet<_>>(),
            [Some("it has no legacy number yet")].into()
        );
        assert_eq!(before["driver"].shown, []);
        assert_eq!(before["customer"].legacy_records, 150);
        assert_eq!(before["order"].pending, 0);

        // Changes on both sides that nobody carries over.
        let good: Vec<i64> = both
            .new
            .store
            .query("SELECT legacy_id FROM customers WHERE legacy_id IS NOT NULL ORDER BY 1", &[])
            .unwrap()
            .iter()
            .map(|row| row[0].as_integer().unwrap())
            .collect();
        let order = both.new.count("SELECT min(legacy_id) FROM orders");
        both.legacy
            .store
            .execute("UPDATE clients SET area = $1 WHERE id = $2", &[big5("改"), Value::Integer(good[3])])
            .unwrap();
        both.new
            .store
            .execute(
                "UPDATE customers SET notes = 'x', cylinders_4kg = 77, email = 'y' WHERE legacy_id = $1",
                &[Value::Integer(good[5])],
            )
            .unwrap();
        both.new
            .store
            .execute(
                "UPDATE customers SET email = 'only here' WHERE legacy_id = $1",
                &[Value::Integer(good[6])],
            )
            .unwrap();
        both.new
            .store
            .execute(
                "UPDATE customers SET short_name = '堃' WHERE legacy_id = $1",
                &[Value::Integer(good[7])],
            )
            .unwrap();
        both.legacy
            .store
            .execute("INSERT INTO clients (id, client_code) VALUES (9001, $1)", &[big5("D9001")])
            .unwrap();
        both.legacy.store.execute("DELETE FROM deliveries WHERE id = $1", &[Value::Integer(order)]).unwrap();

        // Not carried over: on its way, and no difference.
        settle(both.new.store.as_mut());
        let waiting = both.compare(end);
        assert_eq!(
            waiting["customer"].differing,
            before["customer"].differing,
            "{:?}",
            changed(&waiting["customer"])
        );
        assert_eq!(waiting["customer"].pending, 4);
        assert_eq!(waiting["order"].pending, 1);

        // Believed to be carried over: exactly these differ, in exactly these fields.
        let end = both.end();
        let found = both.compare(end);
        let earlier = changed(&before["customer"]);
        let mut now = changed(&found["customer"]);
        now.retain(|key, _| !earlier.contains_key(key));
        let key = |number: i64| RowKey(vec![Value::Integer(number)]).to_text();
        let values =
            |columns: &[&str]| (RowDifference::Values, columns.iter().map(ToString::to_string).collect());
        let expected = BTreeMap::from([
            (key(good[3]), values(&["area"])),
            (key(good[5]), values(&["cylinder_4kg", "notes"])),
            (key(good[7]), values(&[])),
            (key(9001), (RowDifference::OnlyLegacy, Vec::new())),
        ]);
        assert_eq!(now, expected);
        let refused = found["customer"]
            .shown
            .iter()
            .find(|one| one.record == RowKey(vec![Value::Integer(good[7])]))
            .unwrap();
        assert_eq!(
            refused.reason.as_deref(),
            Some("short_name: Big5 has no `堃` (U+5803, character 0 of the text)")
        );
        assert_eq!(found["order"].differing, before["order"].differing + 1);

        let kept = both.sums();
        both.build();
        assert_eq!(both.sums(), kept, "kept by change is what is made anew");
        assert!(!kept[0].is_empty() && !kept[2].is_empty());
    }
}

#[test]
fn a_change_costs_as_much_as_it_is_and_not_as_much_as_the_table() {
    let settings = Settings { clients: 1_500, deliveries: 0, new_customers: 0, dirty_percent: 0, seed: 3 };
    let mut both = Both::carried(&settings, Database::sqlite(&before_capture(&NEW)));
    let end = both.end();
    let equal = both.compare(end);
    assert!(equal.values().all(EntityParity::is_equal), "{equal:?}");
    assert_eq!((equal["customer"].sums, equal["customer"].segments), (1, 0));
    both.new
        .store
        .execute("UPDATE customers SET latitude = latitude + 0.0000001 WHERE legacy_id = 700", &[])
        .unwrap();
    let end = both.end();
    let found = both.compare(end);
    // 2,000 expected records: the whole, 16 parts, 16 parts of one of them.
    assert_eq!((found["customer"].sums, found["customer"].segments, found["customer"].differing), (33, 1, 1));
    let (_, mut new) = both.sides();
    let again = catch_up(&mut new).unwrap();
    assert_eq!((again.lines, again.records), (0, 0), "following twice changes nothing");
}

/// A repair is a plan: shown, applied, verified, and what cannot be carried is refused by name.
#[test]
fn a_repair_is_a_plan_and_leaves_what_cannot_be_carried() {
    for new in new_databases() {
        let mut both = Both::carried(&small(), new);
        // One more client under another's code: nobody's row may be written over for it, and no order be given away.
        let other = both.new.count("SELECT max(legacy_id) FROM customers");
        let sql = "INSERT INTO clients (id, client_code) SELECT 9003, client_code FROM clients WHERE id = $1";
        both.legacy.store.execute(sql, &[Value::Integer(other)]).unwrap();
        let sql = "INSERT INTO deliveries (id, client_id, status) VALUES (9004, 9003, $1)";
        both.legacy.store.execute(sql, &[big5("待派")]).unwrap();
        let end = both.end();
        let hopeless = both.compare(end);
        let good = both.new.count("SELECT min(legacy_id) FROM customers");
        let order = both.new.count("SELECT min(legacy_id) FROM orders");
        both.new
            .store
            .execute(
                "UPDATE customers SET notes = 'x', email = 'stays' WHERE legacy_id = $1",
                &[Value::Integer(good)],
            )
            .unwrap();
        both.legacy.store.execute("DELETE FROM deliveries WHERE id = $1", &[Value::Integer(order)]).unwrap();
        both.legacy
            .store
            .execute(
                "INSERT INTO clients (id, client_code, is_active) VALUES (9001, $1, 1)",
                &[big5("D9001")],
            )
            .unwrap();
        let sql = "INSERT INTO deliveries (id, client_id, status) VALUES (9002, 9001, $1)";
        both.legacy.store.execute(sql, &[big5("待派")]).unwrap();

        let end = both.end();
        let found: Vec<EntityParity> = both.compare(end).into_values().collect();
        let mut session = Session::new(both.new.store.reopen().unwrap(), "test");
        setup::prepare(&mut session, Some(&plimsoll_luckygas::SYSTEM)).unwrap();
        let repair = Repair { target: Side::New, system: "luckygas", pilot: &LuckyGas };
        let (mut legacy, _) = both.sides();
        let plan = plan_repair(&mut session, repair, &mut legacy, &found).unwrap();
        let start = StartRun {
            settings: RunSettings { batch_size: Some(10), ..RunSettings::default() },
            ..StartRun::default()
        };
        let run = apply::start(&mut session, &plan, &start).unwrap();
        let run = apply::drive(&mut session, &run.id, None).unwrap();
        assert_eq!(run.tally.applied, 4, "{:?}", run.tally);
        // The rest was refused while it was planned, and nothing ran into anything.
        assert_eq!((run.tally.quarantined, run.tally.conflicted), (plan.refused, 0), "{:?}", run.tally);

        let end = both.end();
        let after = both.compare(end);
        for (entity, parity) in &after {
            assert_eq!(changed(parity), changed(&hopeless[entity]), "{entity}");
        }
        let kept = both.new.count("SELECT count(*) FROM customers WHERE email = 'stays'");
        assert_eq!(kept, 1, "a column of the new side's own stays as it is");
    }
}
