//! What PostgreSQL does beyond the common contract: transactions that fail, other sessions, grouping,
//! catalog, parameters, secrets.

#![expect(clippy::unwrap_used, reason = "the helpers of a test panic as the test does")]

use std::thread;
use std::time::{Duration, Instant};

use plimsoll_core::change::Change;
use plimsoll_core::table::{ColumnType, RowKey};
use plimsoll_core::value::Value;
use plimsoll_store::{Access, ErrorClass, Store, StoreError, StoreUrl, in_transaction, open};
use plimsoll_testkit::postgres_server::PostgresServer;

fn at(url: &str) -> Box<dyn Store> {
    open(&StoreUrl::Postgres { url: url.to_owned() }).unwrap()
}

fn filled(server: &PostgresServer) -> Box<dyn Store> {
    let mut store = at(&server.database().unwrap());
    store
        .run_script(
            "CREATE TABLE item (id bigint PRIMARY KEY, label text, code text UNIQUE);
             INSERT INTO item SELECT i, 'label ' || i, 'code ' || i FROM generate_series(1, 100) AS i",
        )
        .unwrap();
    store
}

fn item(id: i64, label: &str) -> Vec<Value> {
    vec![Value::Integer(id), Value::text(label), Value::text(format!("code {id}"))]
}

/// The change of an item's label from its first one.
fn relabel(store: &mut dyn Store, id: i64) -> Change {
    let shape = store.shape("item").unwrap().unwrap();
    Change::new(shape, Some(item(id, &format!("label {id}"))), Some(item(id, "new"))).unwrap()
}

#[test]
fn transactions() {
    let Some(server) = PostgresServer::shared() else { return };
    a_failed_transaction_is_not_committed(filled(server).as_mut());
    waiting_ends(filled(server).as_mut());
    a_deadlock_is_contention(filled(server).as_mut());
    a_lost_connection_is_told(filled(server).as_mut());
    a_changed_schema_is_noticed(filled(server).as_mut());
}

fn a_failed_transaction_is_not_committed(store: &mut dyn Store) {
    let change = relabel(store, 1);
    store.begin(Access::ReadWrite).unwrap();
    store.write_rows(&[&change]).unwrap();
    store.query("SELECT 1 / (id - 1) FROM item", &[]).unwrap_err();
    assert!(store.savepoint("late").is_err());
    assert!(store.write_rows(&[&change]).is_err());
    let error = store.commit().unwrap_err();
    assert!(error.message.contains("failed"), "{error}");
    assert_eq!(store.write_rows(&[&change]).unwrap(), [true], "the change was not taken back");

    // A value that never reached the server leaves the transaction as it was.
    store.begin(Access::ReadWrite).unwrap();
    let error = store.execute("UPDATE item SET id = id + $1", &[Value::text("x")]).unwrap_err();
    assert_eq!(error.class, ErrorClass::Value);
    let back = change.inverse();
    assert_eq!(store.write_rows(&[&back]).unwrap(), [true]);
    store.commit().unwrap();
}

fn waiting_ends(store: &mut dyn Store) {
    let change = relabel(store, 1);
    let mut other = store.reopen().unwrap();
    other.begin(Access::ReadWrite).unwrap();
    other.write_rows(&[&change]).unwrap();
    for setting in ["SET lock_timeout = '50ms'", "SET lock_timeout = 0; SET statement_timeout = '50ms'"] {
        store.run_script(setting).unwrap();
        let error = store.write_rows(&[&change]).unwrap_err();
        assert_eq!(error.class, ErrorClass::Timeout, "{error}");
        assert!(error.message.contains("hint:"), "{error}");
    }
    other.rollback().unwrap();
    assert_eq!(store.write_rows(&[&change]).unwrap(), [true]);
}

fn a_deadlock_is_contention(store: &mut dyn Store) {
    let (one, two) = (relabel(store, 1), relabel(store, 2));
    let mut other = store.reopen().unwrap();
    for session in [&mut *store, other.as_mut()] {
        session.run_script("SET deadlock_timeout = '20ms'").unwrap();
        session.begin(Access::ReadWrite).unwrap();
    }
    store.write_rows(&[&one]).unwrap();
    other.write_rows(&[&two]).unwrap();
    let (first, second) = (one.clone(), two);
    let waiting = thread::spawn(move || {
        let result = other.write_rows(&[&first]);
        other.rollback().unwrap();
        result
    });
    let ours = store.write_rows(&[&second]);
    store.rollback().unwrap();
    let theirs = waiting.join().unwrap();
    let failed: Vec<StoreError> = [ours, theirs].into_iter().filter_map(Result::err).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].class, ErrorClass::Contention);
}

fn a_lost_connection_is_told(store: &mut dyn Store) {
    let change = relabel(store, 1);
    let mut admin = store.reopen().unwrap();
    let own = store.query("SELECT pg_backend_pid()", &[]).unwrap().concat();
    store.begin(Access::ReadWrite).unwrap();
    store.write_rows(&[&change]).unwrap();
    admin.query("SELECT pg_terminate_backend($1)", &own).unwrap();
    // The first call may still see the server's last words, later ones only the closed connection.
    for _ in 0..3 {
        let error = store.query("SELECT 1", &[]).unwrap_err();
        assert_eq!(error.class, ErrorClass::Connection, "{error}");
    }
    assert_eq!(store.commit().unwrap_err().class, ErrorClass::Connection);
    store.rollback().unwrap();
    assert_eq!(store.begin(Access::ReadWrite).unwrap_err().class, ErrorClass::Connection);
    let mut again = store.reopen().unwrap();
    assert_eq!(again.write_rows(&[&change]).unwrap(), [true]);
}

fn a_changed_schema_is_noticed(store: &mut dyn Store) {
    let sql = "SELECT label FROM item WHERE id = 1";
    assert_eq!(store.query(sql, &[]).unwrap(), [[Value::text("label 1")]]);
    store.reopen().unwrap().run_script("ALTER TABLE item ALTER label TYPE bytea USING label::bytea").unwrap();
    let error = store.query(sql, &[]).unwrap_err();
    assert_eq!(error.class, ErrorClass::Schema);
    assert_eq!(store.query(sql, &[]).unwrap(), [[Value::Bytes(b"label 1".to_vec())]]);
}

/// Changes whose order cannot matter are one statement; where it can matter each is its own.
#[test]
fn grouping() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut store = filled(server);
    let store = store.as_mut();
    store
        .run_script(
            "CREATE TABLE statement (kind text);
             CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN INSERT INTO statement VALUES (TG_OP); RETURN NULL; END $$;
             CREATE TRIGGER counting AFTER INSERT OR UPDATE OR DELETE ON item
                 FOR EACH STATEMENT EXECUTE FUNCTION count_statement();",
        )
        .unwrap();
    let statements = |store: &mut dyn Store, changes: &[Change]| -> usize {
        store.run_script("TRUNCATE statement").unwrap();
        let written = store.write_rows(&changes.iter().collect::<Vec<_>>()).unwrap();
        assert!(written.iter().all(|written| *written));
        store.query("SELECT kind FROM statement", &[]).unwrap().len()
    };
    let shape = store.shape("item").unwrap().unwrap();
    let updates: Vec<Change> = (1..=50).map(|id| relabel(store, id)).collect();
    assert_eq!(statements(store, &updates), 1);
    let back: Vec<Change> = updates.iter().map(Change::inverse).collect();
    assert_eq!(statements(store, &back), 1);
    let gone: Vec<Change> = updates
        .iter()
        .map(|change| Change::new(shape.clone(), change.before.clone(), None).unwrap())
        .collect();
    assert_eq!(statements(store, &gone), 1);
    let inserts: Vec<Change> = gone.iter().map(Change::inverse).collect();
    assert_eq!(statements(store, &inserts), 1);
    let codes: Vec<Change> = (1..=50)
        .map(|id| {
            let mut after = item(id, &format!("label {id}"));
            after[2] = Value::text(format!("other {id}"));
            Change::new(shape.clone(), Some(item(id, &format!("label {id}"))), Some(after)).unwrap()
        })
        .collect();
    assert_eq!(statements(store, &codes), 50, "updates of a unique column");
    assert_eq!(statements(store, &codes.iter().map(Change::inverse).collect::<Vec<_>>()), 50);

    // A row trigger that lets at most one row be new at any moment: only one by one does it see each moment.
    store
        .run_script(
            "CREATE FUNCTION at_most_one() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF (SELECT count(*) FROM item WHERE label = 'new') > 1 THEN RAISE EXCEPTION 'two at a time'; END IF;
                 RETURN NULL;
             END $$;
             CREATE TRIGGER at_most_one AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION at_most_one()",
        )
        .unwrap();
    store.forget_shapes();
    let alternating: Vec<Change> = updates[..5].iter().flat_map(|one| [one.clone(), one.inverse()]).collect();
    assert_eq!(statements(store, &alternating), 10);
    let error = store.write_rows(&updates.iter().collect::<Vec<_>>()).unwrap_err();
    assert_eq!((error.class, error.at), (ErrorClass::Trigger, Some(1)), "{error}");
}

#[test]
fn catalog() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut store = at(&server.database().unwrap());
    let store = store.as_mut();
    store
        .run_script(
            "CREATE SCHEMA hidden; CREATE TABLE hidden.item (id int PRIMARY KEY);
             CREATE DOMAIN amount AS numeric(8,2) NOT NULL; CREATE DOMAIN price AS amount CHECK (value >= 0);
             CREATE TYPE mood AS ENUM ('sad', 'happy');
             CREATE TABLE \"Odd\" (
                 gone text, id int GENERATED ALWAYS AS IDENTITY, b varchar(7) COLLATE \"en-x-icu\" NOT NULL,
                 cost price, double_cost numeric GENERATED ALWAYS AS (cost * 2) STORED, mood mood,
                 at timestamp(3) with time zone, local timestamp, tags text[],
                 PRIMARY KEY (b, id) INCLUDE (cost)
             );
             ALTER TABLE \"Odd\" DROP COLUMN gone;
             CREATE TABLE parts (id bigint PRIMARY KEY, v text) PARTITION BY HASH (id);
             CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);",
        )
        .unwrap();
    assert!(store.shape("item").unwrap().is_none() && store.shape("odd").unwrap().is_none());
    let shape = store.shape("Odd").unwrap().unwrap();
    let seen: Vec<(&str, &str, ColumnType, bool)> = shape
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.declared.as_str(), c.column_type, c.nullable))
        .collect();
    assert_eq!(
        seen,
        [
            ("id", "integer", ColumnType::Integer, false),
            ("b", "character varying(7)", ColumnType::Text, false),
            ("cost", "numeric(8,2)", ColumnType::Decimal, false),
            ("mood", "mood", ColumnType::Text, true),
            ("at", "timestamp(3) with time zone", ColumnType::Timestamp, true),
            ("local", "timestamp without time zone", ColumnType::Text, true),
            ("tags", "text[]", ColumnType::Text, true),
        ]
    );
    assert_eq!(shape.key, [1, 0]);
    let rows: Vec<Vec<Value>> = ["b", "a", "B", "é"]
        .iter()
        .zip(1..)
        .map(|(b, id)| {
            let mut row = vec![Value::Integer(id), Value::text(*b), Value::Decimal("1.50".into())];
            row.extend([Value::text("sad"), Value::Null, Value::Null, Value::text("{a,NULL}")]);
            row
        })
        .collect();
    let inserts: Vec<Change> =
        rows.iter().map(|row| Change::new(shape.clone(), None, Some(row.clone())).unwrap()).collect();
    assert_eq!(store.write_rows(&inserts.iter().collect::<Vec<_>>()).unwrap(), [true; 4]);
    let mut order = Vec::new();
    let each = &mut |row: Vec<Value>| {
        order.push(row[1].as_text().unwrap_or_default().to_owned());
        Ok(())
    };
    store.scan_rows(&shape, each).unwrap();
    assert_eq!(order, ["B", "a", "b", "é"]);
    // A value that breaks the domain under a column is the row's fault.
    let mut after = rows[0].clone();
    after[2] = Value::Decimal("-1.00".into());
    let change = Change::new(shape, Some(rows[0].clone()), Some(after)).unwrap();
    assert_eq!(store.write_rows(&[&change]).unwrap_err().class, ErrorClass::Check);

    let parts = store.shape("parts").unwrap().unwrap();
    let inserts: Vec<Change> = (0..20)
        .map(|id| Change::new(parts.clone(), None, Some(vec![Value::Integer(id), Value::Null])).unwrap())
        .collect();
    assert_eq!(store.write_rows(&inserts.iter().collect::<Vec<_>>()).unwrap(), [true; 20]);
    assert_eq!(store.write_rows(&inserts.iter().collect::<Vec<_>>()).unwrap(), [false; 20]);
    let key = [RowKey(vec![Value::Integer(7)])];
    assert!(store.read_rows(&parts, &key).unwrap()[0].is_some());
}

/// Looking for texts that are no values of their column's type finds nothing and spoils no transaction.
#[test]
fn texts_of_no_type() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut store = at(&server.database().unwrap());
    let store = store.as_mut();
    store.run_script("CREATE TYPE mood AS ENUM ('sad', 'happy')").unwrap();
    let types = [
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("mood", "sad"),
        ("date", "2025-10-01"),
        ("timestamptz", "2025-10-01T00:00:00Z"),
        ("timestamp", "2025-10-01 00:00:00"),
        ("numeric", "1.50"),
        ("inet", "10.0.0.1"),
    ];
    for (declared, good) in types {
        store.run_script(&format!("CREATE TABLE of_{declared} (k {declared} PRIMARY KEY)")).unwrap();
        let shape = store.shape(&format!("of_{declared}")).unwrap().unwrap();
        let good = store.canonical(&shape.columns[0], Value::text(good));
        let insert = Change::new(shape.clone(), None, Some(vec![good.clone()])).unwrap();
        assert_eq!(store.write_rows(&[&insert]).unwrap(), [true]);
        store.begin(Access::ReadOnly).unwrap();
        for bad in ["", "glad", "2025-02-30", "0000-01-01", "1.5x", "a0eebc99", "0000-01-01T00:00:00Z"] {
            let keys = [RowKey(vec![Value::text(bad)]), RowKey(vec![good.clone()])];
            let found = store.read_rows(&shape, &keys).unwrap();
            assert_eq!(found, [None, Some(vec![good.clone()])], "{declared} {bad}");
            assert_eq!(store.read_rows(&shape, &keys[..1]).unwrap(), [None], "{declared} {bad}");
            assert!(store.find_rows(&shape, &[0], &keys[0].0).unwrap().is_empty(), "{declared} {bad}");
        }
        store.commit().unwrap();
    }
}

/// Every day of four centuries and samples of all others, against the server's own calendar.
#[test]
fn calendar() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut store = at(&server.database().unwrap());
    let days = [("1900-01-01", 146_097, 1), ("4713-01-02 BC", 60_000, 89), ("9000-01-01", 60_000, 373)];
    for (first, count, step) in days {
        let sql = format!(
            "SELECT d, d::text, d + time '23:59:59.000001', (d + time '23:59:59.000001')::text
             FROM generate_series(0, {count}) AS n, LATERAL (SELECT date '{first}' + n * {step} AS d) AS days"
        );
        let mut seen = 0;
        store
            .query_each(&sql, &[], &mut |row| {
                seen += 1;
                assert_eq!(row[0].as_text(), row[1].as_text());
                assert_eq!(row[2].as_text(), row[3].as_text());
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, count + 1);
    }
}

#[test]
fn parameters_and_results() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut store = at(&server.database().unwrap());
    let mut echo = |cast: &str, value: Value| -> Result<Value, StoreError> {
        Ok(store.query(&format!("SELECT $1::{cast}"), &[value])?.concat().remove(0))
    };
    let text = |text: &str| Value::text(text);
    for (cast, given, back) in [
        ("int2", Value::Integer(-7), Value::Integer(-7)),
        ("int4", Value::Integer(7), Value::Integer(7)),
        ("int8", Value::Integer(i64::MIN), Value::Integer(i64::MIN)),
        ("float4", Value::Float(0.5), Value::Float(0.5)),
        ("float8", Value::Float(0.1), Value::Float(0.1)),
        ("bool", Value::Boolean(true), Value::Boolean(true)),
        ("bytea", Value::Bytes(vec![0, 255]), Value::Bytes(vec![0, 255])),
        ("text", text("ż"), text("ż")),
        ("numeric", Value::Integer(12), Value::Decimal("12".into())),
        ("numeric(6,2)", Value::Decimal("1.5".into()), Value::Decimal("1.50".into())),
        ("timestamptz", text("2025-10-01 21:00:00+02"), Value::Timestamp("2025-10-01T19:00:00Z".into())),
        ("date", Value::Date("2025-10-01".into()), Value::Date("2025-10-01".into())),
        ("jsonb", text("{\"a\":1}"), Value::Json("{\"a\": 1}".into())),
        ("uuid", text("A0EEBC999C0B4EF8BB6D6BB9BD380A11"), text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("int8", Value::Null, Value::Null),
        ("text", Value::Null, Value::Null),
    ] {
        assert_eq!(echo(cast, given).unwrap(), back, "{cast}");
    }
    for (cast, given) in [
        ("int2", Value::Integer(40_000)),
        ("int4", text("7")),
        ("text", Value::Integer(7)),
        ("float4", Value::Float(0.1)),
        ("bool", Value::Integer(1)),
        ("uuid", Value::Bytes(vec![1])),
        ("text", text("a\0b")),
    ] {
        let error = echo(cast, given.clone()).unwrap_err();
        assert_eq!(error.class, ErrorClass::Value, "{cast} {given}: {error}");
        assert!(error.message.contains(given.type_name()) && error.message.contains("hint: cast"), "{error}");
    }
    let error = echo("interval", text("1 day")).unwrap_err();
    assert!(error.class == ErrorClass::Schema && error.message.contains("::text"), "{error}");
    assert_eq!(echo("interval::text", text("1 day")).unwrap(), text("1 day"));
    assert!(store.query("SELECT $1::text, $2::text", &[text("one")]).is_err());
}

#[test]
fn addresses_and_secrets() {
    for mode in ["require", "verify-full", "verify-ca"] {
        let url = format!("postgres://me:open%20sesame@localhost:1/db?sslmode={mode}");
        let error = open(&url.parse().unwrap()).err().unwrap();
        assert!(error.class == ErrorClass::Refused && error.message.contains("encrypted"), "{error}");
        assert!(!error.message.contains("sesame"), "{error}");
    }
    for url in [
        "postgres://me:sesame@127.0.0.1:1/db",
        "postgres://me:sesame@/db?host=/nowhere",
        "postgres://me:sesame@[::1/db",
        "postgres://me:sesame@host/db?nonsense=1",
        "postgres://me@host:70000/db?password=sesame",
    ] {
        let began = Instant::now();
        let error = open(&url.parse().unwrap()).err().unwrap();
        assert!(!error.message.contains("sesame"), "{error}");
        assert!(
            matches!(error.class, ErrorClass::Connection | ErrorClass::Refused),
            "{:?} {error}",
            error.class
        );
        assert!(error.message.contains("hint:"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(11), "{url}");
    }
    let Some(server) = PostgresServer::shared() else { return };
    let missing = open(&server.url("nowhere").parse().unwrap()).err().unwrap();
    assert!(missing.message.contains("nowhere") && missing.class != ErrorClass::Other, "{missing}");
    // What a session prints does not depend on what the address asks for.
    let url =
        format!("{}&options=-c%20TimeZone=Asia/Tokyo%20-c%20DateStyle=German", server.database().unwrap());
    let mut store = at(&url);
    let shown = store.query("SELECT '2025-10-01 00:00:00+00'::timestamptz::text", &[]).unwrap();
    assert_eq!(shown, [[Value::text("2025-10-01 00:00:00+00")]]);
    in_transaction(store.as_mut(), Access::ReadOnly, |store| store.query("SELECT 1", &[])).unwrap();
}
