//! The schema: versions agree, both databases have the same columns, and what is written once stays.

use plimsoll_core::table::ColumnType;
use plimsoll_engine::system::Schema;
use plimsoll_gauges::schema::{SCHEMA, TABLES};
use plimsoll_store::{Store, StoreUrl, schema};
use plimsoll_testkit::postgres_server::PostgresServer;

use crate::support::{Lab, on_both};

const NOW: &str = "2026-11-29T00:00:00Z";

fn sqlite(folder: &tempfile::TempDir, name: &str) -> Box<dyn Store> {
    let url: StoreUrl = format!("sqlite:{}/{name}.db", folder.path().display()).parse().unwrap();
    plimsoll_store::open(&url).unwrap()
}

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
    let folder = tempfile::tempdir().unwrap();
    let mut by_steps = sqlite(&folder, "steps");
    schema::upgrade(by_steps.as_mut(), &SCHEMA, NOW).unwrap();
    let once = described(by_steps.as_mut());
    for step in SCHEMA.steps {
        schema::apply_step(by_steps.as_mut(), step).unwrap();
    }
    assert_eq!(described(by_steps.as_mut()), once);
    let mut at_once = sqlite(&folder, "once");
    schema::upgrade(at_once.as_mut(), &Schema { steps: &[], ..SCHEMA }, NOW).unwrap();
    at_once.run_script(SCHEMA.current.sqlite).unwrap();
    assert_eq!(described(at_once.as_mut()), once);
    assert!(once.len() > 80, "{}", once.len());
}

#[test]
fn the_same_on_postgresql() {
    let Some(server) = PostgresServer::shared() else { return };
    let open = || plimsoll_store::open(&server.database().unwrap().parse().unwrap()).unwrap();
    let mut by_steps = open();
    schema::upgrade(by_steps.as_mut(), &SCHEMA, NOW).unwrap();
    let once = described_postgres(by_steps.as_mut());
    for step in SCHEMA.steps {
        schema::apply_step(by_steps.as_mut(), step).unwrap();
    }
    assert_eq!(described_postgres(by_steps.as_mut()), once);
    let mut at_once = open();
    schema::upgrade(at_once.as_mut(), &Schema { steps: &[], ..SCHEMA }, NOW).unwrap();
    at_once.run_script(SCHEMA.current.postgres).unwrap();
    assert_eq!(described_postgres(at_once.as_mut()), once);
}

#[test]
fn both_databases_have_the_same_columns() {
    let Some(server) = PostgresServer::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut stores = [
        sqlite(&folder, "columns"),
        plimsoll_store::open(&server.database().unwrap().parse().unwrap()).unwrap(),
    ];
    for store in &mut stores {
        schema::upgrade(store.as_mut(), &SCHEMA, NOW).unwrap();
    }
    for table in TABLES {
        let shapes = stores.each_mut().map(|store| {
            let shape = store.shape(table).unwrap().unwrap_or_else(|| panic!("{table}"));
            let key: Vec<String> = shape.key_columns().map(str::to_owned).collect();
            let columns: Vec<(String, ColumnType, bool)> = shape
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.column_type, column.nullable))
                .collect();
            (key, columns)
        });
        assert_eq!(shapes[0], shapes[1], "{table}");
    }
}

/// D12: the history and everything else that is written once refuse to be changed, in the database itself.
#[test]
fn d12_what_is_written_once_refuses_to_be_changed() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        lab.spare("G2", "go");
        lab.ok("replace", serde_json::json!({"set": set, "old": "G1", "new": "G2"}));
        let statements = [
            "UPDATE gauge_history SET reason = 'another'",
            "DELETE FROM gauge_history WHERE entry = 3",
            "UPDATE gauge_history_subjects SET subject = 'x'",
            "DELETE FROM gauge_history_subjects",
            "UPDATE gauge_set_ids SET issued_by = 'x'",
            "DELETE FROM gauge_set_ids",
            "DELETE FROM gauges",
            "UPDATE gauges SET serial = 'X' WHERE serial = 'G1'",
            "UPDATE gauges SET category = 'SR'",
            "UPDATE gauges SET name = 'another'",
            "DELETE FROM gauge_thread_specifications",
            "UPDATE gauge_thread_specifications SET side = 'go'",
            "DELETE FROM gauge_sets",
            "DELETE FROM gauge_set_members",
            "UPDATE gauge_set_members SET serial = 'N1' WHERE serial = 'G2'",
            "UPDATE gauge_set_members SET until_entry = NULL, until_at = NULL WHERE serial = 'G1'",
            "DELETE FROM gauge_certificates",
            "UPDATE gauge_certificates SET issued_on = '2020-01-01'",
            "UPDATE gauge_categories SET next_number = 1",
            "UPDATE gauge_history_head SET entry = 1",
            "DELETE FROM gauge_history_head",
        ];
        for statement in statements {
            let error = lab.session.store.execute(statement, &[]).expect_err(statement);
            assert_eq!(error.class.as_str(), "trigger", "{statement}: {error}");
        }
        lab.sound();
    });
}

/// The ledger's key is the last guard: an ID cannot be given out twice while the check is on, whoever writes.
#[test]
fn d2_the_ledger_refuses_a_second_issue() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        let row = |issue: i64, checked: &str| {
            format!(
                "INSERT INTO gauge_set_ids (set_id, issue, category, number, origin, reuse_checked, entry, issued_at, issued_by)
                 VALUES ('{set}', {issue}, 'SP', 1, 'typed', {checked}, 1, '2026-01-05T08:00:00.000Z', 'ada')"
            )
        };
        assert_eq!(lab.session.store.execute(&row(1, "TRUE"), &[]).unwrap_err().class.as_str(), "unique");
        assert_eq!(lab.session.store.execute(&row(2, "TRUE"), &[]).unwrap_err().class.as_str(), "check");
    });
}
