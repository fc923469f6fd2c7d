//! What happens at a link, as it happens: for whoever follows it.
//!
//! Owns reading the store's own record of what happened - versions of records and happenings - as one stream, whichever
//! process made it happen. An event says "look again" and is no state of its own: who missed some looks at the records.
//!
//! Events are found by their time. A transaction may commit a little after the time that its events carry, so each look
//! goes back [`OVERLAP_MS`] behind the newest event and leaves out what was told already. Who resumes behind an event may
//! be told the events of that span once more, under the same ids.
//!
//! Invariants: an event is told once to who keeps following; none is left out whose transaction took less than the
//! overlap; of more than [`MOST`] new events at once none is told, but that there were too many.

use std::collections::BTreeSet;

use plimsoll_core::digest::Hashing;
use plimsoll_core::sync::history::RecordDiff;
use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_core::value::Value;
use serde_json::{Value as Json, json};

use super::declare::Link;
use crate::change::cells::{Cells, number};
use crate::clock::instant;
use crate::error::EngineError;
use crate::session::Session;

/// How far behind the newest event each look goes back, in milliseconds.
pub const OVERLAP_MS: i64 = 5_000;
/// The most events of one look.
pub const MOST: u64 = 5_000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SyncEvent {
    /// Its id: the time, and what tells it from others of that time.
    pub id: String,
    /// When.
    pub at: String,
    /// What: `changed` (a record's row), `pulled`, or the kind of a happening such as `queued`, `sent`, `conflict`.
    pub kind: String,
    /// The record; none for a pull.
    pub key: Option<String>,
    /// Where the edit that it is about stands from now on: queued, syncing, limbo, synced, conflict, failed, discarded.
    /// None where it says nothing about an edit.
    pub state: Option<&'static str>,
    /// Who let it happen; `remote` for the other side.
    pub actor: String,
    /// In detail.
    pub detail: Json,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// New events, oldest first.
    Events(Vec<SyncEvent>),
    /// More than [`MOST`]: whoever follows has to look at everything again. It goes on behind this moment.
    TooMany(String),
}

/// Somebody's place in the stream.
#[derive(Debug, Clone)]
pub struct Follower {
    /// The time of the newest event that was told.
    from: String,
    /// Nothing before this is told.
    floor: String,
    /// Ids that were told and may be found again.
    told: BTreeSet<String>,
}

impl Follower {
    /// Begins behind everything that has happened.
    ///
    /// # Errors
    /// When the store fails.
    pub fn now(session: &mut Session, link: &dyn Link) -> Result<Self, EngineError> {
        let mut follower = Self::at(session.clock.now());
        // What is there already is not new; what commits late is.
        let since = bound(&follower.from)?;
        let there = read(session, link, &since)?;
        follower.told.extend(there.into_iter().map(|event| event.id));
        Ok(follower)
    }

    fn at(from: String) -> Self {
        Self { from, floor: String::new(), told: BTreeSet::new() }
    }

    /// Goes on behind an event.
    ///
    /// # Errors
    /// Usage when this is no id of an event.
    pub fn after(id: &str) -> Result<Self, EngineError> {
        let wrong = || {
            EngineError::usage(format!(
                "`{id:.64}` is no id of an event\nhint: send the last id that was received"
            ))
        };
        let (at, _) = id.split_once('/').ok_or_else(wrong)?;
        instant(at).map_err(|_| wrong())?;
        let mut follower = Self::at(at.to_owned());
        follower.told.insert(id.to_owned());
        Ok(follower)
    }

    /// Whether this event was told already; from now on it was.
    pub fn is_new(&mut self, id: &str) -> bool {
        self.told.insert(id.to_owned())
    }

    /// What happened since the last look.
    ///
    /// # Errors
    /// When the store fails.
    pub fn look(&mut self, session: &mut Session, link: &dyn Link) -> Result<Found, EngineError> {
        let since = bound(&self.from)?.max(self.floor.clone());
        let found = read(session, link, &since)?;
        if found.len() as u64 > MOST {
            let now = session.clock.now();
            *self = Self { floor: now.clone(), ..Self::at(now.clone()) };
            return Ok(Found::TooMany(now));
        }
        let new: Vec<SyncEvent> = found.into_iter().filter(|event| !self.told.contains(&event.id)).collect();
        self.told.extend(new.iter().map(|event| event.id.clone()));
        if let Some(newest) = new.iter().map(|event| &event.at).max().filter(|at| **at > self.from) {
            self.from.clone_from(newest);
        }
        // What no look can find any more need not be remembered.
        self.told = self.told.split_off(&bound(&self.from)?);
        Ok(Found::Events(new))
    }
}

/// The time from which a look reads.
fn bound(from: &str) -> Result<String, EngineError> {
    let back = jiff::SignedDuration::from_millis(OVERLAP_MS);
    let since = instant(from)?.checked_sub(back).unwrap_or(jiff::Timestamp::MIN);
    // Without its last sign, it sorts before every time of that millisecond.
    Ok(format!("{since:.3}").trim_end_matches('Z').to_owned())
}

fn id(at: &str, source: &str, key: &str, count: u64) -> String {
    let mut hashing = Hashing::new("sync event");
    hashing.part(source.as_bytes()).part(key.as_bytes()).part(&count.to_be_bytes());
    let digest = hashing.hex();
    format!("{at}/{}", digest.get(..16).unwrap_or(&digest))
}

/// Where an edit stands once this has happened to its operation.
fn state_after(kind: &str) -> Option<OutboxState> {
    match kind {
        "queued" | "requeued" => Some(OutboxState::Queued),
        "sent" => Some(OutboxState::Syncing),
        "limbo" => Some(OutboxState::Limbo),
        "arrived" | "already_there" => Some(OutboxState::Synced),
        "conflict" => Some(OutboxState::Conflict),
        "dead_letter" => Some(OutboxState::Failed),
        "gave_way" | "discarded" | "dropped" => Some(OutboxState::Discarded),
        _ => None,
    }
}

/// Everything since a time, oldest first; of each kind one more than the most.
fn read(session: &mut Session, link: &dyn Link, since: &str) -> Result<Vec<SyncEvent>, EngineError> {
    let parameters = [Value::text(link.name()), Value::text(since), number(MOST + 1)];
    let mut events = Vec::new();
    let sql = "SELECT at, record_key, version, actor, because, difference FROM plimsoll_sync_history
        WHERE link = $1 AND at >= $2 ORDER BY at, record_key, version LIMIT $3";
    for row in session.store.query(sql, &parameters)? {
        let cells = Cells(row);
        let (at, key, version) = (cells.text(0)?, cells.text(1)?, cells.count(2)?);
        let difference: RecordDiff = serde_json::from_str(&cells.text(5)?)?;
        let fields: Vec<&String> = difference.fields.keys().collect();
        events.push(SyncEvent {
            id: id(&at, "version", &key, version),
            kind: "changed".into(),
            state: None,
            actor: cells.text(3)?,
            detail: json!({
                "version": version, "because": cells.text(4)?, "fields": fields,
                "was_there": difference.was_there, "is_there": difference.is_there,
            }),
            key: Some(key),
            at,
        });
    }
    let sql = "SELECT at, record_key, number, actor, kind, detail FROM plimsoll_sync_happening
        WHERE link = $1 AND at >= $2 ORDER BY at, record_key, number LIMIT $3";
    for row in session.store.query(sql, &parameters)? {
        let cells = Cells(row);
        let (at, key, count) = (cells.text(0)?, cells.text(1)?, cells.count(2)?);
        let (kind, detail) = (cells.text(4)?, cells.text(5)?);
        events.push(SyncEvent {
            id: id(&at, "happening", &key, count),
            state: state_after(&kind).map(OutboxState::as_str),
            kind,
            actor: cells.text(3)?,
            detail: serde_json::from_str(&detail).unwrap_or(Json::String(detail)),
            key: Some(key).filter(|key| !key.is_empty()),
            at,
        });
    }
    // Of one moment the version stands before what followed from it.
    events.sort_by(|a, b| a.at.cmp(&b.at));
    Ok(events)
}
