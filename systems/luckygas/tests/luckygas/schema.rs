//! The schemas: versions agree, every column is accounted for, and no name is one that the new application keeps.

use std::collections::BTreeSet;

use plimsoll_core::table::ColumnType;
use plimsoll_engine::system::Schema;
use plimsoll_luckygas::capture;
use plimsoll_luckygas::mapping::ENTITIES;
use plimsoll_luckygas::schema::{LEGACY, LEGACY_TABLES, NEW, NEW_TABLES, before_capture};
use plimsoll_store::{Store, schema};

use crate::support::{Database, NOW, big5};

/// Everything that SQLite knows of its tables, indexes and triggers.
fn described(store: &mut dyn Store) -> Vec<String> {
    let sql = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'plimsoll%' \
               AND name NOT LIKE 'sqlite_autoindex_plimsoll%' ORDER BY 1, 2";
    store.query(sql, &[]).unwrap().iter().map(|row| format!("{row:?}")).collect()
}

fn described_postgres(store: &mut dyn Store) -> Vec<String> {
    let queries = [
        "SELECT table_name, column_name, ordinal_position::bigint, data_type, is_nullable, column_default \
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3",
        "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
        "SELECT tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
        "SELECT tgrelid::regclass::text, tgname::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
        "SELECT proname::text, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    ];
    let rows = queries.iter().flat_map(|query| store.query(query, &[]).unwrap());
    rows.map(|row| format!("{row:?}")).filter(|fact| !fact.contains("plimsoll_schema")).collect()
}

#[test]
fn steps_make_the_current_schema_and_can_run_twice() {
    for side in [&LEGACY, &NEW] {
        let mut by_steps = Database::sqlite(side);
        let once = described(by_steps.store.as_mut());
        for step in side.steps {
            schema::apply_step(by_steps.store.as_mut(), step).unwrap();
        }
        assert_eq!(described(by_steps.store.as_mut()), once, "{}", side.component);
        let nothing = Schema { steps: &[], ..*side };
        let mut at_once = Database::sqlite(&nothing);
        at_once.store.run_script(side.current.sqlite).unwrap();
        assert_eq!(described(at_once.store.as_mut()), once, "{}", side.component);
        assert!(once.iter().any(|fact| fact.contains("trigger")));
    }
}

#[test]
fn the_same_on_postgresql() {
    let Some(mut by_steps) = Database::postgres(&NEW) else { return };
    let once = described_postgres(by_steps.store.as_mut());
    for step in NEW.steps {
        schema::apply_step(by_steps.store.as_mut(), step).unwrap();
    }
    assert_eq!(described_postgres(by_steps.store.as_mut()), once);
    let mut at_once = Database::postgres(&Schema { steps: &[], ..NEW }).unwrap();
    at_once.store.run_script(NEW.current.postgres).unwrap();
    assert_eq!(described_postgres(at_once.store.as_mut()), once);
    assert!(once.len() > 120, "{}", once.len());
}

/// The two dialects have the same tables with the same types.
#[test]
fn both_databases_have_the_same_columns() {
    let Some(mut postgres) = Database::postgres(&NEW) else { return };
    let mut sqlite = Database::sqlite(&NEW);
    for table in NEW_TABLES {
        let shape = |database: &mut Database| {
            let shape = database.store.shape(table).unwrap().unwrap();
            let key: Vec<String> = shape.key_columns().map(str::to_owned).collect();
            let columns =
                shape.columns.iter().map(|column| (column.name.clone(), column.column_type, column.nullable));
            (key, columns.collect::<Vec<(String, ColumnType, bool)>>())
        };
        assert_eq!(shape(&mut sqlite), shape(&mut postgres), "{table}");
    }
}

/// The legacy program's database is adopted as it stands: its rows stay, its tables are not made anew.
#[test]
fn a_legacy_database_is_adopted() {
    let mut database = Database::sqlite(&Schema { steps: &[], ..LEGACY });
    database
        .store
        .run_script(
            LEGACY.steps[0]
                .actions
                .iter()
                .map(|action| match action {
                    plimsoll_engine::system::SchemaAction::Script(script) => script.sqlite,
                    plimsoll_engine::system::SchemaAction::AddColumn { .. } => "",
                })
                .collect::<Vec<_>>()
                .concat()
                .as_str(),
        )
        .unwrap();
    let insert = "INSERT INTO clients (id, client_code) VALUES (1, $1)";
    database.store.execute(insert, &[big5("D1")]).unwrap();
    assert_eq!(schema::upgrade(database.store.as_mut(), &before_capture(&LEGACY), NOW).unwrap(), [1]);
    assert_eq!(schema::upgrade(database.store.as_mut(), &LEGACY, NOW).unwrap(), [2, 3]);
    assert_eq!(database.rows("clients")[0]["client_code"], big5("D1"));
    assert_eq!(database.count("SELECT count(*) FROM luckygas_outbox"), 0);
}

#[test]
fn every_column_is_mapped_or_the_new_sides_own() {
    let (mut legacy, mut new) = (Database::sqlite(&LEGACY), Database::sqlite(&NEW));
    let names = |database: &mut Database, table: &str| -> BTreeSet<String> {
        let shape = database.store.shape(table).unwrap().unwrap();
        shape.columns.iter().map(|column| column.name.clone()).collect()
    };
    for entity in ENTITIES {
        let mapped: BTreeSet<String> = entity.fields.iter().map(|field| field.legacy.to_owned()).collect();
        assert_eq!(names(&mut legacy, entity.legacy_table), mapped, "{}", entity.name);
        for table in entity.tables {
            let all: Vec<String> = entity.columns_of(table).map(str::to_owned).collect();
            assert_eq!(names(&mut new, table), all.iter().cloned().collect(), "{table}");
            assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len(), "{table} has a column twice");
        }
        let place = |name: &str| ENTITIES.iter().position(|known| known.name == name).unwrap();
        assert!(entity.after.iter().all(|earlier| place(earlier) < place(entity.name)), "{}", entity.name);
    }
    // What is mapped is captured, and only that.
    let mapped: BTreeSet<&str> = ENTITIES.iter().flat_map(|entity| entity.tables).copied().collect();
    assert_eq!(capture::NEW.iter().map(|captured| captured.table).collect::<BTreeSet<_>>(), mapped);
    assert_eq!(
        capture::LEGACY.iter().map(|captured| captured.table).collect::<BTreeSet<_>>(),
        LEGACY_TABLES.iter().copied().collect()
    );
    for captured in capture::NEW.iter().chain(capture::LEGACY) {
        let map = captured.map().unwrap();
        assert!(map.tables.contains(&captured.table) || map.legacy_table == captured.table);
    }
}

#[test]
fn no_column_has_a_name_that_the_new_application_keeps() {
    let mut new = Database::sqlite(&NEW);
    for table in NEW_TABLES {
        let shape = new.store.shape(table).unwrap().unwrap();
        for column in &shape.columns {
            let kept = ["metadata", "registry", "query", "query_class"];
            assert!(!kept.contains(&column.name.as_str()), "{table}.{}", column.name);
        }
    }
    assert!(NEW_TABLES.contains(&"sms_log"));
}
