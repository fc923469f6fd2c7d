//! What people do to a record: draft, commit, discard.
//!
//! Owns these commands for one edit. Many at once are `decide`'s, lists `edits`'. A draft is its author's; a commit is everyone's, and the request that
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
use super::journal::happen;
use super::milliseconds;
use super::record::{self, Kept};
use super::take::{Because, Taken, advance, perhaps, settle_edit};
use crate::change::cells::Cells;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::session::Session;

pub use super::edits::{EditFilter, EditLine, count, list};

/// How an edit is made or decided.
#[derive(Debug, Clone, Copy, Default)]
pub struct How<'a> {
    /// Why, for the history; empty for nothing in particular.
    pub why: &'a str,
    /// Find out what would happen, and change nothing.
    pub dry_run: bool,
}

impl<'a> How<'a> {
    fn because(&self, actor: &'a str, otherwise: &'a str) -> Because<'a> {
        Because { actor, why: if self.why.is_empty() { otherwise } else { self.why } }
    }
}

/// What is to become of a record.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The record.
    pub key: &'a str,
    /// What a new record belongs to.
    pub scope: Option<&'a str>,
    /// The fields with their new values; `None` deletes the row.
    pub fields: Option<&'a Fields>,
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
    draft_how(session, link, Wanted { key, scope, fields }, How::default())
}

/// As [`draft`], or only what it would say.
///
/// # Errors
/// As [`draft`].
pub fn draft_how(
    session: &mut Session,
    link: &dyn Link,
    wanted: Wanted<'_>,
    how: How<'_>,
) -> Result<(String, Taken), EngineError> {
    let (author, request) = (session.actor.clone(), session.request.clone());
    let fields = wanted.fields.map(|fields| typed(session, link, fields)).transpose()?;
    perhaps(session, how.dry_run, |store, now| {
        let mut kept = record::lock(store, link, wanted.key, now)?;
        let because = how.because(&author, "draft");
        begin(store, link, &mut kept, wanted.scope, fields.as_ref(), because, (now, request.as_deref()))
    })
}

/// Edits a record and commits the edit, in one transaction: what is refused leaves no draft behind. Returns the edit.
///
/// # Errors
/// As [`draft`] and [`commit`]; refused while the author has a draft of the record, which would go along unseen.
pub fn at_once(
    session: &mut Session,
    link: &dyn Link,
    wanted: Wanted<'_>,
    how: How<'_>,
) -> Result<(String, Taken), EngineError> {
    let (author, request) = (session.actor.clone(), session.request.clone());
    let fields = wanted.fields.map(|fields| typed(session, link, fields)).transpose()?;
    perhaps(session, how.dry_run, |store, now| {
        let mut kept = record::lock(store, link, wanted.key, now)?;
        if let Some(open) = draft_by(&kept, &author) {
            return Err(EngineError::refused(format!(
                "you have a draft of `{}`: {open}\nhint: commit or discard it first",
                wanted.key
            )));
        }
        let because = how.because(&author, "commit");
        let moment = (now, request.as_deref());
        let (id, _) = begin(store, link, &mut kept, wanted.scope, fields.as_ref(), because, moment)?;
        let taken = advance(store, link, &mut kept, Event::Commit { edit: id.clone() }, because, now)?;
        record::keep(store, link, &kept, now)?;
        Ok((id, taken))
    })
}

/// The draft that somebody has of a record.
fn draft_by(kept: &Kept, author: &str) -> Option<String> {
    let mut begun = kept.record.overlay.drafts.iter().flat_map(|draft| &draft.edits);
    begun.find(|edit| edit.author == author).map(|edit| edit.id.clone())
}

/// The draft of a locked record, at a moment and for a request.
fn begin(
    store: &mut dyn Store,
    link: &dyn Link,
    kept: &mut Kept,
    scope: Option<&str>,
    fields: Option<&Fields>,
    because: Because<'_>,
    (now, request): (&str, Option<&str>),
) -> Result<(String, Taken), EngineError> {
    let author = because.actor;
    if kept.record.view().is_none() && kept.scope.is_empty() {
        let Some(scope) = scope.filter(|_| fields.is_some()) else {
            return Err(EngineError::usage(format!(
                "there is no {} `{}`\nhint: `plimsoll sync {}` pulls what is new; a new row needs its {}",
                link.name(),
                kept.key,
                link.name(),
                link.mirror().scope
            )));
        };
        scope.clone_into(&mut kept.scope);
    }
    let known = draft_by(kept, author);
    let id = known.clone().unwrap_or_else(|| new_id().to_string());
    let edit = Edit { id: id.clone(), author: author.to_owned() };
    let event = match fields {
        Some(fields) => {
            let at = HybridClock::new(author).now(milliseconds(now));
            Event::Draft { edit, at, fields: fields.clone() }
        }
        None => Event::DraftDelete { edit },
    };
    if known.is_none() {
        begin_edit(store, link, kept, &id, author, (now, request))?;
    }
    let taken = advance(store, link, kept, event, because, now)?;
    note_fields(store, link, kept, &id)?;
    record::keep(store, link, kept, now)?;
    Ok((id, taken))
}

/// Commits a draft: from now on it is everyone's, and is sent when its turn comes.
///
/// # Errors
/// Usage when there is no such draft or it is another's; refused by the planner, when the draft stays.
pub fn commit(session: &mut Session, link: &dyn Link, edit: &str) -> Result<Taken, EngineError> {
    commit_how(session, link, edit, How::default())
}

/// As [`commit`], with the reason, or only what it would say.
///
/// # Errors
/// As [`commit`].
pub fn commit_how(
    session: &mut Session,
    link: &dyn Link,
    edit: &str,
    how: How<'_>,
) -> Result<Taken, EngineError> {
    let author = session.actor.clone();
    perhaps(session, how.dry_run, |store, now| {
        let key = draft_of(store, link, edit, &author)?;
        let mut kept = record::lock(store, link, &key, now)?;
        let event = Event::Commit { edit: edit.to_owned() };
        let taken = advance(store, link, &mut kept, event, how.because(&author, "commit"), now)?;
        record::keep(store, link, &kept, now)?;
        Ok(taken)
    })
}

/// Drops a draft. What it said stays in its line.
///
/// # Errors
/// Usage when there is no such draft or it is another's.
pub fn discard(session: &mut Session, link: &dyn Link, edit: &str) -> Result<Taken, EngineError> {
    discard_how(session, link, edit, How::default())
}

/// As [`discard`], with the reason, or only what it would say.
///
/// # Errors
/// As [`discard`].
pub fn discard_how(
    session: &mut Session,
    link: &dyn Link,
    edit: &str,
    how: How<'_>,
) -> Result<Taken, EngineError> {
    let author = session.actor.clone();
    perhaps(session, how.dry_run, |store, now| {
        let key = draft_of(store, link, edit, &author)?;
        let mut kept = record::lock(store, link, &key, now)?;
        let event = Event::Discard { edit: edit.to_owned() };
        let because = how.because(&author, "its author dropped it");
        let taken = advance(store, link, &mut kept, event, because, now)?;
        settle_edit(store, link, edit, OutboxState::Discarded, because.why, now)?;
        happen(store, link, &key, "discarded", edit, because, now)?;
        record::keep(store, link, &kept, now)?;
        Ok(taken)
    })
}

/// The record of an edit.
///
/// # Errors
/// Usage when there is no such edit.
pub fn record_of(session: &mut Session, link: &dyn Link, edit: &str) -> Result<String, EngineError> {
    let sql = "SELECT record_key FROM plimsoll_sync_edit WHERE link = $1 AND edit = $2";
    let rows = session.store.query(sql, &[Value::text(link.name()), Value::text(edit)])?;
    rows.into_iter().next().map_or_else(|| Err(no_draft(link, edit)), |row| Cells(row).text(0))
}

fn no_draft(link: &dyn Link, edit: &str) -> EngineError {
    EngineError::usage(format!(
        "there is no draft `{edit}`\nhint: `plimsoll drafts {}` lists them",
        link.name()
    ))
}

/// The record of a draft.
fn draft_of(store: &mut dyn Store, link: &dyn Link, edit: &str, author: &str) -> Result<String, EngineError> {
    let sql = "SELECT record_key, author, state FROM plimsoll_sync_edit WHERE link = $1 AND edit = $2";
    let rows = store.query(sql, &[Value::text(link.name()), Value::text(edit)])?;
    let Some(row) = rows.into_iter().next() else {
        return Err(no_draft(link, edit));
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

/// The line of an edit that was made outside of drafts, see [`Event::Made`]. Its state follows when the planner has it.
pub(crate) fn note_made(
    store: &mut dyn Store,
    link: &dyn Link,
    kept: &Kept,
    made: &Edit,
    fields: Option<&Fields>,
    now: &str,
) -> Result<(), EngineError> {
    begin_edit(store, link, kept, &made.id, &made.author, (now, None))?;
    let fields = fields.map_or_else(|| Ok(String::new()), serde_json::to_string)?;
    let sql = "UPDATE plimsoll_sync_edit SET fields = $3 WHERE link = $1 AND edit = $2";
    store.execute(sql, &[Value::text(link.name()), Value::text(made.id.as_str()), Value::text(fields)])?;
    Ok(())
}

fn begin_edit(
    store: &mut dyn Store,
    link: &dyn Link,
    kept: &Kept,
    id: &str,
    author: &str,
    (now, request): (&str, Option<&str>),
) -> Result<(), EngineError> {
    let sql = "INSERT INTO plimsoll_sync_edit
            (link, edit, record_key, scope, author, state, fields, created_at, changed_at, request)
        VALUES ($1, $2, $3, $4, $5, 'draft', '', $6, $6, $7)";
    let parameters = [
        Value::text(link.name()),
        Value::text(id),
        Value::text(kept.key.as_str()),
        Value::text(kept.scope.as_str()),
        Value::text(author),
        Value::text(now),
        Value::optional_text(request),
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

/// Fields from what a person or a file wrote: names with texts, an empty text being null.
///
/// # Errors
/// Usage, with the field and what is wrong with it.
pub fn written<'a>(
    link: &dyn Link,
    words: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Fields, EngineError> {
    let known = || link.mirror().fields.join(", ");
    words
        .into_iter()
        .map(|(name, text)| {
            let value = link.parse(name, text).map_err(|why| {
                EngineError::usage(format!("{name}: {why}\nhint: the fields are {}", known()))
            })?;
            Ok((name.to_owned(), value))
        })
        .collect()
}

/// Values as their columns hold them.
fn typed(session: &mut Session, link: &dyn Link, fields: &Fields) -> Result<Fields, EngineError> {
    let shape = record::shape_of(session.store.as_mut(), link.mirror())?;
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
