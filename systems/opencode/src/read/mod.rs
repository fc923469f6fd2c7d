//! From a document to rows.
//!
//! Owns the reading of every generation: a file of JSON, a row of the first SQLite generation with the same JSON in
//! its column `data`, a row of the second. One module for each kind of document, and one for each group of part types.
//! It opens nothing and asks nothing; the same document gives the same rows.
//!
//! Invariants:
//! - A document that is JSON of the right outer shape is read, whatever its fields look like; a field that has no
//!   column, or a shape that its column does not take, is kept in `extra` and counted by its place.
//! - Identifiers come from the path or the row's key; a document that says otherwise is overruled, and what it says is
//!   kept.
//! - A refused document leaves no row: everything that can refuse it comes before the first row.

mod cells;
mod clock;
mod columns;
mod commands;
mod failures;
mod fields;
mod file_operations;
mod json;
mod leftovers;
mod message;
mod part;
mod project;
mod session;
mod session_diff;
mod todo;
mod tool_calls;
mod usage;
mod version2;

use std::borrow::Cow;

use plimsoll_engine::ingest::{Body, Document, Generation, Refusal, Rows};

use self::columns::Columns;
use self::json::Tape;
use crate::documents;

/// Turns a document into rows.
pub(crate) fn read(document: &Document<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let source = Source::new(document);
    match document.kind {
        documents::PROJECT => project::read(&source, rows),
        documents::SESSION => session::read(&source, rows),
        documents::MESSAGE if document.generation == Generation::SqliteV2 => version2::read(&source, rows),
        documents::MESSAGE => message::read(&source, rows),
        documents::PART => part::read(&source, rows),
        documents::TODO => todo::read(&source, rows),
        documents::SESSION_DIFF => session_diff::read(&source, rows),
        other => Err(Refusal::new("wrong-shape", format!("there is no kind of document number {other}"))),
    }
}

/// A document, and where its JSON is.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    id: &'a str,
    parent: Option<&'a str>,
    generation: Generation,
    /// The text of a file.
    file: Option<&'a str>,
    /// The columns of a row; none for a file.
    columns: Columns<'a>,
}

impl<'a> Source<'a> {
    fn new(document: &Document<'a>) -> Self {
        let (file, columns) = match document.body {
            Body::File(text) => (Some(text), Columns(&[])),
            Body::Row(columns) => (None, Columns(columns)),
        };
        Self { id: document.id, parent: document.parent, generation: document.generation, file, columns }
    }

    /// The JSON: the whole file, or the row's column `data`.
    fn json(&self) -> Result<Cow<'a, str>, Refusal> {
        match self.file {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self
                .columns
                .text("data")
                .ok_or_else(|| Refusal::new("wrong-shape", "the row has nothing in its column `data`")),
        }
    }
}

/// Splits a text, or says what is wrong with it.
fn split(text: &str) -> Result<Tape<'_>, Refusal> {
    Tape::new(text).map_err(|_| refusal(text))
}

fn refusal(text: &str) -> Refusal {
    if text.trim_ascii().is_empty() {
        return Refusal::new("empty", if text.is_empty() { "0 bytes" } else { "nothing but white space" });
    }
    if let Some(first) = text.find('\0') {
        let count = text.bytes().filter(|byte| *byte == 0).count();
        return Refusal::new(
            "nul-bytes",
            format!("{count} NUL bytes of {}, the first at byte {first}", text.len()),
        );
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Err(error) if error.is_eof() => Refusal::new("truncated", format!("it ends too early: {error}")),
        Err(error) => Refusal::new("not-json", error.to_string()),
        Ok(_) => {
            Refusal::new("too-large", format!("{} bytes; 2 GB are the most that is read at once", text.len()))
        }
    }
}

/// The refusal of JSON that is not an object.
fn no_object(what: &str) -> Refusal {
    Refusal::new("wrong-shape", format!("a {what} is an object; line 1 column 1 begins something else"))
}
