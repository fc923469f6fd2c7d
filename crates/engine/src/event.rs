//! Events: who did what, when and why; append-only and chained.
//!
//! Owns writing, listing and verifying events. Each event holds the digest of the one before, so a removed,
//! changed or inserted event breaks the chain from there on. It does not own what happened to single rows:
//! that is in the changes and batches.
//!
//! Invariant: there is no function that changes or deletes an event, and the tables' triggers refuse both.

use plimsoll_core::digest::Hashing;
use plimsoll_core::value::Value;
use plimsoll_store::{DatabaseKind, Store};
use serde::{Deserialize, Serialize};

use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::session::Session;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the chain, from 1.
    pub number: i64,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What, such as `run.started`.
    pub kind: String,
    /// The id of the plan, run or quarantined item that it is about.
    pub subject: String,
    /// Why, in the actor's words; may be empty.
    pub reason: String,
    /// Details as JSON text.
    pub detail: String,
    /// The digest of the event before.
    pub previous: String,
    /// This event's digest.
    pub digest: String,
}

impl Event {
    /// An event that follows the one whose digest is `previous`.
    #[expect(clippy::too_many_arguments, reason = "each is a member of the event, in its order")]
    pub(crate) fn new(
        number: i64,
        at: String,
        actor: &str,
        kind: &str,
        subject: &str,
        reason: &str,
        detail: &serde_json::Value,
        previous: String,
    ) -> Self {
        let mut event = Self {
            number,
            at,
            actor: actor.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            reason: reason.to_owned(),
            detail: detail.to_string(),
            previous,
            digest: String::new(),
        };
        event.digest = event.compute_digest();
        event
    }

    fn compute_digest(&self) -> String {
        let mut hashing = Hashing::new("event");
        hashing.part(&self.number.to_le_bytes());
        for text in
            [&self.at, &self.actor, &self.kind, &self.subject, &self.reason, &self.detail, &self.previous]
        {
            hashing.part(text.as_bytes());
        }
        hashing.hex()
    }
}

/// An event that waits for its place in the chain.
#[derive(Debug)]
pub(crate) struct Pending {
    at: String,
    kind: String,
    subject: String,
    reason: String,
    detail: serde_json::Value,
}

/// Does work within the caller's transaction, holds its events back, and writes them at the end, in order: the chain is
/// locked and looked up once, and for no longer than that. Events of work that fails are dropped with it.
///
/// # Errors
/// What the work says, or when the store fails.
pub(crate) fn together<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    session.held_back = Some(Vec::new());
    let result = work(session);
    let pending = session.held_back.take().unwrap_or_default();
    let done = result?;
    append(session, pending)?;
    Ok(done)
}

/// Appends an event inside the caller's transaction. While a request is worked for, its id is the member `request` of the
/// detail.
///
/// # Errors
/// When the store fails.
pub fn record(
    session: &mut Session,
    kind: &str,
    subject: &str,
    reason: &str,
    detail: &serde_json::Value,
) -> Result<(), EngineError> {
    let detail = match (&session.request, detail) {
        (Some(request), serde_json::Value::Object(members)) => {
            let mut members = members.clone();
            members.insert("request".to_owned(), serde_json::Value::from(&**request));
            serde_json::Value::Object(members)
        }
        _ => detail.clone(),
    };
    let pending = Pending {
        at: session.clock.now(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        reason: reason.to_owned(),
        detail,
    };
    match &mut session.held_back {
        Some(held_back) => held_back.push(pending),
        None => append(session, vec![pending])?,
    }
    Ok(())
}

/// Appends events behind the last one, in order.
fn append(session: &mut Session, pending: Vec<Pending>) -> Result<(), EngineError> {
    if pending.is_empty() {
        return Ok(());
    }
    let store = session.store.as_mut();
    if store.kind() == DatabaseKind::Postgres {
        // One writer of the chain at a time; SQLite's write lock does the same.
        store.execute("LOCK TABLE plimsoll_event IN EXCLUSIVE MODE", &[])?;
    }
    let last = store.query("SELECT number, digest FROM plimsoll_event ORDER BY number DESC LIMIT 1", &[])?;
    let (mut number, mut previous) = match last.into_iter().next().map(Cells) {
        Some(cells) => (cells.integer(0)?, cells.text(1)?),
        None => (0, String::new()),
    };
    let mut rows = Vec::with_capacity(pending.len());
    for Pending { at, kind, subject, reason, detail } in pending {
        number += 1;
        let event = Event::new(number, at, &session.actor, &kind, &subject, &reason, &detail, previous);
        previous = event.digest.clone();
        rows.push(vec![
            Value::Integer(event.number),
            Value::Text(event.at),
            Value::Text(event.actor),
            Value::Text(event.kind),
            Value::Text(event.subject),
            Value::Text(event.reason),
            Value::Text(event.detail),
            Value::Text(event.previous),
            Value::Text(event.digest),
        ]);
    }
    let columns = ["number", "at", "actor", "kind", "subject", "reason", "detail", "previous", "digest"];
    session.store.append("plimsoll_event", &columns, &rows)?;
    Ok(())
}

/// All events, oldest first, or only those about `subject`.
///
/// # Errors
/// When the store fails.
pub fn list(store: &mut dyn Store, subject: Option<&str>) -> Result<Vec<Event>, EngineError> {
    let select =
        "SELECT number, at, actor, kind, subject, reason, detail, previous, digest FROM plimsoll_event";
    let rows = match subject {
        Some(subject) => {
            store.query(&format!("{select} WHERE subject = $1 ORDER BY number"), &[Value::text(subject)])?
        }
        None => store.query(&format!("{select} ORDER BY number"), &[])?,
    };
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok(Event {
                number: cells.integer(0)?,
                at: cells.text(1)?,
                actor: cells.text(2)?,
                kind: cells.text(3)?,
                subject: cells.text(4)?,
                reason: cells.text(5)?,
                detail: cells.text(6)?,
                previous: cells.text(7)?,
                digest: cells.text(8)?,
            })
        })
        .collect()
}

/// Recomputes the whole chain; returns the problems found, none when it is whole.
///
/// # Errors
/// When the store fails.
pub fn verify(store: &mut dyn Store) -> Result<Vec<String>, EngineError> {
    Ok(problems(list(store, None)?))
}

/// What is wrong with a chain of events, from its first one on; nothing when it is whole.
pub fn problems(events: Vec<Event>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut previous = String::new();
    for (position, event) in events.into_iter().enumerate() {
        if event.number != i64::try_from(position).unwrap_or(i64::MAX) + 1 {
            problems.push(format!("event {} follows where {} is missing", event.number, position + 1));
        }
        if event.previous != previous {
            problems.push(format!("event {} does not follow the event before it", event.number));
        }
        if event.digest != event.compute_digest() {
            problems.push(format!("event {} was changed after it was written", event.number));
        }
        previous = event.digest;
    }
    problems
}
