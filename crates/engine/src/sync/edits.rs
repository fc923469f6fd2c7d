//! The edits of a link as they are listed.
//!
//! Owns the line of an edit and the question which of them are wanted. It changes none.

use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;

use super::declare::Link;
use crate::change::cells::{Cells, number};
use crate::error::EngineError;
use crate::session::Session;

/// An edit as it is listed.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct EditLine {
    /// Its id.
    pub edit: String,
    /// The record.
    pub key: String,
    /// Who made it.
    pub author: String,
    /// Where it stands.
    pub state: String,
    /// The fields with their new values; none for a deletion.
    pub fields: Option<Fields>,
    /// Why it stands there, or how it ended.
    pub reason: Option<String>,
    /// When it was begun.
    pub created_at: String,
    /// When it last moved.
    pub changed_at: String,
    /// The id of the request that began it, when it came over HTTP.
    pub request: Option<String>,
}

/// Which edits to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct EditFilter<'a> {
    /// Of this author only.
    pub author: Option<&'a str>,
    /// In this state only.
    pub state: Option<OutboxState>,
    /// Of this record only.
    pub key: Option<&'a str>,
    /// Only what still waits for something: neither synced nor discarded.
    pub open: bool,
    /// At most so many.
    pub limit: u64,
    /// So many are left out before.
    pub offset: u64,
}

impl EditFilter<'_> {
    fn parameters(&self, link: &dyn Link) -> Vec<Value> {
        vec![
            Value::text(link.name()),
            Value::text(self.author.unwrap_or_default()),
            Value::text(self.state.map_or("", OutboxState::as_str)),
            Value::text(self.key.unwrap_or_default()),
        ]
    }

    fn condition(&self) -> &'static str {
        const OPEN: &str = "link = $1 AND ($2 = '' OR author = $2) AND ($3 = '' OR state = $3)
            AND ($4 = '' OR record_key = $4) AND state NOT IN ('synced', 'discarded')";
        const ALL: &str = "link = $1 AND ($2 = '' OR author = $2) AND ($3 = '' OR state = $3)
            AND ($4 = '' OR record_key = $4)";
        if self.open { OPEN } else { ALL }
    }
}

/// How many edits there are of those wanted; limit and offset do not count.
///
/// # Errors
/// When the store fails.
pub fn count(session: &mut Session, link: &dyn Link, filter: EditFilter<'_>) -> Result<u64, EngineError> {
    let sql = format!("SELECT count(*) FROM plimsoll_sync_edit WHERE {}", filter.condition());
    let rows = session.store.query(&sql, &filter.parameters(link))?;
    rows.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
}

/// The edits of a link, newest first.
///
/// # Errors
/// When the store fails.
pub fn list(
    session: &mut Session,
    link: &dyn Link,
    filter: EditFilter<'_>,
) -> Result<Vec<EditLine>, EngineError> {
    let sql = format!(
        "SELECT edit, record_key, author, state, fields, reason, created_at, changed_at, request FROM plimsoll_sync_edit
        WHERE {} ORDER BY changed_at DESC, edit LIMIT $5 OFFSET $6",
        filter.condition()
    );
    let mut parameters = filter.parameters(link);
    parameters.extend([number(filter.limit), number(filter.offset)]);
    let rows = session.store.query(&sql, &parameters)?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            let fields = cells.text(4)?;
            let fields = if fields.is_empty() { None } else { Some(serde_json::from_str(&fields)?) };
            Ok(EditLine {
                edit: cells.text(0)?,
                key: cells.text(1)?,
                author: cells.text(2)?,
                state: cells.text(3)?,
                fields,
                reason: cells.optional_text(5)?,
                created_at: cells.text(6)?,
                changed_at: cells.text(7)?,
                request: cells.optional_text(8)?,
            })
        })
        .collect()
}
