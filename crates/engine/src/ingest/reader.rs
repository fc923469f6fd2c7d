//! Reading documents: files by several threads, rows of databases in one stream.
//!
//! Owns turning documents into chunks of rows. A chunk is a few megabytes; the channel holds few, so memory stays small
//! however much there is to read. It writes nothing and decides nothing about the ledger.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;

use plimsoll_core::value::Value;
use plimsoll_store::StoreError;
use plimsoll_store::foreign::ForeignDatabase;

use super::declare::{Body, Document, Documents, ForeignTable, Generation, Refusal, Rows};
use super::ledger::content_digest;
use super::scan::{Source, tables_of};
use crate::error::EngineError;

/// Documents in a chunk at most.
const CHUNK_DOCUMENTS: usize = 1_024;
/// Bytes of rows in a chunk, about.
const CHUNK_BYTES: usize = 6 << 20;
/// A document larger than this is not read.
const LARGEST_BYTES: usize = 1 << 30;
/// Up to so many rows of a table are fetched one by one; above, the table is read through.
const FETCH_SINGLY: usize = 200;

/// One document to read.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// Place in the ledger.
    pub at: u32,
    /// Position of its source among the sources.
    pub source: usize,
    /// Path below the source, or table and key.
    pub path: Arc<str>,
    /// Position in the system's kinds.
    pub kind: usize,
    /// Identifier.
    pub id: Arc<str>,
    /// What a row belongs to; a file's path tells.
    pub parent: Option<Arc<str>>,
    /// Bytes when it was found.
    pub size: i64,
    /// How it was written.
    pub generation: Generation,
    /// Digest of the content whose rows are in the store; 0 when there are none.
    pub known: u128,
}

/// What came of reading a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Its rows are in the chunk.
    Rows {
        /// Digest of the content.
        digest: u128,
        /// Bytes read.
        bytes: u64,
    },
    /// Its content is what the store has.
    Same {
        /// Bytes read.
        bytes: u64,
    },
    /// It cannot be read.
    Refused(Refusal),
    /// It is not there any more.
    Gone,
}

/// Documents read, with their rows.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The rows of all documents that were read.
    pub rows: Rows,
    /// What came of each document.
    pub readings: Vec<(u32, Reading)>,
}

impl Chunk {
    fn new(system: &dyn Documents) -> Self {
        Self { rows: Rows::new(system.tables()), readings: Vec::new() }
    }

    fn is_full(&self) -> bool {
        self.readings.len() >= CHUNK_DOCUMENTS || self.rows.bytes() >= CHUNK_BYTES
    }
}

/// Where chunks go; an error means that nobody wants more.
pub(crate) type Outlet = SyncSender<Result<Chunk, EngineError>>;

/// Reads all tasks and sends their chunks; returns when all is sent, or nobody wants more.
pub(crate) fn read_all(
    system: &dyn Documents,
    sources: &[Source],
    tasks: &[Task],
    threads: usize,
    outlet: &Outlet,
) {
    let (files, rows): (Vec<&Task>, Vec<&Task>) =
        tasks.iter().partition(|task| task.generation == Generation::Json);
    let turn = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let read_files = || {
        let mut reader = Reader::new(system);
        while !stopped.load(Ordering::Relaxed) {
            let from = turn.fetch_add(64, Ordering::Relaxed);
            if from >= files.len() {
                break;
            }
            for task in &files[from..files.len().min(from + 64)] {
                reader.file(&sources[task.source].root, task);
                if reader.chunk.is_full() && outlet.send(Ok(reader.take())).is_err() {
                    stopped.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
        if !reader.chunk.readings.is_empty() {
            drop(outlet.send(Ok(reader.take())));
        }
    };
    let read_rows = || {
        if let Err(error) = read_databases(system, sources, &rows, outlet) {
            drop(outlet.send(Err(error)));
        }
    };
    if files.len() < 128 || threads < 2 {
        read_files();
        read_rows();
        return;
    }
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(read_files);
        }
        read_rows();
    });
}

struct Reader<'a> {
    system: &'a dyn Documents,
    chunk: Chunk,
    content: Vec<u8>,
    path: PathBuf,
}

impl<'a> Reader<'a> {
    fn new(system: &'a dyn Documents) -> Self {
        Self { system, chunk: Chunk::new(system), content: Vec::new(), path: PathBuf::new() }
    }

    fn take(&mut self) -> Chunk {
        std::mem::replace(&mut self.chunk, Chunk::new(self.system))
    }

    fn file(&mut self, root: &Path, task: &Task) {
        self.path.clear();
        self.path.push(root);
        self.path.push(&*task.path);
        let reading = match load(&self.path, task.size, &mut self.content) {
            Ok(bytes) => self.text(task, bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Reading::Gone,
            Err(error) => Reading::Refused(Refusal::new("unreadable", error.to_string())),
        };
        self.chunk.readings.push((task.at, reading));
    }

    fn text(&mut self, task: &Task, bytes: usize) -> Reading {
        let content = std::mem::take(&mut self.content);
        let reading = self.content(task, &content[..bytes]);
        self.content = content;
        reading
    }

    fn content(&mut self, task: &Task, content: &[u8]) -> Reading {
        let bytes = content.len() as u64;
        if content.is_empty() {
            return Reading::Refused(Refusal::new("empty", "the file has no content"));
        }
        if content.len() > LARGEST_BYTES {
            return Reading::Refused(Refusal::new("too-large", format!("{bytes} bytes")));
        }
        let digest = content_digest(content);
        if digest == task.known {
            return Reading::Same { bytes };
        }
        let reading = match std::str::from_utf8(content) {
            Ok(text) => self.document(task, Body::File(text), digest, bytes),
            Err(error) => {
                let reason = format!("not UTF-8 from byte {} of {bytes} on", error.valid_up_to());
                Reading::Refused(Refusal::new("not-utf8", reason))
            }
        };
        // A NUL byte is in no text that can be read, so only what cannot be is searched for one.
        let nul = matches!(reading, Reading::Refused(_)).then(|| content.iter().position(|byte| *byte == 0));
        match nul.flatten() {
            Some(at) => Reading::Refused(Refusal::new("nul-bytes", format!("a NUL byte at {at} of {bytes}"))),
            None => reading,
        }
    }

    fn document(&mut self, task: &Task, body: Body<'_>, digest: u128, bytes: u64) -> Reading {
        let identity = match body {
            Body::File(_) => self.system.identify(&task.path),
            Body::Row(_) => None,
        };
        let document = Document {
            kind: task.kind,
            id: &task.id,
            parent: match &identity {
                Some(identity) => identity.parent.as_deref(),
                None => task.parent.as_deref(),
            },
            generation: task.generation,
            body,
        };
        let mark = self.chunk.rows.mark();
        match self.system.read(&document, &mut self.chunk.rows) {
            Ok(()) => Reading::Rows { digest, bytes },
            Err(refusal) => {
                self.chunk.rows.rewind(&mark);
                Reading::Refused(refusal)
            }
        }
    }

    fn row(&mut self, task: &Task, columns: &[&'static str], row: Vec<Value>) {
        let fields: Vec<(&'static str, Value)> = columns.iter().copied().zip(row).collect();
        let mut hasher = Vec::new();
        for (name, value) in &fields {
            hasher.extend_from_slice(name.as_bytes());
            hasher.push(0);
            match value.as_text() {
                Some(text) => hasher.extend_from_slice(text.as_bytes()),
                None => hasher.extend_from_slice(value.to_string().as_bytes()),
            }
            hasher.push(0);
        }
        let digest = content_digest(&hasher);
        let bytes = hasher.len() as u64;
        let reading = if digest == task.known {
            Reading::Same { bytes }
        } else {
            self.document(task, Body::Row(&fields), digest, bytes)
        };
        self.chunk.readings.push((task.at, reading));
    }
}

/// Reads a file into the front of `content`, which grows and keeps its memory; returns how many bytes there are.
fn load(path: &Path, size: i64, content: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut file = std::fs::File::open(path)?;
    // One byte more than was found: a read that does not fill the memory has met the end.
    let size = usize::try_from(size).unwrap_or(0).min(LARGEST_BYTES) + 1;
    if content.len() < size {
        content.resize(size.next_power_of_two().max(16 << 10), 0);
    }
    let mut bytes = 0;
    loop {
        let room = content.len() - bytes;
        let read = match file.read(&mut content[bytes..]) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        bytes += read;
        if read < room || bytes > LARGEST_BYTES {
            return Ok(bytes);
        }
        let grown = content.len() * 2;
        content.resize(grown, 0);
    }
}

fn read_databases(
    system: &dyn Documents,
    sources: &[Source],
    tasks: &[&Task],
    outlet: &Outlet,
) -> Result<(), EngineError> {
    let mut reader = Reader::new(system);
    for (position, source) in sources.iter().enumerate() {
        let mine: Vec<&Task> = tasks.iter().copied().filter(|task| task.source == position).collect();
        if mine.is_empty() {
            continue;
        }
        let database = ForeignDatabase::open(&source.path())?;
        for (table, columns) in tables_of(system, &database)? {
            let prefix = format!("{}/", table.table);
            let wanted: HashMap<&str, &Task> = mine
                .iter()
                .filter(|task| task.path.starts_with(&prefix))
                .map(|task| (&*task.id, *task))
                .collect();
            if wanted.is_empty() {
                continue;
            }
            if !read_table(&database, table, &columns, &wanted, &mut reader, outlet)? {
                return Ok(());
            }
        }
        if !database.is_as_opened() {
            return Err(EngineError::source(format!(
                "{} was written while it was read\nhint: run the same command again; nothing is lost",
                source.path().display()
            )));
        }
    }
    if !reader.chunk.readings.is_empty() {
        drop(outlet.send(Ok(reader.take())));
    }
    Ok(())
}

/// Reads the documents wanted from one table; false when nobody wants more.
fn read_table(
    database: &ForeignDatabase,
    table: &ForeignTable,
    columns: &[&'static str],
    wanted: &HashMap<&str, &Task>,
    reader: &mut Reader<'_>,
    outlet: &Outlet,
) -> Result<bool, EngineError> {
    let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let select = format!("SELECT {}, {} FROM \"{}\"", table.key, names.join(", "), table.table);
    let condition = if table.condition.is_empty() { "1" } else { table.condition };
    let mut open = true;
    let mut take = |mut row: Vec<Value>| -> Result<(), StoreError> {
        let id = match row.remove(0) {
            Value::Text(text) => text,
            other => other.to_string(),
        };
        if let Some(task) = wanted.get(id.as_str()) {
            reader.row(task, columns, row);
            if reader.chunk.is_full() {
                open &= outlet.send(Ok(reader.take())).is_ok();
            }
        }
        Ok(())
    };
    if wanted.len() <= FETCH_SINGLY {
        let sql = format!("{select} WHERE {condition} AND {} = $1", table.key);
        let mut ids: Vec<&&str> = wanted.keys().collect();
        ids.sort_unstable();
        for id in ids {
            database.query_each(&sql, &[Value::text(*id)], &mut take)?;
        }
    } else {
        database.query_each(&format!("{select} WHERE {condition}"), &[], &mut take)?;
    }
    Ok(open)
}
