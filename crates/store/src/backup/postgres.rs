//! Backups of PostgreSQL: a dump of the database, or copies of the tables inside it.
//!
//! Owns the choice between the two, their making and check, and bringing rows back from either. A dump needs
//! `pg_dump` of the server's version and the right to create a scratch database, because a dump that was
//! never restored is not a backup. Without them the tables are copied into a schema of the same database,
//! which protects from a bad run though not from the loss of the disk.

use std::path::Path;

use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use plimsoll_core::value::Value;

use super::programs::{Programs, Scratch};
use super::{Backup, BackupError, Folder, Made, difference, guards};
use crate::digest::{digests_inside, table_digests};
use crate::error::ErrorClass;
use crate::postgres::{Isolation, PostgresStore};
use crate::store::Store;

const DUMP: &str = "pg_dump";
const TABLES: &str = "table_copy";

/// The advisory lock of a database that is being backed up. The number means nothing else.
const LOCK: i64 = 0x706c_696d_736f_6c6c;

/// Makes and verifies a backup.
pub(super) fn create(url: &str, folder: &Path, id: &Id, tables: &[&str]) -> Result<Made, BackupError> {
    let mut store = PostgresStore::open(url)?;
    take(&mut store)?;
    let sql = "SELECT current_setting('server_version_num')::bigint / 10000,
                      (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user)";
    let facts = store.query(sql, &[])?.concat();
    let version = facts.first().and_then(Value::as_integer).unwrap_or(i64::MAX);
    let may_create = facts.get(1) == Some(&Value::Boolean(true));
    let programs = Programs::find(version).filter(|_| may_create);
    match programs {
        Some(programs) => dump(&mut store, &programs, url, folder, id, tables),
        None => copy(&mut store, id, tables),
    }
}

/// One backup of a database at a time; the lock goes with the session. A session that has just ended may
/// hold it for a moment longer, so it is waited for as long as for any lock.
fn take(store: &mut PostgresStore) -> Result<(), BackupError> {
    match store.execute("SELECT pg_advisory_lock($1)", &[Value::Integer(LOCK)]) {
        Err(error) if error.class == ErrorClass::Timeout => Err(BackupError::Refused(
            "another backup of this database is being made\nhint: wait until it is done".into(),
        )),
        taken => Ok(taken.map(drop)?),
    }
}

fn dump(
    store: &mut PostgresStore,
    programs: &Programs,
    url: &str,
    folder: &Path,
    id: &Id,
    tables: &[&str],
) -> Result<Made, BackupError> {
    let name = store.database()?;
    let folder = Folder::take(folder, &name)?;
    let part = folder.part(&format!("{name}-{id}.dump"));
    store.begin_at(Isolation::Snapshot)?;
    let digests = digests_inside(store, tables)?;
    let snapshot = store.query("SELECT pg_export_snapshot()", &[])?.concat();
    let snapshot = snapshot.first().and_then(Value::as_text).unwrap_or_default();
    programs.dump(store, snapshot, &part.file)?;
    store.rollback()?;
    let mut scratch = Scratch::create(url, id)?;
    let _copy = opened(programs, &mut scratch, &part.file, &digests)?;
    let (file, bytes) = folder.keep(part)?;
    Ok(Made { method: DUMP, location: file.display().to_string(), bytes, digests })
}

/// Restores a dump into a scratch database and compares the digests.
fn opened(
    programs: &Programs,
    scratch: &mut Scratch,
    file: &Path,
    expected: &[TableDigest],
) -> Result<PostgresStore, BackupError> {
    let mut copy = scratch.open()?;
    let hint = "use another backup, and find out what is wrong with the disk";
    let damaged = |problem: String| BackupError::Damaged { what: file.display().to_string(), problem, hint };
    programs.restore(&mut copy, file).map_err(|error| damaged(error.to_string()))?;
    copy.forget_shapes();
    let tables: Vec<&str> = expected.iter().map(|digest| digest.table.as_str()).collect();
    let found = table_digests(&mut copy, &tables).map_err(|error| damaged(error.to_string()))?;
    match difference(expected, &found) {
        Some(problem) => Err(damaged(problem)),
        None => Ok(copy),
    }
}

fn copy(store: &mut PostgresStore, id: &Id, tables: &[&str]) -> Result<Made, BackupError> {
    let schema = format!("plimsoll_backup_{id}");
    store.begin_at(Isolation::WritingSnapshot)?;
    let digests = digests_inside(store, tables)?;
    store.copy_tables(tables, &schema)?;
    let sql = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
               WHERE relnamespace = $1::text::regnamespace AND relkind = 'r'";
    let bytes = store.query(sql, &[Value::text(&schema)])?.concat();
    let bytes = bytes.first().and_then(Value::as_integer).unwrap_or(0);
    check_copy(store, &schema, &digests)?;
    store.commit()?;
    Ok(Made { method: TABLES, location: schema, bytes: u64::try_from(bytes).unwrap_or(0), digests })
}

/// Compares the digests of the tables in a schema, inside the open transaction.
fn check_copy(store: &mut PostgresStore, schema: &str, expected: &[TableDigest]) -> Result<(), BackupError> {
    let tables: Vec<&str> = expected.iter().map(|digest| digest.table.as_str()).collect();
    let path = store.query("SELECT current_setting('search_path')", &[])?.concat();
    let set = "SELECT set_config('search_path', $1, true)";
    store.query(set, &[Value::text(format!("\"{schema}\""))])?;
    store.forget_shapes();
    let found = digests_inside(store, &tables)?;
    store.query(set, &path)?;
    store.forget_shapes();
    match difference(expected, &found) {
        None => Ok(()),
        Some(problem) => Err(BackupError::Damaged {
            what: format!("schema {schema}"),
            problem,
            hint: "use another backup; somebody changed the tables of this one",
        }),
    }
}

/// Brings the tables back.
pub(super) fn restore(url: &str, backup: &Backup, expected: &[TableDigest]) -> Result<(), BackupError> {
    let mut store = PostgresStore::open(url)?;
    take(&mut store)?;
    let tables: Vec<&str> = expected.iter().map(|digest| digest.table.as_str()).collect();
    if backup.method == TABLES {
        store.begin_at(Isolation::Newest)?;
        check_copy(&mut store, &backup.location, expected)?;
        let lifted = guards::lift(&mut store, &tables)?;
        store.replace_with_copies(&tables, &backup.location)?;
        guards::stand(&mut store, &lifted)?;
        return finish(&mut store, &tables, expected);
    }
    let version = store.query("SELECT current_setting('server_version_num')::bigint / 10000", &[])?.concat();
    let version = version.first().and_then(Value::as_integer).unwrap_or(i64::MAX);
    let programs = Programs::find(version).ok_or_else(|| {
        BackupError::Refused(format!(
            "no pg_restore of version {version} or newer was found\nhint: install it"
        ))
    })?;
    let mut scratch = Scratch::create(url, &backup.id)?;
    let mut copy = opened(&programs, &mut scratch, Path::new(&backup.location), expected)?;
    store.begin_at(Isolation::Newest)?;
    store.receive_tables(&mut copy, &tables)?;
    let lifted = guards::lift(&mut store, &tables)?;
    store.replace_with_received(&tables)?;
    guards::stand(&mut store, &lifted)?;
    finish(&mut store, &tables, expected)
}

/// Commits when the tables are what the backup says.
fn finish(store: &mut PostgresStore, tables: &[&str], expected: &[TableDigest]) -> Result<(), BackupError> {
    if let Some(problem) = difference(expected, &digests_inside(store, tables)?) {
        return Err(BackupError::Damaged {
            what: "the restored store".into(),
            problem,
            hint: "see whether a trigger changes the rows of a table when they are written",
        });
    }
    Ok(store.commit()?)
}
