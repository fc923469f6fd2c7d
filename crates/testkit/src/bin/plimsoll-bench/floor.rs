//! The floors and rivals: the same updates without a journal, one commit a row, and Python.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use plimsoll_core::value::Value;
use plimsoll_store::{Access, DatabaseKind, Store, in_transaction};

use crate::Failure;
use crate::rows::after;

/// A plain loop of the updates, `batch` rows in one transaction, no journal. Returns seconds.
pub(crate) fn plain(store: &mut dyn Store, count: i64, batch: i64) -> Result<f64, Failure> {
    let sql = match store.kind() {
        DatabaseKind::Sqlite => "UPDATE item SET status = ?1, amount = ?2, updated_at = ?3 WHERE id = ?4",
        DatabaseKind::Postgres => "UPDATE item SET status = $1, amount = $2, updated_at = $3 WHERE id = $4",
    };
    let started = Instant::now();
    let mut first = 0;
    while first < count {
        let end = (first + batch).min(count);
        in_transaction(store, Access::ReadWrite, |store| {
            for id in first..end {
                let [status, amount, updated_at] = after(id);
                store.execute(sql, &[status, amount, updated_at, Value::Integer(id)])?;
            }
            Ok::<_, plimsoll_store::StoreError>(())
        })?;
        first = end;
    }
    Ok(started.elapsed().as_secs_f64())
}

/// Python's sqlite3 with a JSON prior image and one transaction for each batch: what a careful script does.
const PYTHON: &str = r#"
import json, sqlite3, sys, time
path, count, batch, synchronous = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
db = sqlite3.connect(path, isolation_level=None)
db.execute("pragma journal_mode=wal"); db.execute("pragma synchronous=" + synchronous)
db.execute("create table prior (run integer, id integer, image text)")
start = time.perf_counter()
for first in range(0, count, batch):
    db.execute("begin immediate")
    for row_id in range(first, min(first + batch, count)):
        row = db.execute("select id, name, status, amount, note, updated_at from item where id = ?", (row_id,)).fetchone()
        db.execute("insert into prior values (1, ?, ?)", (row_id, json.dumps(row)))
        db.execute("update item set status = ?, amount = ?, updated_at = ? where id = ?",
                   ("Postponed", row_id % 1000 + 1, "2026-01-02T00:00:00Z", row_id))
    db.execute("commit")
print(time.perf_counter() - start)
"#;

/// Seconds that the Python script takes, or `None` where there is no Python.
pub(crate) fn python(path: &Path, count: i64, batch: i64, synchronous: &str) -> Result<Option<f64>, Failure> {
    let started = Command::new("python3")
        .arg("-")
        .arg(path)
        .args([count.to_string(), batch.to_string(), synchronous.to_owned()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else { return Ok(None) };
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(PYTHON.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err("the Python script failed".into());
    }
    Ok(Some(String::from_utf8(output.stdout)?.trim().parse()?))
}
