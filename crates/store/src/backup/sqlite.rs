//! Backups of SQLite: a copy of the file.
//!
//! Owns the copy's making, its check, and bringing rows back from it. The copy is made by SQLite's online
//! backup inside a read transaction, and the digests are taken in that same transaction.

use std::path::Path;

use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use plimsoll_core::table::TableShape;
use plimsoll_core::value::Value;

use super::{BackupError, Folder, Made, difference, guards};
use crate::digest::{digests_inside, table_digests};
use crate::sqlite::SqliteStore;
use crate::store::{Access, Store, in_transaction};
use crate::url::Durability;

/// The method's name in the journal.
pub(super) const METHOD: &str = "sqlite_copy";

/// What to do about a damaged copy.
const HINT: &str = "use another backup, and find out what is wrong with the disk";

/// Makes and verifies a copy.
pub(super) fn create(
    path: &Path,
    durability: Durability,
    folder: &Path,
    id: &Id,
    tables: &[&str],
) -> Result<Made, BackupError> {
    let name = path.file_stem().map_or_else(|| "store".into(), |stem| stem.to_string_lossy().into_owned());
    let folder = Folder::take(folder, &name)?;
    let part = folder.part(&format!("{name}-{id}.db"));
    let mut source = SqliteStore::open(path, durability, Access::ReadOnly)?;
    source.begin(Access::ReadOnly)?;
    // The first read opens the snapshot; the copy is made of the same one.
    let digests = digests_inside(&mut source, tables)?;
    source.copy_to(&part.file)?;
    source.rollback()?;
    check(&part.file, &digests)?;
    let (file, bytes) = folder.keep(part)?;
    Ok(Made { method: METHOD, location: file.display().to_string(), bytes, digests })
}

/// Reads the copy back: SQLite's own check of every page, and the tables' digests.
fn check(file: &Path, expected: &[TableDigest]) -> Result<(), BackupError> {
    let damaged =
        |problem: String| BackupError::Damaged { what: file.display().to_string(), problem, hint: HINT };
    let mut copy = SqliteStore::open(file, Durability::Full, Access::ReadOnly)
        .map_err(|error| damaged(error.to_string()))?;
    let verdict = copy.query("PRAGMA integrity_check", &[]).map_err(|error| damaged(error.to_string()))?;
    if verdict != [[Value::text("ok")]] {
        let problems = verdict.iter().flatten().filter_map(Value::as_text).collect::<Vec<_>>();
        return Err(damaged(problems.join("; ")));
    }
    let tables: Vec<&str> = expected.iter().map(|digest| digest.table.as_str()).collect();
    let found = table_digests(&mut copy, &tables).map_err(|error| damaged(error.to_string()))?;
    difference(expected, &found).map_or(Ok(()), |problem| Err(damaged(problem)))
}

/// Brings the tables back.
pub(super) fn restore(
    path: &Path,
    durability: Durability,
    file: &Path,
    expected: &[TableDigest],
) -> Result<(), BackupError> {
    check(file, expected)?;
    let mut store = SqliteStore::open(path, durability, Access::ReadWrite)?;
    // A cascade must not act while rows come and go; the keys are checked as a whole before the commit.
    store.run_script("PRAGMA foreign_keys = OFF")?;
    store.execute("ATTACH $1 AS plimsoll_copy", &[Value::text(file.display().to_string())])?;
    in_transaction(&mut store, Access::ReadWrite, |store| {
        let dangling = dangling_keys(store)?;
        let tables: Vec<&str> = expected.iter().map(|digest| digest.table.as_str()).collect();
        let lifted = guards::lift(store, &tables)?;
        for digest in expected {
            restore_table(store, &digest.table)?;
        }
        guards::stand(store, &lifted)?;
        if let Some(problem) = difference(expected, &digests_inside(store, &tables)?) {
            let hint = "see whether a trigger changes the rows of a table when they are written";
            return Err(BackupError::Damaged { what: "the restored store".into(), problem, hint });
        }
        if let Some(new) = dangling_keys(store)?.iter().find(|key| !dangling.contains(key)) {
            let text = |at: usize| new.get(at).and_then(Value::as_text).unwrap_or("?").to_owned();
            return Err(BackupError::Refused(format!(
                "a row of {} names a row of {} that the backup does not have\nhint: restore that table too",
                text(0),
                text(2)
            )));
        }
        Ok(())
    })
}

fn dangling_keys(store: &mut dyn Store) -> Result<Vec<Vec<Value>>, BackupError> {
    Ok(store.query("SELECT \"table\", rowid, parent, fkid FROM pragma_foreign_key_check", &[])?)
}

/// Writes the rows of one table that differ from the attached copy.
fn restore_table(store: &mut dyn Store, table: &str) -> Result<(), BackupError> {
    let Some(shape) = store.shape(table)? else {
        return Ok(());
    };
    let sql = "SELECT name FROM pragma_table_xinfo($1, 'plimsoll_copy') WHERE hidden = 0";
    let copied = store.query(sql, &[Value::text(table)])?.concat();
    if copied.is_empty() {
        store.execute(&format!("DELETE FROM main.{}", quoted(table)), &[])?;
        return Ok(());
    }
    for name in copied.iter().filter_map(Value::as_text) {
        if shape.position(name).is_none() {
            return Err(BackupError::Refused(format!(
                "table `{table}` no longer has the column `{name}`, which the backup has\nhint: restore into a store of the same version"
            )));
        }
    }
    let (delete, insert) = statements(&shape, &copied);
    store.execute(&delete, &[])?;
    store.execute(&insert, &[])?;
    Ok(())
}

/// Deletes the rows that are not in the copy as they stand, and inserts those that are then missing.
///
/// Cells are compared by `quote()`, which prints type and value exactly, whatever the collation. A column
/// that the table has gained since must be null, as it is after the insert.
fn statements(shape: &TableShape, copied: &[Value]) -> (String, String) {
    let equal: Vec<String> = shape
        .columns
        .iter()
        .map(|column| {
            let name = quoted(&column.name);
            let present = copied.iter().any(|copied| copied.as_text() == Some(&column.name));
            if present { format!("quote(t.{name}) = quote(c.{name})") } else { format!("t.{name} IS NULL") }
        })
        .collect();
    let key: Vec<String> = shape.key_columns().map(|name| format!("t.{0} = c.{0}", quoted(name))).collect();
    let (key, equal) = (key.join(" AND "), equal.join(" AND "));
    let names: Vec<String> = copied.iter().filter_map(Value::as_text).map(quoted).collect();
    let (names, table) = (names.join(", "), quoted(&shape.name));
    let delete = format!(
        "DELETE FROM main.{table} AS t
         WHERE NOT EXISTS (SELECT 1 FROM plimsoll_copy.{table} AS c WHERE {key} AND {equal})"
    );
    let insert = format!(
        "INSERT INTO main.{table} ({names}) SELECT {names} FROM plimsoll_copy.{table} AS c
         WHERE NOT EXISTS (SELECT 1 FROM main.{table} AS t WHERE {key})"
    );
    (delete, insert)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
