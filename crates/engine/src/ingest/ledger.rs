//! The ledger: a line for every document that was ever found, with what became of it.
//!
//! Owns the lines, in the store and in memory, and looking them up by path and by what they are. Which lines change is
//! [`super::difference`]'s; that rows and lines commit together is `writer`'s.
//!
//! Invariants: a line has a number that no other line ever had in this store; every document found has a line.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use plimsoll_store::StoreError;
use plimsoll_store::analytics::ColumnType::{Integer, Text, Timestamp};
use plimsoll_store::duckdb::Analytics;

use super::declare::{AnalyticTable, Cell, Generation, OwnedCell, RowBuffer, column};

/// Sources: a folder of files, or a database in it.
pub static SOURCES: AnalyticTable = AnalyticTable {
    name: "plimsoll_ingest_source",
    help: "A source: a folder of files, or a database in it.",
    columns: &[
        column("source", Integer, "number"),
        column("root", Text, "folder"),
        column("name", Text, "name of the database; empty for files"),
        column("generation", Text, "generations that were found, joined by commas"),
    ],
    key: &["source"],
    references: &[],
};

/// Documents.
pub static DOCUMENTS: AnalyticTable = AnalyticTable {
    name: "plimsoll_ingest_document",
    help: "The ledger: one line for every document.",
    columns: &[
        column("source", Integer, "its source"),
        column("path", Text, "path below the source's folder, or table and key in its database"),
        column("kind", Text, "kind of document"),
        column("document_id", Text, "its identifier"),
        column("generation", Text, "`json`, `sqlite-v1` or `sqlite-v2`"),
        column("size", Integer, "bytes"),
        column(
            "modified_ns",
            Integer,
            "time of its last change: nanoseconds since 1970 of a file, what the database says of a row",
        ),
        column("inode", Integer, "inode of a file; 0 for a row"),
        column("digest", Text, "first 128 bits of the content's BLAKE3; null when it was not read"),
        column("outcome", Text, "`stored`, `superseded`, `waiting` or `quarantined`"),
        column("class", Text, "kind of problem"),
        column("reason", Text, "why it waits, is quarantined or superseded"),
        column("attempts", Integer, "times it could not be read in a row"),
        column("ingested_at", Timestamp, "when it was looked at"),
        column("line", Integer, "number of this line"),
    ],
    key: &["source", "path"],
    references: &[("source", "plimsoll_ingest_source", "source")],
};

/// Fields that no column knows.
pub static UNKNOWN: AnalyticTable = AnalyticTable {
    name: "plimsoll_ingest_unknown",
    help: "Fields that the reader does not know; their content is kept in `extra`.",
    columns: &[column("place", Text, "where"), column("occurrences", Integer, "how often it was met")],
    key: &["place"],
    references: &[],
};

/// Scopes whose derived rows are out of date.
pub static AFFECTED: AnalyticTable = AnalyticTable {
    name: "plimsoll_ingest_affected",
    help: "Scopes whose derived rows are out of date; `*` stands for all.",
    columns: &[column("scope_id", Text, "the scope, or `*`")],
    key: &["scope_id"],
    references: &[],
};

/// Where the ingest stands.
pub static STATE: AnalyticTable = AnalyticTable {
    name: "plimsoll_ingest_state",
    help: "Where the ingest stands: one row.",
    columns: &[
        column("phase", Text, "`idle`, `bulk`, `draining` or `live`"),
        column("done", Integer, "documents read in this phase"),
        column("total", Integer, "documents to read in this phase"),
        column("changed_at", Timestamp, "since when"),
    ],
    key: &["phase"],
    references: &[],
};

/// All tables of the ingest.
pub static TABLES: &[&AnalyticTable] = &[&SOURCES, &DOCUMENTS, &UNKNOWN, &AFFECTED, &STATE];

/// What tells whether a document changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Stamp {
    /// Bytes.
    pub size: i64,
    /// Nanoseconds since 1970 of a file; what the database says of a row.
    pub modified: i64,
    /// Inode of a file; 0 for a row.
    pub inode: i64,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Not looked at yet; never in the store.
    New,
    /// Its rows are in the tables.
    Stored,
    /// Another document with the same identifier comes first.
    Superseded,
    /// It cannot be read yet: empty, torn, being written. Earlier rows stay until it is settled.
    Waiting,
    /// It cannot be read and does not change; it has no rows.
    Quarantined,
}

impl Outcome {
    /// The name in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Stored => "stored",
            Self::Superseded => "superseded",
            Self::Waiting => "waiting",
            Self::Quarantined => "quarantined",
        }
    }

    fn parse(text: &str) -> Self {
        [Self::Stored, Self::Superseded, Self::Waiting, Self::Quarantined]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .unwrap_or(Self::New)
    }
}

/// One line, in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its source.
    pub source: u32,
    /// Path below the source's folder, or table and key.
    pub path: Arc<str>,
    /// Position in the system's kinds.
    pub kind: u8,
    /// Identifier.
    pub id: Arc<str>,
    /// What a row of a database belongs to, as far as it was listed since the ledger was read. A file's path tells.
    pub parent: Option<Arc<str>>,
    /// How it was written.
    pub generation: Generation,
    /// As it was when last looked at.
    pub stamp: Stamp,
    /// First 128 bits of its content's digest; 0 when not read.
    pub digest: u128,
    /// What became of it.
    pub outcome: Outcome,
    /// True while its rows of an earlier reading are in the tables.
    pub has_rows: bool,
    /// Times it could not be read in a row.
    pub attempts: u32,
    /// When it was looked at, microseconds since 1970.
    pub ingested_at: i64,
    /// Number of its line in the store; 0 while it has none.
    pub line: i64,
}

impl Entry {
    /// A file changed within this time before it was read may change again without a newer time of change.
    const RACY_US: i64 = 20_000;

    /// True when the document need not be read again, as far as its stamp tells.
    pub fn is_settled_at(&self, stamp: Stamp) -> bool {
        let racy = self.generation == Generation::Json
            && self.ingested_at.saturating_sub(self.stamp.modified / 1_000) < Self::RACY_US;
        self.stamp == stamp && !racy && matches!(self.outcome, Outcome::Stored | Outcome::Quarantined)
    }
}

/// First 128 bits of a content's digest.
pub fn content_digest(bytes: &[u8]) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    u128::from_be_bytes(first)
}

/// The documents that are the same one: nearly always one.
#[derive(Debug)]
enum Same {
    One([u32; 1]),
    Several(Vec<u32>),
}

impl Same {
    fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(one) => one,
            Self::Several(several) => several,
        }
    }

    fn add(&mut self, at: u32) {
        match self {
            Self::One([one]) => *self = Self::Several(vec![*one, at]),
            Self::Several(several) => several.push(at),
        }
    }
}

/// All lines in memory, by path and by document. The tables hold places only: the keys are in the lines.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    by_path: HashTable<u32>,
    by_document: HashTable<Same>,
    hashing: DefaultHashBuilder,
    /// How many documents are of the latest generation.
    latest: usize,
    next_line: i64,
}

fn path_hash(hashing: &DefaultHashBuilder, source: u32, path: &str) -> u64 {
    hashing.hash_one((source, path))
}

fn document_hash(hashing: &DefaultHashBuilder, kind: u8, id: &str) -> u64 {
    hashing.hash_one((kind, id))
}

fn at(entries: &[Option<Entry>], at: u32) -> Option<&Entry> {
    entries.get(at as usize).and_then(Option::as_ref)
}

impl Ledger {
    /// Reads the lines of the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(store: &Analytics, kinds: &[&str]) -> Result<Self, StoreError> {
        let mut ledger = Self { next_line: 1, ..Self::default() };
        let lines = store.query("SELECT count(*) FROM plimsoll_ingest_document", &[])?;
        let lines = lines.rows[0][0].as_integer().and_then(|lines| usize::try_from(lines).ok());
        ledger.reserve(lines.unwrap_or_default());
        let sql =
            "SELECT source, path, kind, document_id, generation, size, modified_ns, inode, digest, outcome,
            attempts, epoch_us(ingested_at), line FROM plimsoll_ingest_document";
        store.query_columns(sql, &[], &mut |columns| {
            let (source, path, kind, id) =
                (columns.integers(0)?, columns.texts(1)?, columns.texts(2)?, columns.texts(3)?);
            let (generation, size, modified) =
                (columns.texts(4)?, columns.integers(5)?, columns.integers(6)?);
            let (inode, digest, outcome) = (columns.integers(7)?, columns.texts(8)?, columns.texts(9)?);
            let (attempts, ingested_at, line) =
                (columns.integers(10)?, columns.integers(11)?, columns.integers(12)?);
            for row in 0..columns.rows() {
                let name = kind.get(row).unwrap_or_default();
                let Some(kind) = kinds.iter().position(|kind| *kind == name) else { continue };
                let digest = digest.get(row);
                let entry = Entry {
                    source: source.get(row).and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
                    path: path.get(row).unwrap_or_default().into(),
                    kind: u8::try_from(kind).unwrap_or_default(),
                    id: id.get(row).unwrap_or_default().into(),
                    parent: None,
                    generation: match generation.get(row) {
                        Some("sqlite-v2") => Generation::SqliteV2,
                        Some("sqlite-v1") => Generation::SqliteV1,
                        _ => Generation::Json,
                    },
                    stamp: Stamp {
                        size: size.get(row).unwrap_or_default(),
                        modified: modified.get(row).unwrap_or_default(),
                        inode: inode.get(row).unwrap_or_default(),
                    },
                    digest: digest
                        .and_then(|digits| u128::from_str_radix(digits, 16).ok())
                        .unwrap_or_default(),
                    outcome: Outcome::parse(outcome.get(row).unwrap_or_default()),
                    has_rows: digest.is_some(),
                    attempts: attempts.get(row).and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
                    ingested_at: ingested_at.get(row).unwrap_or_default(),
                    line: line.get(row).unwrap_or_default(),
                };
                ledger.next_line = ledger.next_line.max(entry.line + 1);
                ledger.insert(entry);
            }
            Ok(())
        })?;
        Ok(ledger)
    }

    /// Makes room for so many documents more.
    pub fn reserve(&mut self, documents: usize) {
        let Self { entries, by_path, by_document, hashing, .. } = self;
        by_path.reserve(documents, |place| {
            at(entries, *place).map_or(0, |entry| path_hash(hashing, entry.source, &entry.path))
        });
        by_document.reserve(documents, |same| {
            at(entries, same.as_slice()[0]).map_or(0, |entry| document_hash(hashing, entry.kind, &entry.id))
        });
        entries.reserve(documents);
    }

    /// A number for a line that no line has.
    pub fn new_line(&mut self) -> i64 {
        self.next_line += 1;
        self.next_line - 1
    }

    /// Adds a document whose path is not there yet; returns where it is.
    pub fn insert(&mut self, entry: Entry) -> u32 {
        self.latest += usize::from(entry.generation == Generation::SqliteV2);
        let Self { entries, by_path, by_document, hashing, .. } = self;
        let path = path_hash(hashing, entry.source, &entry.path);
        let document = document_hash(hashing, entry.kind, &entry.id);
        let (kind, id) = (entry.kind, Arc::clone(&entry.id));
        let place = match self.free.pop() {
            Some(place) => {
                entries[place as usize] = Some(entry);
                place
            }
            None => {
                entries.push(Some(entry));
                u32::try_from(entries.len() - 1).unwrap_or(u32::MAX)
            }
        };
        by_path.insert_unique(path, place, |place| {
            at(entries, *place).map_or(0, |entry| path_hash(hashing, entry.source, &entry.path))
        });
        let is_same = |same: &Same| {
            at(entries, same.as_slice()[0]).is_some_and(|entry| entry.kind == kind && entry.id == id)
        };
        match by_document.find_mut(document, is_same) {
            Some(same) => same.add(place),
            None => {
                by_document.insert_unique(document, Same::One([place]), |same| {
                    at(entries, same.as_slice()[0])
                        .map_or(0, |entry| document_hash(hashing, entry.kind, &entry.id))
                });
            }
        }
        place
    }

    /// Removes a document.
    pub fn remove(&mut self, place: u32) {
        let Some(entry) = self.get(place) else { return };
        let path = path_hash(&self.hashing, entry.source, &entry.path);
        let document = document_hash(&self.hashing, entry.kind, &entry.id);
        self.latest -= usize::from(entry.generation == Generation::SqliteV2);
        if let Ok(found) = self.by_path.find_entry(path, |other| *other == place) {
            found.remove();
        }
        if let Ok(mut found) = self.by_document.find_entry(document, |same| same.as_slice().contains(&place))
        {
            match found.get_mut() {
                Same::Several(several) if several.len() > 1 => several.retain(|other| *other != place),
                _ => drop(found.remove()),
            }
        }
        self.entries[place as usize] = None;
        self.free.push(place);
    }

    /// Where the document at a path is.
    pub fn at_path(&self, source: u32, path: &str) -> Option<u32> {
        let hash = path_hash(&self.hashing, source, path);
        let is_it = |place: &u32| {
            self.get(*place).is_some_and(|entry| entry.source == source && &*entry.path == path)
        };
        self.by_path.find(hash, is_it).copied()
    }

    /// All documents that are the same one as `place`, itself included.
    pub fn same(&self, place: u32) -> &[u32] {
        self.get(place).map_or(&[], |entry| self.find(entry.kind, &entry.id))
    }

    /// All documents of this kind and identifier.
    pub fn find(&self, kind: u8, id: &str) -> &[u32] {
        let hash = document_hash(&self.hashing, kind, id);
        let is_it = |same: &Same| {
            self.get(same.as_slice()[0]).is_some_and(|entry| entry.kind == kind && &*entry.id == id)
        };
        self.by_document.find(hash, is_it).map_or(&[], Same::as_slice)
    }

    /// True when there are documents of the latest generation.
    pub fn has_latest(&self) -> bool {
        self.latest > 0
    }

    /// How many places there are, free ones included: every place is below.
    pub fn places(&self) -> usize {
        self.entries.len()
    }

    /// The document at this place.
    pub fn get(&self, place: u32) -> Option<&Entry> {
        at(&self.entries, place)
    }

    /// The document at this place, to be changed; its path and identity may not be.
    pub fn get_mut(&mut self, place: u32) -> Option<&mut Entry> {
        self.entries.get_mut(place as usize).and_then(Option::as_mut)
    }

    /// All documents.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0_u32..).zip(&self.entries).filter_map(|(at, entry)| Some((at, entry.as_ref()?)))
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.by_path.len()
    }

    /// True when nothing was ever found.
    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }
}

/// Adds a line to a buffer of [`DOCUMENTS`].
///
/// # Errors
/// Never for a line made here; the buffer checks.
pub fn push_line(
    buffer: &mut RowBuffer,
    entry: &Entry,
    kind: &str,
    problem: Option<(&str, &str)>,
) -> Result<(), StoreError> {
    let digest = (entry.digest != 0).then(|| format!("{:032x}", entry.digest));
    buffer.push(&[
        i64::from(entry.source).into(),
        (&*entry.path).into(),
        kind.into(),
        (&*entry.id).into(),
        entry.generation.as_str().into(),
        entry.stamp.size.into(),
        entry.stamp.modified.into(),
        entry.stamp.inode.into(),
        digest.as_deref().into(),
        entry.outcome.as_str().into(),
        problem.map(|(class, _)| class).into(),
        problem.map(|(_, reason)| reason).into(),
        Cell::Integer(entry.attempts.into()),
        entry.ingested_at.into(),
        entry.line.into(),
    ])
}

/// A text cell of a query's answer, or an empty text.
pub(crate) fn text(cell: &OwnedCell) -> &str {
    cell.as_text().unwrap_or_default()
}
