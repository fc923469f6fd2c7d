//! The ledger: a line for every document that was ever found, with what became of it.
//!
//! Owns the lines, in the store and in memory, and looking them up by path and by what they are. Which lines change is
//! [`super::difference`]'s; that rows and lines commit together is `writer`'s.
//!
//! Invariants: a line has a number that no other line ever had in this store; every document found has a line.

use std::collections::HashMap;

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
    pub path: Box<str>,
    /// Position in the system's kinds.
    pub kind: u8,
    /// Identifier.
    pub id: Box<str>,
    /// What it belongs to, by its path.
    pub parent: Option<Box<str>>,
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

fn hash(parts: &[&[u8]]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_le_bytes(first)
}

fn path_key(source: u32, path: &str) -> u128 {
    hash(&[&source.to_le_bytes(), path.as_bytes()])
}

fn document_key(kind: u8, id: &str) -> u128 {
    hash(&[&[kind], id.as_bytes()])
}

/// First 128 bits of a content's digest.
pub fn content_digest(bytes: &[u8]) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    u128::from_be_bytes(first)
}

/// All lines in memory, by path and by document.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    by_path: HashMap<u128, u32>,
    by_document: HashMap<u128, Vec<u32>>,
    next_line: i64,
}

impl Ledger {
    /// Reads the lines of the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(
        store: &Analytics,
        kinds: &[&str],
        parent_of: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, StoreError> {
        let mut ledger = Self { next_line: 1, ..Self::default() };
        let sql =
            "SELECT source, path, kind, document_id, generation, size, modified_ns, inode, digest, outcome,
            attempts, epoch_us(ingested_at), line FROM plimsoll_ingest_document";
        store.query_each(sql, &[], &mut |row| {
            let text = |at: usize| row[at].as_text().unwrap_or_default();
            let number = |at: usize| row[at].as_integer().unwrap_or_default();
            let Some(kind) = kinds.iter().position(|kind| *kind == text(2)) else { return Ok(()) };
            let outcome = Outcome::parse(text(9));
            let generation = match text(4) {
                "sqlite-v2" => Generation::SqliteV2,
                "sqlite-v1" => Generation::SqliteV1,
                _ => Generation::Json,
            };
            let entry = Entry {
                source: u32::try_from(number(0)).unwrap_or_default(),
                path: text(1).into(),
                kind: u8::try_from(kind).unwrap_or_default(),
                id: text(3).into(),
                parent: if generation == Generation::Json {
                    parent_of(text(1)).map(Into::into)
                } else {
                    None
                },
                generation,
                stamp: Stamp { size: number(5), modified: number(6), inode: number(7) },
                digest: u128::from_str_radix(text(8), 16).unwrap_or_default(),
                outcome,
                has_rows: !text(8).is_empty(),
                attempts: u32::try_from(number(10)).unwrap_or_default(),
                ingested_at: number(11),
                line: number(12),
            };
            ledger.next_line = ledger.next_line.max(entry.line + 1);
            ledger.insert(entry);
            Ok(())
        })?;
        Ok(ledger)
    }

    /// A number for a line that no line has.
    pub fn new_line(&mut self) -> i64 {
        self.next_line += 1;
        self.next_line - 1
    }

    /// Adds a document; returns where it is.
    pub fn insert(&mut self, entry: Entry) -> u32 {
        let path = path_key(entry.source, &entry.path);
        let document = document_key(entry.kind, &entry.id);
        let at = match self.free.pop() {
            Some(at) => {
                self.entries[at as usize] = Some(entry);
                at
            }
            None => {
                self.entries.push(Some(entry));
                u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.by_path.insert(path, at);
        self.by_document.entry(document).or_default().push(at);
        at
    }

    /// Removes a document.
    pub fn remove(&mut self, at: u32) {
        let Some(entry) = self.entries[at as usize].take() else { return };
        self.by_path.remove(&path_key(entry.source, &entry.path));
        let document = document_key(entry.kind, &entry.id);
        if let Some(same) = self.by_document.get_mut(&document) {
            same.retain(|other| *other != at);
            if same.is_empty() {
                self.by_document.remove(&document);
            }
        }
        self.free.push(at);
    }

    /// Where the document at a path is.
    pub fn at_path(&self, source: u32, path: &str) -> Option<u32> {
        self.by_path.get(&path_key(source, path)).copied()
    }

    /// All documents that are the same one as `at`, itself included.
    pub fn same(&self, at: u32) -> &[u32] {
        self.get(at).map_or(&[], |entry| self.find(entry.kind, &entry.id))
    }

    /// All documents of this kind and identifier.
    pub fn find(&self, kind: u8, id: &str) -> &[u32] {
        self.by_document.get(&document_key(kind, id)).map_or(&[], Vec::as_slice)
    }

    /// The document at this place.
    pub fn get(&self, at: u32) -> Option<&Entry> {
        self.entries.get(at as usize).and_then(Option::as_ref)
    }

    /// The document at this place, to be changed; its path and identity may not be.
    pub fn get_mut(&mut self, at: u32) -> Option<&mut Entry> {
        self.entries.get_mut(at as usize).and_then(Option::as_mut)
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
