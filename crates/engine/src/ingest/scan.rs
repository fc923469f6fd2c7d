//! Finding documents: files below a root, and rows of databases in it.
//!
//! Owns walking and listing. Directories are walked by several threads; only names and stamps are read. It never
//! writes to a source and follows no link out of a root.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_core::value::Value;
use plimsoll_store::StoreError;
use plimsoll_store::foreign::ForeignDatabase;

use super::declare::{Documents, FileIdentity, ForeignTable};
use super::difference::{Found, Seen};
use super::ledger::{Ledger, Stamp};
use crate::error::EngineError;

/// A source: a folder of files, or a database in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its number in the store.
    pub number: u32,
    /// The folder.
    pub root: PathBuf,
    /// Name of the database; empty for files.
    pub name: String,
}

impl Source {
    /// The folder or the database.
    pub fn path(&self) -> PathBuf {
        if self.name.is_empty() { self.root.clone() } else { self.root.join(&self.name) }
    }
}

/// The stamp of a file.
pub(crate) fn stamp_of(metadata: &std::fs::Metadata) -> Stamp {
    Stamp {
        size: i64::try_from(metadata.len()).unwrap_or(i64::MAX),
        modified: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        inode: i64::from_ne_bytes(metadata.ino().to_ne_bytes()),
    }
}

/// What a file below a root is, with its stamp; `None` when it is no document or not there.
pub(crate) fn look_at(system: &dyn Documents, source: u32, root: &Path, path: &str) -> Option<Found> {
    let identity = system.identify(path)?;
    let metadata = std::fs::symlink_metadata(root.join(path)).ok().filter(std::fs::Metadata::is_file)?;
    Some(found_file(source, path, identity, &metadata))
}

/// A file that is a document.
fn found_file(source: u32, path: &str, identity: FileIdentity, metadata: &std::fs::Metadata) -> Found {
    Found {
        source,
        path: path.into(),
        kind: u8::try_from(identity.kind).unwrap_or(u8::MAX),
        id: identity.id.into(),
        parent: None,
        generation: super::Generation::Json,
        stamp: stamp_of(metadata),
    }
}

/// All documents of the kinds wanted that lie below a root.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Documents.
    pub seen: Seen,
    /// Folders that could not be read, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Walks the folders of a root in which documents may lie. Those in the ledger are told by their place.
pub(crate) fn walk(
    system: &dyn Documents,
    source: &Source,
    ledger: &Ledger,
    wanted: &(dyn Fn(usize) -> bool + Sync),
    threads: usize,
) -> Walked {
    let place = Place { system, source, ledger, wanted };
    let mut level: Vec<String> = system.folders().iter().map(|folder| (*folder).to_owned()).collect();
    level.retain(|folder| {
        let kinds = system.kinds_in(folder);
        (kinds.is_empty() || kinds.iter().any(|kind| wanted(*kind))) && source.root.join(folder).is_dir()
    });
    let all = Mutex::new(Walked::default());
    // Level by level: the folders of a level are shared out between the threads.
    while !level.is_empty() {
        let next = Mutex::new(Vec::new());
        let turn = AtomicUsize::new(0);
        let step = || {
            let mut mine = Walked::default();
            let mut below = Vec::new();
            loop {
                let from = turn.fetch_add(64, Ordering::Relaxed);
                if from >= level.len() {
                    break;
                }
                for folder in &level[from..level.len().min(from + 64)] {
                    place.list(folder, &mut mine, &mut below);
                }
            }
            let lock = |error: std::sync::PoisonError<_>| error.into_inner();
            let mut all = all.lock().unwrap_or_else(lock);
            all.seen.found.append(&mut mine.seen.found);
            all.seen.known.append(&mut mine.seen.known);
            all.unreadable.append(&mut mine.unreadable);
            next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&mut below);
        };
        if level.len() < 64 || threads < 2 {
            step();
        } else {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(step);
                }
            });
        }
        level = next.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    }
    all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Where is looked, and for what.
struct Place<'a> {
    system: &'a dyn Documents,
    source: &'a Source,
    ledger: &'a Ledger,
    wanted: &'a (dyn Fn(usize) -> bool + Sync),
}

impl Place<'_> {
    fn list(&self, folder: &str, walked: &mut Walked, below: &mut Vec<String>) {
        let entries = match std::fs::read_dir(self.source.root.join(folder)) {
            Ok(entries) => entries,
            // Gone since its parent was listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                walked.unreadable.push((folder.to_owned(), error.to_string()));
                return;
            }
        };
        let mut path = String::with_capacity(folder.len() + 48);
        path.push_str(folder);
        path.push('/');
        for entry in entries.flatten() {
            let name = entry.file_name();
            path.truncate(folder.len() + 1);
            let Some(name) = name.to_str() else {
                walked.unreadable.push((format!("{path}{}", name.display()), "the name is not UTF-8".into()));
                continue;
            };
            path.push_str(name);
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                below.push(path.clone());
            } else if kind.is_file() {
                self.file(&entry, &path, &mut walked.seen);
            }
        }
    }

    fn file(&self, entry: &std::fs::DirEntry, path: &str, seen: &mut Seen) {
        let number = self.source.number;
        let known = self.ledger.at_path(number, path);
        if let Some(document) = known.and_then(|at| self.ledger.get(at)) {
            if (self.wanted)(document.kind.into())
                && let (Some(at), Ok(metadata)) = (known, entry.metadata())
            {
                seen.known.push((at, stamp_of(&metadata)));
            }
            return;
        }
        let Some(identity) = self.system.identify(path).filter(|identity| (self.wanted)(identity.kind))
        else {
            return;
        };
        let Ok(metadata) = entry.metadata() else { return };
        seen.found.push(found_file(number, path, identity, &metadata));
    }
}

/// Names of the databases directly below a root.
pub(crate) fn databases(system: &dyn Documents, root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| system.is_database(name))
        .collect();
    names.sort();
    names
}

/// The tables of a foreign database that hold documents, each with those of its columns that exist.
///
/// # Errors
/// When the database cannot be read.
pub(crate) fn tables_of(
    system: &dyn Documents,
    database: &ForeignDatabase,
) -> Result<Vec<(&'static ForeignTable, Vec<&'static str>)>, EngineError> {
    let mut tables = Vec::new();
    for table in system.foreign_tables() {
        let present = database.columns(table.table)?;
        let columns: Vec<&'static str> = table
            .columns
            .iter()
            .copied()
            .filter(|column| present.iter().any(|found| found == column))
            .collect();
        if !present.is_empty() {
            tables.push((table, columns));
        }
    }
    Ok(tables)
}

/// Lists the documents of a table.
///
/// # Errors
/// When the database cannot be read.
pub(crate) fn list_table(
    database: &ForeignDatabase,
    source: u32,
    table: &ForeignTable,
    found: &mut Vec<Found>,
) -> Result<(), EngineError> {
    let condition =
        if table.condition.is_empty() { String::new() } else { format!(" WHERE {}", table.condition) };
    let parent = if table.parent.is_empty() { "NULL" } else { table.parent };
    let sql = format!("SELECT {parent}, {} FROM \"{}\"{condition}", table.listing, table.table);
    let number = |value: Option<&Value>| match value {
        Some(Value::Integer(number)) => *number,
        Some(Value::Float(number)) => i64::from_ne_bytes(number.to_ne_bytes()),
        _ => 0,
    };
    database.query_each(&sql, &[], &mut |row| {
        let id = match &row[1] {
            Value::Text(text) => text.clone(),
            other => other.to_string(),
        };
        found.push(Found {
            source,
            path: format!("{}/{id}", table.table).into(),
            kind: u8::try_from(table.kind).unwrap_or(u8::MAX),
            id: id.into(),
            parent: row[0].as_text().map(Into::into),
            generation: table.generation,
            stamp: Stamp {
                modified: number(row.get(2)),
                size: number(row.get(3)),
                inode: number(row.get(4)),
            },
        });
        Ok::<(), StoreError>(())
    })?;
    Ok(())
}
