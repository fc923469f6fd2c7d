//! Generated rows in real databases: what is planted is found by the mapping, and nothing else is.

use std::collections::BTreeMap;

use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_luckygas::mapping::{ENTITIES, EntityMap, Problem};
use plimsoll_luckygas::schema::{LEGACY, NEW, before_capture};
use plimsoll_simulator::luckygas::dirt::{Dirt, Planted};
use plimsoll_simulator::luckygas::{Manifest, Settings, generate};
use plimsoll_store::schema;

use crate::support::{Database, Known, NOW};

fn entity(name: &str) -> &'static EntityMap {
    ENTITIES.iter().copied().find(|entity| entity.name == name).unwrap()
}

fn generated(settings: &Settings, new: Database) -> (Database, Database, Manifest) {
    let (mut legacy, mut new) = (Database::sqlite(&before_capture(&LEGACY)), new);
    let mut told = (0, 0);
    let manifest =
        generate(settings, legacy.store.as_mut(), new.store.as_mut(), &mut |done, all| told = (done, all))
            .unwrap();
    assert_eq!(told.0, told.1);
    (legacy, new, manifest)
}

/// The kind of dirt that a problem shows.
fn kind(problem: &Problem) -> Dirt {
    match (problem.column.as_str(), &problem.value) {
        ("client_code", _) => Dirt::NoCode,
        // What each program reads differently is a pair that a lead byte begins; what none reads is not.
        ("notes", Value::Bytes(bytes)) => match bytes.as_slice() {
            [0xC6 | 0xC8 | 0xFA | 0x88 | 0xA2 | 0xF9, _] => Dirt::ForeignText,
            _ => Dirt::BrokenText,
        },
        ("payment_method" | "status", _) => Dirt::UnknownWord,
        ("is_active", _) => Dirt::OddFlag,
        ("updated_at", _) => Dirt::NoTime,
        ("client_id", _) => Dirt::OrphanClient,
        ("driver_id", _) => Dirt::OrphanDriver,
        ("short_name", _) => Dirt::BeyondBig5,
        other => panic!("nobody planted {other:?}: {}", problem.reason),
    }
}

/// Carries every row over and back; a row that cannot be carried shows one kind of dirt.
fn carry(map: &EntityMap, rows: &[Fields], known: &mut Known, planted: &mut Planted) {
    for row in rows {
        match map.to_new(row, known) {
            Ok(new) => {
                assert_eq!(&map.to_legacy(&new, known).unwrap(), row);
                let code = map
                    .fields
                    .iter()
                    .find(|field| field.rule.name() == "code")
                    .map(|field| &new[field.table][field.new]);
                let number = row["id"].as_integer().unwrap();
                if let Some(Value::Text(code)) = code {
                    known.0.insert((map.name.into(), number), code.clone());
                }
            }
            Err(problems) => {
                assert_eq!(problems.len(), 1, "{problems:?}");
                *planted.entry(kind(&problems[0])).or_insert(0) += 1;
            }
        }
    }
}

#[test]
fn what_is_planted_is_refused_and_nothing_else() {
    let settings = Settings { new_customers: 300, ..Settings::of(1_500, 7) };
    let (mut legacy, _, manifest) = generated(&settings, Database::sqlite(&before_capture(&NEW)));
    let mut known = Known::default();
    let mut found = Planted::new();
    for name in ["customer", "driver", "vehicle"] {
        carry(entity(name), &legacy.rows(entity(name).legacy_table), &mut known, &mut found);
    }
    // A code that stands twice is each row's own; the database says no to the second.
    let mut codes: BTreeMap<&String, u64> = BTreeMap::new();
    known
        .0
        .iter()
        .filter(|((entity, _), _)| entity == "customer")
        .for_each(|(_, code)| *codes.entry(code).or_insert(0) += 1);
    let twice: u64 = codes.values().map(|times| times - 1).sum();
    found.insert(Dirt::DuplicateCode, twice);
    assert_eq!(found, manifest.dirty_clients);
    assert_eq!(found.len(), 7, "{found:?}");

    // Deliveries of clients that cannot be carried wait for them; of the others, what is planted is refused.
    let clients = legacy.rows("clients");
    for client in &clients {
        let number = client["id"].as_integer().unwrap();
        known.0.entry(("customer".into(), number)).or_insert_with(|| format!("waiting-{number}"));
    }
    // Codes that stand twice would not come back to one number.
    for ((entity, number), code) in &mut known.0 {
        if entity == "customer" {
            *code = format!("{code}/{number}");
        }
    }
    let mut found = Planted::new();
    carry(entity("order"), &legacy.rows("deliveries")[..2_000], &mut known, &mut found);
    let first: u64 = found.values().sum();
    assert!((40..=120).contains(&first), "{first} of 2,000 rows, where 4 % are planted");
    assert_eq!(found.len(), 6, "{found:?}");
    assert_eq!(manifest.dirty_deliveries.len(), 6);
}

/// Both databases of the new side take the rows, and a name that Big5 cannot hold is found before it goes back.
#[test]
fn customers_of_the_new_side_are_taken_by_both_databases() {
    let settings = Settings { clients: 10, deliveries: 0, new_customers: 400, ..Settings::of(10, 3) };
    let databases =
        [Some(Database::sqlite(&before_capture(&NEW))), Database::postgres(&before_capture(&NEW))];
    for database in databases.into_iter().flatten() {
        let (_, mut new, manifest) = generated(&settings, database);
        let map = entity("customer");
        let mut found = Planted::new();
        for mut row in new.rows("customers") {
            row.insert("legacy_id".into(), Value::Integer(1));
            match map.to_legacy(&BTreeMap::from([("customers", row)]), &Known::default()) {
                Ok(_) => {}
                Err(problems) => {
                    assert_eq!(problems.len(), 1, "{problems:?}");
                    *found.entry(kind(&problems[0])).or_insert(0) += 1;
                }
            }
        }
        assert_eq!(found, manifest.dirty_customers);
        assert_eq!(new.rows("sms_log").len() as u64, manifest.new["sms_log"]);
        assert!(!found.is_empty());
    }
}

#[test]
fn a_seed_gives_the_same_rows_and_ties_and_nulls_are_among_them() {
    let of = |seed| {
        let (mut legacy, mut new, manifest) =
            generated(&Settings::of(200, seed), Database::sqlite(&before_capture(&NEW)));
        (legacy.rows("clients"), legacy.rows("deliveries"), new.rows("orders"), manifest)
    };
    let (first, again, other) = (of(1), of(1), of(2));
    assert_eq!(first, again);
    assert_ne!(first.0, other.0);
    let mut stamps: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    for row in &first.0 {
        let Value::Bytes(stamp) = &row["updated_at"] else { panic!("{row:?}") };
        *stamps.entry(stamp.clone()).or_insert(0) += 1;
    }
    assert!(stamps.values().any(|rows| *rows >= 3), "rows share a stamp");
    let nulls = first.0.iter().filter(|row| row.values().any(Value::is_null)).count();
    assert!(nulls > 100, "{nulls} of 200 rows have a null");
    let known = |name: &str| {
        first.0.iter().all(|row| {
        matches!(&row[name], Value::Bytes(bytes) if plimsoll_luckygas::big5::decode(bytes).unwrap().contains("示範"))
    })
    };
    assert!(known("invoice_title") && known("short_name"), "what is invented says so");
}

/// Rows that lay there before capture began are not in the outbox; from then on every change is.
#[test]
fn capture_begins_after_the_rows() {
    let (mut legacy, mut new, _) = generated(&Settings::of(100, 1), Database::sqlite(&before_capture(&NEW)));
    schema::upgrade(legacy.store.as_mut(), &LEGACY, NOW).unwrap();
    schema::upgrade(new.store.as_mut(), &NEW, NOW).unwrap();
    assert_eq!(legacy.count("SELECT count(*) FROM luckygas_outbox"), 0);
    legacy.store.execute("UPDATE clients SET area = NULL WHERE id <= 10", &[]).unwrap();
    assert_eq!(legacy.count("SELECT count(*) FROM luckygas_outbox WHERE operation = 'update'"), 10);
}
