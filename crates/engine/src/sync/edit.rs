//! What people do to a record: draft, commit, discard.
//!
//! Owns these commands and the list of edits. A draft is its author's; a commit is everyone's, and the request that
//! carries it is in the outbox when the transaction that commits it is over.
//!
//! Invariant: an edit has one line in `plimsoll_sync_edit` from its first draft on, and keeps it.

use plimsoll_core::sync::hybrid::HybridClock;
use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_core::sync::plan::Event;
use plimsoll_core::sync::record::{Edit, Fields};
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::declare::Link;
use super::milliseconds;
use super::record::{self, Kept};
use super::take::{Because, Taken, advance, happen, settle_edit, transact};
use crate::change::cells::{Cells, number};
use crate::clock::new_id;
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
    /// At most so many.
    pub limit: u64,
}

/// Begins a draft, or goes on with the author's draft of the record. `fields` are checked against the columns of the
/// mirror; `None` deletes the row. Returns the edit's id.
///
/// # Errors
/// Usage for a field that there is not, or a value that its column does not take; refused by the planner.
pub fn draft(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    scope: Option<&str>,
    fields: Option<&Fields>,
) -> Result<(String, Taken), EngineError> {
    let author = session.actor.clone();
    let shape = record::shape_of(session.store.as_mut(), link.mirror())?;
    let fields = fields.map(|fields| typed(session, link, &shape, fields)).transpose()?;
    transact(session, |store, now| {
        let mut kept = record::lock(store, link, key, now)?;
        if kept.record.view().is_none() && kept.scope.is_empty() {
            let Some(scope) = scope.filter(|_| fields.is_some()) else {
                return Err(EngineError::usage(format!(
                    "there is no {} `{key}`\nhint: `plimsoll sync {}` pulls what is new; a new row needs its {}",
                    link.name(),
                    link.name(),
                    link.mirror().scope
                )));
            };
            scope.clone_into(&mut kept.scope);
        }
        let begun = kept.record.overlay.drafts.iter().flat_map(|draft| &draft.edits);
        let known = begun.into_iter().find(|edit| edit.author == author).map(|edit| edit.id.clone());
        let id = known.clone().unwrap_or_else(|| new_id().to_string());
        let edit = Edit { id: id.clone(), author: author.clone() };
        let event = match &fields {
            Some(fields) => {
                let at = HybridClock::new(author.clone()).now(milliseconds(now));
                Event::Draft { edit, at, fields: fields.clone() }
            }
            None => Event::DraftDelete { edit },
        };
        if known.is_none() {
            begin_edit(store, link, &kept, &id, &author, now)?;
        }
        let taken = advance(store, link, &mut kept, event, Because { actor: &author, why: "draft" }, now)?;
        note_fields(store, link, &kept, &id)?;
        record::keep(store, link, &kept, now)?;
        Ok((id, taken))
    })
}

/// Commits a draft: from now on it is everyone's, and is sent when its turn comes.
///
/// # Errors
/// Usage when there is no such draft or it is another's; refused by the planner, when the draft stays.
pub fn commit(session: &mut Session, link: &dyn Link, edit: &str) -> Result<Taken, EngineError> {
    let author = session.actor.clone();
    transact(session, |store, now| {
        let key = draft_of(store, link, edit, &author)?;
        let mut kept = record::lock(store, link, &key, now)?;
        let event = Event::Commit { edit: edit.to_owned() };
        let because = Because { actor: &author, why: "commit" };
        let taken = advance(store, link, &mut kept, event, because, now)?;
        record::keep(store, link, &kept, now)?;
        Ok(taken)
    })
}

/// Drops a draft. What it said stays in its line.
///
/// # Errors
/// Usage when there is no such draft or it is another's.
pub fn discard(session: &mut Session, link: &dyn Link, edit: &str) -> Result<Taken, EngineError> {
    let author = session.actor.clone();
    transact(session, |store, now| {
        let key = draft_of(store, link, edit, &author)?;
        let mut kept = record::lock(store, link, &key, now)?;
        let event = Event::Discard { edit: edit.to_owned() };
        let because = Because { actor: &author, why: "discard" };
        let taken = advance(store, link, &mut kept, event, because, now)?;
        settle_edit(store, link, edit, OutboxState::Discarded, "its author dropped it", now)?;
        happen(store, link, &key, "discarded", edit, because, now)?;
        record::keep(store, link, &kept, now)?;
        Ok(taken)
    })
}

/// The record of a draft.
fn draft_of(store: &mut dyn Store, link: &dyn Link, edit: &str, author: &str) -> Result<String, EngineError> {
    let sql = "SELECT record_key, author, state FROM plimsoll_sync_edit WHERE link = $1 AND edit = $2";
    let rows = store.query(sql, &[Value::text(link.name()), Value::text(edit)])?;
    let Some(row) = rows.into_iter().next() else {
        let hint = format!("`plimsoll drafts {}` lists them", link.name());
        return Err(EngineError::usage(format!("there is no draft `{edit}`\nhint: {hint}")));
    };
    let cells = Cells(row);
    let (owner, state) = (cells.text(1)?, cells.text(2)?);
    if owner != author {
        return Err(EngineError::refused(format!(
            "draft `{edit}` is {owner}'s\nhint: only its author decides on it"
        )));
    }
    if state != OutboxState::Draft.as_str() {
        return Err(EngineError::usage(format!(
            "edit `{edit}` is {state}, no draft\nhint: edit the record again"
        )));
    }
    cells.text(0)
}

fn begin_edit(
    store: &mut dyn Store,
    link: &dyn Link,
    kept: &Kept,
    id: &str,
    author: &str,
    now: &str,
) -> Result<(), EngineError> {
    let sql = "INSERT INTO plimsoll_sync_edit (link, edit, record_key, scope, author, state, fields, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, 'draft', '', $6, $6)";
    let parameters = [
        Value::text(link.name()),
        Value::text(id),
        Value::text(kept.key.as_str()),
        Value::text(kept.scope.as_str()),
        Value::text(author),
        Value::text(now),
    ];
    store.execute(sql, &parameters)?;
    Ok(())
}

/// Writes down what a draft says, as far as it goes.
fn note_fields(store: &mut dyn Store, link: &dyn Link, kept: &Kept, id: &str) -> Result<(), EngineError> {
    use plimsoll_core::sync::record::Intent;

    let mut drafts = kept.record.overlay.drafts.iter();
    let Some(draft) = drafts.find(|draft| draft.edits.iter().any(|edit| edit.id == id)) else {
        return Ok(());
    };
    let fields = match &draft.intent {
        Intent::Write(_) => serde_json::to_string(&draft.intent.values())?,
        Intent::Delete { .. } => String::new(),
    };
    let sql = "UPDATE plimsoll_sync_edit SET fields = $3 WHERE link = $1 AND edit = $2";
    store.execute(sql, &[Value::text(link.name()), Value::text(id), Value::text(fields)])?;
    Ok(())
}

/// Values as their columns hold them.
fn typed(
    session: &Session,
    link: &dyn Link,
    shape: &plimsoll_core::table::TableShape,
    fields: &Fields,
) -> Result<Fields, EngineError> {
    let known = link.mirror().fields;
    fields
        .iter()
        .map(|(name, value)| {
            let column = shape.position(name).and_then(|at| shape.columns.get(at));
            let Some(column) = column.filter(|_| known.contains(&name.as_str())) else {
                return Err(EngineError::usage(format!(
                    "there is no field `{name}`\nhint: the fields are {}",
                    known.join(", ")
                )));
            };
            Ok((name.clone(), session.store.canonical(column, value.clone())))
        })
        .collect()
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
    let sql = "SELECT edit, record_key, author, state, fields, reason, created_at, changed_at FROM plimsoll_sync_edit
        WHERE link = $1 AND ($2 = '' OR author = $2) AND ($3 = '' OR state = $3) AND ($4 = '' OR record_key = $4)
        ORDER BY changed_at DESC, edit LIMIT $5";
    let parameters = [
        Value::text(link.name()),
        Value::text(filter.author.unwrap_or_default()),
        Value::text(filter.state.map_or("", OutboxState::as_str)),
        Value::text(filter.key.unwrap_or_default()),
        number(filter.limit),
    ];
    let rows = session.store.query(sql, &parameters)?;
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
            })
        })
        .collect()
}
