//! How fast PostgreSQL is written and read. Not run by default:
//! `cargo test -p plimsoll-store --test speed -- --ignored --nocapture`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement panics as a test does, and prints"
)]

use std::fs;
use std::time::Instant;

use plimsoll_core::change::Change;
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, StoreError, StoreUrl, in_transaction, open};
use plimsoll_testkit::postgres_server::{PostgresServer, ServerOptions};

const ROWS: i64 = 20_000;
const BATCH: usize = 50;
const ROUNDS: usize = 3;

const TABLE: &str = "CREATE TABLE hearing (
    id bigint PRIMARY KEY, event_id text UNIQUE, congress bigint, chamber text, title text, date date, time text,
    location text, status text, url text, video text, created_at timestamptz, updated_at timestamptz)";

fn row(id: i64, title: &str, updated: &str) -> Vec<Value> {
    vec![
        Value::Integer(id),
        Value::text(format!("1{id:06}")),
        Value::Integer(119),
        Value::text("House"),
        Value::text(format!("Hearing {id}: {title} of the programs under the jurisdiction of the committee")),
        Value::Date("2025-10-01".into()),
        Value::text("10:00"),
        Value::text("2123 Rayburn House Office Building, Washington"),
        Value::text("Scheduled"),
        Value::text(format!("https://example.org/hearings/{id}")),
        Value::Null,
        Value::Timestamp("2025-01-01T00:00:00Z".into()),
        Value::Timestamp(updated.into()),
    ]
}

/// Best of several rounds, by what was measured: rows, seconds, CPU seconds of server and client together.
struct Meter {
    backend: String,
    best: Vec<(String, usize, f64, f64)>,
}

impl Meter {
    fn measure(&mut self, what: &str, rows: usize, work: impl FnOnce()) {
        let (began, busy) = (Instant::now(), self.busy());
        work();
        let (seconds, busy) = (began.elapsed().as_secs_f64(), self.busy() - busy);
        match self.best.iter_mut().find(|(name, ..)| name == what) {
            Some(best) => (best.2, best.3) = (best.2.min(seconds), best.3.min(busy)),
            None => self.best.push((what.to_owned(), rows, seconds, busy)),
        }
    }

    /// CPU seconds that the server's process for us and this process have used so far.
    fn busy(&self) -> f64 {
        let used = |process: &str| -> f64 {
            let line = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
            let fields = line.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
            fields.map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
        };
        used(&self.backend) + used("self")
    }

    fn print(&self) {
        for (what, rows, seconds, busy) in &self.best {
            let (wall, cpu) = (*rows as f64 / seconds, *rows as f64 / busy.max(0.01));
            println!("{what:<62} {wall:>9.0} rows/s {cpu:>9.0} rows/CPU-s");
        }
    }
}

/// Writes in transactions of one batch; `each` changes go to the store at a time.
fn write(store: &mut dyn Store, changes: &[Change], each: usize) {
    for batch in changes.chunks(BATCH) {
        in_transaction(store, Access::ReadWrite, |store| {
            for part in batch.chunks(each) {
                let written = store.write_rows(&part.iter().collect::<Vec<_>>())?;
                assert!(written.iter().all(|written| *written));
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    }
}

#[test]
#[ignore = "a measurement, not a test"]
fn postgres() {
    let Some(server) = PostgresServer::start(ServerOptions { fsync: true }).unwrap() else { return };
    let mut store = open(&StoreUrl::Postgres { url: server.database().unwrap() }).unwrap();
    let store = store.as_mut();
    store.run_script(TABLE).unwrap();
    let shape = store.shape("hearing").unwrap().unwrap();
    let (old, new) = ("2025-06-01T00:00:00Z", "2025-10-01T19:59:54.5Z");
    let ids = || 1..=ROWS;
    let inserts: Vec<Change> =
        ids().map(|id| Change::new(shape.clone(), None, Some(row(id, "review", old))).unwrap()).collect();
    let updates: Vec<Change> = ids()
        .map(|id| {
            Change::new(shape.clone(), Some(row(id, "review", old)), Some(row(id, "oversight", new))).unwrap()
        })
        .collect();
    let back: Vec<Change> = updates.iter().map(Change::inverse).collect();
    let deletes: Vec<Change> = inserts.iter().map(Change::inverse).collect();
    let rows = inserts.len();
    let backend = store.query("SELECT pg_backend_pid()", &[]).unwrap()[0][0].as_integer().unwrap();
    let mut meter = Meter { backend: backend.to_string(), best: Vec::new() };
    for _ in 0..ROUNDS {
        for (how, each) in [("50 at a time", BATCH), ("one by one", 1)] {
            for (what, changes) in
                [("insert", &inserts), ("update", &updates), ("update back", &back), ("delete", &deletes)]
            {
                meter.measure(&format!("write_rows, batches of 50, {how}: {what}"), rows, || {
                    write(store, changes, each);
                });
            }
        }
        store.run_script("TRUNCATE hearing").unwrap();
        store.forget_shapes();
        meter.measure("write_rows, insert and update in turns, from empty", 2 * rows, || {
            for (inserts, updates) in inserts.chunks(BATCH).zip(updates.chunks(BATCH)) {
                write(store, inserts, BATCH);
                write(store, updates, BATCH);
            }
        });
        // The floor: a plain prepared update by key, without a comparison.
        meter.measure("plain UPDATE by key, batches of 50, one by one", rows, || plain(store, &updates));
        reads(store, &mut meter);
        store.run_script("TRUNCATE hearing").unwrap();
    }
    journal(store, &mut meter);
    meter.print();
}

fn plain(store: &mut dyn Store, updates: &[Change]) {
    for batch in updates.chunks(BATCH) {
        in_transaction(store, Access::ReadWrite, |store| {
            for change in batch {
                let after = change.after.as_ref().unwrap();
                let sql = "UPDATE hearing SET title = $2, updated_at = $3 WHERE id = $1";
                store.execute(sql, &[after[0].clone(), after[4].clone(), after[12].clone()])?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    }
}

fn reads(store: &mut dyn Store, meter: &mut Meter) {
    let shape = store.shape("hearing").unwrap().unwrap();
    let keys: Vec<RowKey> = (1..=ROWS).map(|id| RowKey(vec![Value::Integer(id)])).collect();
    meter.measure("read_rows, 50 keys at a time", keys.len(), || {
        for batch in keys.chunks(BATCH) {
            assert_eq!(store.read_rows(&shape, batch).unwrap().len(), batch.len());
        }
    });
    meter.measure("read_rows, 1 key at a time", 2000, || {
        for key in keys.iter().take(2000) {
            store.read_rows(&shape, std::slice::from_ref(key)).unwrap();
        }
    });
    meter.measure("find_rows by a unique text", 2000, || {
        for id in 1..=2000 {
            store.find_rows(&shape, &[1], &[Value::text(format!("1{id:06}"))]).unwrap();
        }
    });
    meter.measure("scan_rows", keys.len(), || {
        store.scan_rows(&shape, &mut |_| Ok(())).unwrap();
    });
}

fn journal(store: &mut dyn Store, meter: &mut Meter) {
    plimsoll_store::schema::upgrade(store, &plimsoll_store::journal::SCHEMA, "2026-01-01T00:00:00Z").unwrap();
    let columns = ["plan", "item", "position", "table_name", "row_key", "before_image", "after_image"];
    let before = serde_json::to_string(&row(1, "review", "2025-06-01T00:00:00Z")).unwrap();
    let rows = |image: Value| -> Vec<Vec<Value>> {
        let row = |at: i64| {
            let numbers = [Value::Integer(1), Value::Integer(at), Value::Integer(0), Value::text("hearing")];
            let rest = [Value::text(format!("[{at}]")), image.clone(), Value::text("[[4,\"x\"]]")];
            numbers.into_iter().chain(rest).collect()
        };
        (0..200_000).map(row).collect()
    };
    let with_image =
        [("with a before image of 390 bytes", Value::Text(before)), ("without images", Value::Null)];
    for (what, image) in with_image {
        let rows = rows(image);
        for _ in 0..ROUNDS {
            meter.measure(&format!("append, 7 columns, {what}"), rows.len(), || {
                for chunk in rows.chunks(50_000) {
                    let append = |store: &mut dyn Store| store.append("plimsoll_change", &columns, chunk);
                    in_transaction(store, Access::ReadWrite, append).unwrap();
                }
            });
            store.run_script("TRUNCATE plimsoll_change; CHECKPOINT").unwrap();
        }
    }
    let columns = ["run", "partition", "number", "previous", "changes_digest", "outcome_digest", "digest"];
    meter.measure("append, one row at a time", 2000, || {
        store.begin(Access::ReadWrite).unwrap();
        for number in 0..2000 {
            let mut row = vec![Value::text("run"), Value::Integer(0), Value::Integer(number)];
            row.extend(["p", "c", "o", "d"].map(Value::text));
            store.append("plimsoll_receipt", &columns, &[row]).unwrap();
        }
        store.commit().unwrap();
    });
}
