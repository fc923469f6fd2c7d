//! What a system declares about the files and databases that it reads, and the tables that it fills.
//!
//! Owns the seam between the ingest and a system: which documents there are, how one becomes rows, and what is
//! computed from the rows. It runs nothing. A *document* is one file, or one row of a foreign database; it is read,
//! counted, superseded and deleted as a whole.

use std::fmt;
use std::path::Path;

use plimsoll_core::value::Value;
pub use plimsoll_store::analytics::{AnalyticColumn, AnalyticTable, Cell, ColumnType, RowBuffer, column};
pub use plimsoll_store::{ErrorClass, StoreError};

/// A system that is filled from documents.
pub trait Documents: Sync {
    /// The system's name.
    fn name(&self) -> &'static str;

    /// Tables whose rows come from documents.
    fn tables(&self) -> &'static [&'static AnalyticTable];

    /// Kinds of documents, parents before children. They are read in this order.
    fn kinds(&self) -> &'static [DocumentKind];

    /// The folders below a root in which documents may lie, such as `storage/part`.
    fn folders(&self) -> &'static [&'static str];

    /// What the file at this path below a root is, or `None` when it is no document. Looks at the path only.
    fn identify(&self, path: &str) -> Option<FileIdentity>;

    /// Whether a file directly below a root is a database to read, by its name.
    fn is_database(&self, name: &str) -> bool;

    /// Tables of a foreign database in which documents lie, by the tables that it has.
    fn foreign_tables(&self) -> &'static [ForeignTable];

    /// Turns a document into rows. The same document gives the same rows.
    ///
    /// # Errors
    /// Why the document cannot be read; nothing of it is stored then, and the reason is told by name.
    fn read(&self, document: &Document<'_>, rows: &mut Rows) -> Result<(), Refusal>;

    /// Tables that are computed from the documents' rows, in the order in which they are computed.
    fn derivations(&self) -> &'static [Derivation];

    /// Groups of kinds that are read one after the other, so that the first figures are there early. Empty: all at
    /// once.
    fn stages(&self) -> &'static [&'static [usize]] {
        &[]
    }

    /// The kinds that may lie in a folder of [`Documents::folders`]; empty: any.
    fn kinds_in(&self, folder: &str) -> &'static [usize] {
        let _ = folder;
        &[]
    }

    /// The kind of what documents of this kind belong to, where a parent of the latest generation holds what older
    /// children held: those are superseded by it.
    fn parent_kind(&self, kind: usize) -> Option<usize> {
        let _ = kind;
        None
    }

    /// A query for every scope there is, such as every session.
    fn scopes(&self) -> &'static str {
        ""
    }

    /// Statements that add to `affected (scope_id)` the scopes whose derived rows depend on those that are in it. They
    /// are run before rows are deleted and again after others were added.
    fn spread(&self) -> &'static [&'static str] {
        &[]
    }
}

/// A kind of document.
#[derive(Debug, Clone, Copy)]
pub struct DocumentKind {
    /// Its name, such as `message`.
    pub name: &'static str,
    /// Tables that may hold rows of such a document, with the column that holds the document's identifier.
    pub tables: &'static [(&'static AnalyticTable, &'static str)],
    /// The table and column in which the scope (a session) of the kind's rows is found, by the document's identifier.
    pub scope: Option<(&'static AnalyticTable, &'static str)>,
}

/// What a file is, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity {
    /// Position in [`Documents::kinds`].
    pub kind: usize,
    /// Identifier of the document.
    pub id: String,
    /// Identifier of what it belongs to, as far as the path tells.
    pub parent: Option<String>,
}

/// A table of a foreign database in which documents lie.
#[derive(Debug, Clone, Copy)]
pub struct ForeignTable {
    /// Its name in the foreign database.
    pub table: &'static str,
    /// Position in [`Documents::kinds`].
    pub kind: usize,
    /// Which generation the documents are; a higher one supersedes a lower one with the same kind and identifier.
    pub generation: Generation,
    /// Columns that tell a document's identifier and whether it changed: identifier, then anything that changes with
    /// it. `octet_length` of a large column is cheap, the column itself is not.
    pub listing: &'static str,
    /// The expression by which documents are fetched, such as `id`; the listing's first column.
    pub key: &'static str,
    /// The expression for the identifier of what a document belongs to, or an empty text.
    pub parent: &'static str,
    /// Columns to fetch when they exist, in this order; others are not touched.
    pub columns: &'static [&'static str],
    /// A condition on the rows, or an empty text.
    pub condition: &'static str,
}

/// How a document was written. Later ones supersede earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// Files of JSON.
    Json,
    /// The first generation of a database.
    SqliteV1,
    /// The second generation of a database.
    SqliteV2,
}

impl Generation {
    /// The name stored in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::SqliteV1 => "sqlite-v1",
            Self::SqliteV2 => "sqlite-v2",
        }
    }
}

/// One document to be read.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Position in [`Documents::kinds`].
    pub kind: usize,
    /// Identifier, from the path or the key.
    pub id: &'a str,
    /// Identifier of what it belongs to, where the path tells.
    pub parent: Option<&'a str>,
    /// How it was written.
    pub generation: Generation,
    /// What it holds.
    pub body: Body<'a>,
}

/// What a document holds.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// The text of a file.
    File(&'a str),
    /// Columns of a row, by name; absent columns are left out.
    Row(&'a [(&'static str, Value)]),
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of problem it is: `empty`, `truncated`, `nul-bytes`, `not-json`, `wrong-shape`, ..
    pub class: &'static str,
    /// What is wrong, in words.
    pub reason: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(class: &'static str, reason: impl Into<String>) -> Self {
        Self { class, reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.reason)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::new("wrong-shape", error.to_string())
    }
}

/// Rows of documents, collected by table.
#[derive(Debug)]
pub struct Rows {
    buffers: Vec<RowBuffer>,
    /// Fields that the reader did not know: where, and how often.
    pub unknown: std::collections::BTreeMap<String, u64>,
}

impl Rows {
    /// Empty buffers for these tables.
    pub fn new(tables: &[&'static AnalyticTable]) -> Self {
        let buffers = tables.iter().map(|table| RowBuffer::new(table)).collect();
        Self { buffers, unknown: std::collections::BTreeMap::new() }
    }

    /// Adds a row; the cells are in the order of the table's columns.
    ///
    /// # Errors
    /// When the cells do not fit the table, or the table is not one of the system's.
    pub fn push(&mut self, table: &'static AnalyticTable, cells: &[Cell<'_>]) -> Result<(), Refusal> {
        match self.buffers.iter_mut().find(|buffer| std::ptr::eq(buffer.table(), table)) {
            Some(buffer) => Ok(buffer.push(cells)?),
            None => Err(Refusal::new("wrong-shape", format!("`{}` is not declared", table.name))),
        }
    }

    /// Counts a field that the reader does not know; `place` is such as `message.assistant.flavor`.
    pub fn unknown(&mut self, place: impl Into<String>) {
        *self.unknown.entry(place.into()).or_insert(0) += 1;
    }

    /// The buffers, in the order of the tables.
    pub fn buffers(&self) -> &[RowBuffer] {
        &self.buffers
    }

    /// How many rows each buffer holds, to return to with [`Rows::rewind`].
    pub fn mark(&self) -> Vec<usize> {
        self.buffers.iter().map(RowBuffer::len).collect()
    }

    /// Forgets the rows added since `mark`: a document is taken whole or not at all.
    pub fn rewind(&mut self, mark: &[usize]) {
        for (buffer, rows) in self.buffers.iter_mut().zip(mark) {
            buffer.truncate(*rows);
        }
    }

    /// The buffers, to be appended.
    pub fn buffers_mut(&mut self) -> &mut [RowBuffer] {
        &mut self.buffers
    }

    /// Roughly how many bytes they hold.
    pub fn bytes(&self) -> usize {
        self.buffers.iter().map(RowBuffer::bytes).sum()
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.buffers.iter_mut().for_each(RowBuffer::clear);
        self.unknown.clear();
    }
}

/// A table computed from the documents' rows.
#[derive(Clone, Copy)]
pub struct Derivation {
    /// The table.
    pub table: &'static AnalyticTable,
    /// What is computed again after a change.
    pub scope: Scope,
    /// How.
    pub how: How,
}

/// What is computed again after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The rows whose column of this name is in the table `affected (scope_id)`. Statements name that table:
    /// `WHERE session_id IN (SELECT scope_id FROM affected)`.
    Affected(&'static str),
    /// All rows.
    Whole,
}

/// How a derived table is computed.
#[derive(Clone, Copy)]
pub enum How {
    /// By this query, whose columns are the table's, in order.
    Query(&'static str),
    /// By this query, and a function that turns one of its rows into a row of the table.
    Rows {
        /// The query.
        query: &'static str,
        /// The function. It gets the query's cells and the prices and settings of the run.
        each: fn(&[OwnedCell], &Settings, &mut RowBuffer) -> Result<(), StoreError>,
    },
}

/// What derivations may know besides the rows.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Prices that the user gave, as the text of a file; they come before the embedded ones.
    pub prices: Option<String>,
}

pub use plimsoll_store::analytics::OwnedCell;

/// A path below a root in the form that [`Documents::identify`] gets: with `/`, without a leading one.
pub fn relative(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}
