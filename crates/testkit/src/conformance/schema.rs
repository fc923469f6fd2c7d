//! Schema versions: forward only, safe to repeat, and the steps lead to the declared whole.

use plimsoll_core::value::Value;
use plimsoll_store::schema::{self, Dialect, Schema, SchemaAction, SchemaStep};
use plimsoll_store::{Access, DatabaseKind, ErrorClass, Store, check_result, in_transaction, journal};

use super::Open;

const NOW: &str = "2026-01-02T03:04:05Z";

pub(super) fn run(open: &mut Open<'_>) {
    is_sound(open, &TWO_STEPS);
    is_sound(open, &journal::SCHEMA);
    is_sound(open, &check_result::SCHEMA);
    is_sound(open, &plimsoll_engine::sync::SCHEMA);
    versions_are_remembered_and_guarded(open().as_mut());
    a_failing_step_leaves_nothing(open().as_mut());
    receipts_and_events_are_only_added(open().as_mut());
}

const BASELINE: SchemaStep = SchemaStep {
    version: 1,
    name: "people",
    actions: &[SchemaAction::Script(Dialect::both(
        "CREATE TABLE IF NOT EXISTS person (id bigint PRIMARY KEY, name text NOT NULL)",
    ))],
};

const TWO_STEPS: Schema = Schema {
    component: "suite",
    steps: &[
        BASELINE,
        SchemaStep {
            version: 2,
            name: "people have a town",
            actions: &[
                SchemaAction::AddColumn { table: "person", column: "town", declared: Dialect::both("text") },
                SchemaAction::Script(Dialect::both(
                    "CREATE INDEX IF NOT EXISTS person_town ON person (town)",
                )),
            ],
        },
    ],
    current: Dialect::both(
        "CREATE TABLE IF NOT EXISTS person (id bigint PRIMARY KEY, name text NOT NULL, town text);
         CREATE INDEX IF NOT EXISTS person_town ON person (town)",
    ),
};

/// Checks a schema: baseline plus steps give what `current` declares, each step may run twice, and an
/// upgraded store has nothing left to upgrade.
///
/// # Panics
/// When it does not hold.
pub fn is_sound(open: &mut Open<'_>, schema: &Schema) {
    let name = schema.component;
    let mut by_steps = open();
    let versions: Vec<i64> = schema.steps.iter().map(|step| step.version).collect();
    assert_eq!(versions, (1..=schema.latest()).collect::<Vec<_>>(), "steps of {name} count 1, 2, 3, ..");
    assert_eq!(schema::version(by_steps.as_mut(), name).unwrap(), 0);
    assert_eq!(schema::upgrade(by_steps.as_mut(), schema, NOW).unwrap(), versions);
    assert_eq!(schema::upgrade(by_steps.as_mut(), schema, NOW).unwrap(), [0; 0]);
    assert_eq!(schema::version(by_steps.as_mut(), name).unwrap(), schema.latest());
    let whole = described(by_steps.as_mut());

    let mut repeated = open();
    schema::upgrade(repeated.as_mut(), &Schema { steps: &[], ..*schema }, NOW).unwrap();
    for step in schema.steps {
        for _ in 0..2 {
            in_transaction(repeated.as_mut(), Access::ReadWrite, |store| schema::apply_step(store, step))
                .unwrap_or_else(|error| panic!("step {} of {name} run twice: {error}", step.version));
        }
    }
    let mut current = open();
    for _ in 0..2 {
        current.run_script(schema.current.of(current.kind())).unwrap();
    }
    current.forget_shapes();
    let apart_from_versions = |store: &mut dyn Store| -> Vec<String> {
        described(store).into_iter().filter(|line| !line.contains("plimsoll_schema")).collect()
    };
    let whole: Vec<String> = whole.into_iter().filter(|line| !line.contains("plimsoll_schema")).collect();
    assert_eq!(apart_from_versions(repeated.as_mut()), whole, "steps of {name} run twice");
    assert_eq!(apart_from_versions(current.as_mut()), whole, "baseline and steps of {name} against current");
}

/// Every table with its columns and key, every index with its columns, every trigger: one line each.
fn described(store: &mut dyn Store) -> Vec<String> {
    let (tables, others) = match store.kind() {
        DatabaseKind::Sqlite => (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
            "SELECT 'index ' || s.tbl_name || ' ' || l.\"unique\" || ' ' || l.partial || ' '
                    || (SELECT group_concat(coalesce(name, '?')) FROM pragma_index_info(l.name))
             FROM sqlite_schema s JOIN pragma_index_list(s.name) l WHERE s.type = 'table'
             UNION ALL SELECT 'trigger ' || sql FROM sqlite_schema WHERE type = 'trigger'",
        ),
        DatabaseKind::Postgres => (
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
            "SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = current_schema()
             UNION ALL SELECT 'constraint ' || conrelid::regclass::text || ' ' || pg_get_constraintdef(oid)
             FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
             UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        ),
    };
    let mut lines: Vec<String> = Vec::new();
    for row in store.query(others, &[]).unwrap() {
        lines.push(row[0].as_text().unwrap().to_owned());
    }
    for row in store.query(tables, &[]).unwrap() {
        let table = row[0].as_text().unwrap();
        let shape = store.shape(table).unwrap().unwrap_or_else(|| panic!("{table} has no shape"));
        lines.push(format!("table {}", serde_json::to_string(shape.as_ref()).unwrap()));
    }
    lines.sort();
    assert!(!lines.is_empty());
    lines
}

fn versions_are_remembered_and_guarded(store: &mut dyn Store) {
    let first = Schema { steps: &[BASELINE], ..TWO_STEPS };
    assert_eq!(schema::upgrade(store, &first, NOW).unwrap(), [1]);
    store.execute("INSERT INTO person (id, name) VALUES (1, 'ada')", &[]).unwrap();
    assert_eq!(schema::upgrade(store, &TWO_STEPS, NOW).unwrap(), [2]);
    let kept = store.query("SELECT name, town FROM person", &[]).unwrap();
    assert_eq!(kept, [[Value::text("ada"), Value::Null]]);
    let newer = schema::upgrade(store, &first, NOW).unwrap_err();
    assert!(newer.class == ErrorClass::Refused && newer.message.contains("newer"), "{newer}");
    const CHANGED: &[SchemaStep] = &[
        SchemaStep {
            version: 1,
            name: "people",
            actions: &[SchemaAction::Script(Dialect::both("CREATE TABLE IF NOT EXISTS person (id bigint)"))],
        },
        SchemaStep { version: 2, name: "people have a town", actions: &[] },
    ];
    let changed = schema::upgrade(store, &Schema { steps: CHANGED, ..TWO_STEPS }, NOW).unwrap_err();
    assert!(changed.class == ErrorClass::Refused && changed.message.contains("step 1"), "{changed}");
    assert_eq!(schema::version(store, "suite").unwrap(), 2);
}

fn a_failing_step_leaves_nothing(store: &mut dyn Store) {
    const BROKEN: &[SchemaStep] = &[
        BASELINE,
        SchemaStep {
            version: 2,
            name: "broken",
            actions: &[
                SchemaAction::AddColumn { table: "person", column: "town", declared: Dialect::both("text") },
                SchemaAction::Script(Dialect::both("CREATE TABLE half (id bigint PRIMARY KEY); SELEKT 1")),
            ],
        },
    ];
    let error = schema::upgrade(store, &Schema { steps: BROKEN, ..TWO_STEPS }, NOW).unwrap_err();
    assert!(error.message.contains("step 2 (broken)"), "{error}");
    assert_eq!(schema::version(store, "suite").unwrap(), 1);
    store.forget_shapes();
    assert!(store.shape("half").unwrap().is_none());
    assert!(store.shape("person").unwrap().is_some_and(|shape| shape.position("town").is_none()));
    assert_eq!(schema::upgrade(store, &TWO_STEPS, NOW).unwrap(), [2]);
}

fn receipts_and_events_are_only_added(store: &mut dyn Store) {
    schema::upgrade(store, &journal::SCHEMA, NOW).unwrap();
    let text = |text: &str| Value::text(text);
    let receipt =
        vec![text("run"), Value::Integer(0), Value::Integer(1), text("-"), text("c"), text("o"), text("d")];
    let columns = ["run", "partition", "number", "previous", "changes_digest", "outcome_digest", "digest"];
    store.append("plimsoll_receipt", &columns, &[receipt]).unwrap();
    let mut event = vec![Value::Integer(1)];
    event.extend(
        ["at", "actor", "kind", "subject", "reason", "detail", "previous", "digest"].map(Value::text),
    );
    let columns = ["number", "at", "actor", "kind", "subject", "reason", "detail", "previous", "digest"];
    store.append("plimsoll_event", &columns, &[event]).unwrap();
    for table in ["plimsoll_receipt", "plimsoll_event"] {
        for sql in [
            format!("UPDATE {table} SET digest = 'forged'"),
            format!("DELETE FROM {table}"),
            format!("DELETE FROM {table} WHERE number = 1"),
        ] {
            let error = store.execute(&sql, &[]).unwrap_err();
            assert_eq!(error.class, ErrorClass::Trigger, "{sql}: {error}");
            assert!(error.message.contains("append-only"), "{error}");
        }
        let kept =
            store.query(&format!("SELECT count(*) FROM {table} WHERE digest <> 'forged'"), &[]).unwrap();
        assert_eq!(kept, [[Value::Integer(1)]]);
    }
}
