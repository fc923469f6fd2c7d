//! What a system contributes to sync: its link and its remote.
//!
//! Owns the two seams. A [`Link`] is data and pure functions: which table mirrors the remote, which fields there are,
//! how they merge, which rules a row keeps. A [`Remote`] speaks to the other side: it turns a request into an answer
//! and a transport's trouble into one of few kinds, because what may be repeated depends on nothing else.
//!
//! Invariant: a remote repeats nothing and waits for nothing. The one retry layer is the worker's.

use plimsoll_core::sync::field::{LinkShape, Rules};
use plimsoll_core::sync::plan::Dispatch;
use plimsoll_core::sync::record::{Fields, OperationId, Origin, Version};
use plimsoll_core::sync::vanish::VanishCap;
use plimsoll_core::value::Value;

use super::read::MergedRow;
use crate::error::EngineError;
use crate::system::System;

/// The table that mirrors the remote's rows.
///
/// Beside its own columns it has `remote_version` and `remote_changed_ms` (`bigint`) and `observed_at` (`text`).
#[derive(Debug, Clone, Copy)]
pub struct MirrorTable {
    /// The table.
    pub table: &'static str,
    /// The column of the key, a text.
    pub key: &'static str,
    /// The column by which the remote parts its rows, such as the organization.
    pub scope: &'static str,
    /// The columns that are fields of the record; a field has the name of its column.
    pub fields: &'static [&'static str],
}

/// A link: one kind of record, mirrored here and kept by a remote.
pub trait Link: Sync {
    /// The name in the tables and on the command line, such as `pfa`.
    fn name(&self) -> &'static str;

    /// Where the mirror is.
    fn mirror(&self) -> &'static MirrorTable;

    /// The change units, field classes and policies.
    fn shape(&self) -> &LinkShape;

    /// The rules that a row keeps.
    fn rules(&self) -> &dyn Rules;

    /// A field's value from what a person or a file wrote; an empty text is null.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn parse(&self, field: &str, text: &str) -> Result<Value, String>;

    /// Whether the field's text is a number, so that it sorts as one.
    fn holds_numbers(&self, _field: &str) -> bool {
        false
    }

    /// Fields without which a remote's answer is not believed at all.
    fn critical_fields(&self) -> &'static [&'static str];

    /// How many rows may vanish at once before a person is asked.
    fn vanish_cap(&self) -> VanishCap {
        VanishCap::default()
    }

    /// Requests per second that the remote allows.
    fn requests_per_second(&self) -> u64 {
        10
    }

    /// The entity of a pilot whose new rows are kept in step with what everyone here sees of a record; `None` where the
    /// mirror is all there is. A record that changed is due there when the transaction of the change commits.
    fn pilot_entity(&self) -> Option<&'static str> {
        None
    }

    /// A remote at `base`, with the token that it wants.
    ///
    /// # Errors
    /// Usage, when the address is not one.
    fn connect(&self, base: &str, token: Option<&str>) -> Result<Box<dyn Remote>, EngineError>;
}

/// A system whose records are linked.
pub struct LinkedSystem {
    /// The system with its tables.
    pub system: &'static System,
    /// The link.
    pub link: &'static dyn Link,
    /// Reads edits from the bytes of a file; an error says what is wrong with the file as a whole.
    pub import: fn(&[u8]) -> Result<Imported, String>,
    /// The figures of merged rows, as one object.
    pub figures: fn(&[MergedRow]) -> serde_json::Value,
}

/// What a file of edits holds. Every line of it is in one of the two lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// The good lines.
    pub rows: Vec<ImportedRow>,
    /// The bad ones.
    pub problems: Vec<Problem>,
}

/// A good line.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedRow {
    /// Its line in the file.
    pub line: u64,
    /// The record.
    pub key: String,
    /// What it belongs to, where the file says so.
    pub scope: Option<String>,
    /// The fields that the file has for it.
    pub fields: Fields,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The line in the file; 1 is the header.
    pub line: u64,
    /// The column, where it is one column's fault.
    pub column: Option<String>,
    /// What is wrong, in words.
    pub reason: String,
}

/// A row as the remote told it.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteRow {
    /// Its key.
    pub key: String,
    /// What it belongs to.
    pub scope: String,
    /// Its version.
    pub version: Version,
    /// When it was changed there, in milliseconds, by the remote's clock.
    pub changed_ms: Option<u64>,
    /// Who made this version, where the remote tells.
    pub origin: Origin,
    /// The fields of the link; one that the remote left out is absent.
    pub fields: Fields,
    /// Fields that the link does not know.
    pub unknown: Vec<String>,
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// Applied; the row as it is now.
    Applied(Box<RemoteRow>),
    /// The row was deleted.
    Deleted,
    /// The remote's row is not the expected one.
    Rejected,
    /// The remote will never take it; why.
    Refused(String),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing left this machine: no connection. Certainly not applied.
    NotSent(String),
    /// What answered did not take the request. That is said of one copy: a proxy that repeats requests may have had
    /// another one applied.
    TurnedAway(String),
    /// The remote asks to wait (429). Said of one copy as well.
    Busy {
        /// How long, where it says so.
        retry_after_ms: Option<u64>,
    },
    /// Sent, and the answer is missing or says nothing (5xx, a broken connection, a time limit).
    Unknown(String),
    /// The remote refuses whoever asks (401, 403): a setting is wrong here.
    Denied(String),
    /// The listing cannot go on where it stopped; it has to begin again.
    ListingGone(String),
}

impl Trouble {
    /// What happened, in words.
    pub fn reason(&self) -> String {
        match self {
            Self::NotSent(why)
            | Self::TurnedAway(why)
            | Self::Unknown(why)
            | Self::Denied(why)
            | Self::ListingGone(why) => why.clone(),
            Self::Busy { retry_after_ms: Some(ms) } => format!("the remote asks to wait {ms} ms"),
            Self::Busy { retry_after_ms: None } => "the remote asks to wait".into(),
        }
    }
}

/// Where a pull of changes stands: the last row that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// The remote's stamp of that row.
    pub stamp: String,
    /// Its key.
    pub key: String,
}

/// A row whose deletion a remote tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneRow {
    /// Its key.
    pub key: String,
    /// The version of the deletion.
    pub version: Version,
}

/// A page of changes.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Rows, oldest change first.
    pub rows: Vec<RemoteRow>,
    /// Deletions, where the remote tells them; the others are found by a complete pull.
    pub gone: Vec<GoneRow>,
    /// Where the next page begins.
    pub next: Cursor,
    /// Whether there is more.
    pub more: bool,
}

/// A page of a complete listing.
#[derive(Debug, Clone, Default)]
pub struct ListingPage {
    /// The listing that this page belongs to.
    pub listing: String,
    /// Rows in all.
    pub total: u64,
    /// The rows of this page.
    pub rows: Vec<RemoteRow>,
}

/// The other side. Each call is one request.
pub trait Remote: Send {
    /// Reads a row; `None` when there is none.
    ///
    /// # Errors
    /// [`Trouble`].
    fn read(&mut self, key: &str) -> Result<Option<RemoteRow>, Trouble>;

    /// Writes, creates or deletes a row.
    ///
    /// # Errors
    /// [`Trouble`]; after [`Trouble::Unknown`] the write may have been applied.
    fn write(&mut self, key: &str, scope: &str, dispatch: &Dispatch) -> Result<Written, Trouble>;

    /// Whether an operation took effect, where the remote keeps its effects for ever; `None` where it cannot tell. "No" is
    /// only said when no copy of the request can take effect any more, or when it would be recognized.
    ///
    /// # Errors
    /// [`Trouble`].
    fn applied(&mut self, operation: &OperationId) -> Result<Option<bool>, Trouble> {
        let _ = operation;
        Ok(None)
    }

    /// A page of the rows of `scope` that changed after `cursor`.
    ///
    /// # Errors
    /// [`Trouble`].
    fn changes(&mut self, scope: &str, cursor: &Cursor, limit: u64) -> Result<Page, Trouble>;

    /// A page of all rows of `scope`, of the listing that the first page opened.
    ///
    /// # Errors
    /// [`Trouble::ListingGone`] when the listing is no more; other troubles.
    fn listing(
        &mut self,
        scope: &str,
        listing: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<ListingPage, Trouble>;

    /// A cursor that lies `overlap_ms` before `cursor`: clocks of a remote's machines differ, and rows may be stamped
    /// earlier than they can be seen.
    fn before(&self, cursor: &Cursor, overlap_ms: u64) -> Cursor;
}
