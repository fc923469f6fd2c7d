//! The one transaction: an event, and everything that follows from it.
//!
//! Owns running the planner on a stored record and storing what it says: the line, the mirror row, the edits, the
//! history, the conflicts, what was lost and when a worker has to look again. Whoever wants something to happen to a
//! record comes through here.
//!
//! Invariants:
//! - A refused event changes nothing.
//! - A change that everyone here can see is one version of the record's history, and tells who made it and why.
//! - A record that has something to send is due; one that waits for a person or for nothing is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_core::sync::conflict::{Answer, Conflict, Pick};
use plimsoll_core::sync::lease::LeaseError;
use plimsoll_core::sync::merge::Side;
use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_core::sync::plan::{Action, Event, Outcome, PlanError, step};
use plimsoll_core::sync::record::{Operation, SyncRecord};
use plimsoll_core::value::Value;
use plimsoll_store::{Access, ErrorClass, Store, in_transaction};

use super::declare::Link;
use super::journal::{happen, write_history};
use super::record::{self, Kept};
use super::{milliseconds, now_ms};
use crate::change::cells::{Cells, number};
use crate::error::{EngineError, ErrorKind};
use crate::pilot::due::make_due;
use crate::session::{Session, taken_back};

/// How often a transaction that met another one is tried.
const TRIES: u32 = 5;

/// Who lets something happen, and why, for the history.
#[derive(Debug, Clone, Copy)]
pub struct Because<'a> {
    /// Who.
    pub actor: &'a str,
    /// Why, in a few words.
    pub why: &'a str,
}

/// What followed.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The record afterwards.
    pub record: SyncRecord,
    /// What is to be done, in order.
    pub actions: Vec<Action>,
}

impl From<PlanError> for EngineError {
    fn from(error: PlanError) -> Self {
        let kind = match error {
            PlanError::Missing { .. } | PlanError::NotForward { .. } | PlanError::NeedsSide => {
                ErrorKind::Usage
            }
            PlanError::Illegal(_) => ErrorKind::Integrity,
            _ => ErrorKind::Refused,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<LeaseError> for EngineError {
    fn from(error: LeaseError) -> Self {
        Self { class: Some(ErrorClass::Refused), ..Self::refused(error.to_string()) }
    }
}

/// Whether the record is another worker's now.
pub(super) fn is_fenced(error: &EngineError) -> bool {
    error.kind == ErrorKind::Refused && error.class == Some(ErrorClass::Refused)
}

/// Lets an event happen to a record, in a transaction of its own.
///
/// # Errors
/// Refused or usage, as the planner says; store errors.
pub fn take(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    event: &Event,
    because: Because<'_>,
) -> Result<Taken, EngineError> {
    transact(session, |store, now| {
        let mut kept = record::lock(store, link, key, now)?;
        let taken = advance(store, link, &mut kept, event.clone(), because, now)?;
        record::keep(store, link, &kept, now)?;
        Ok(taken)
    })
}

/// Runs a transaction, and runs it again when another one was in its way. Passes `sync:committing` before each commit.
///
/// The moment is asked for once the transaction has begun: where the database lets one writer in at a time, moments
/// stand in the order in which transactions commit.
pub(crate) fn transact<T>(
    session: &mut Session,
    mut work: impl FnMut(&mut dyn Store, &str) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let (clock, probe) = (Arc::clone(&session.clock), Arc::clone(&session.probe));
    let mut tries = 1;
    loop {
        let done = in_transaction(session.store.as_mut(), Access::ReadWrite, |store| {
            let done = work(store, &clock.now())?;
            probe.reach("sync:committing")?;
            Ok::<T, EngineError>(done)
        });
        match done {
            Err(error) if error.class == Some(ErrorClass::Contention) && tries < TRIES => {
                session.clock.sleep_ms(u64::from(tries) * 5);
                tries += 1;
            }
            result => return result,
        }
    }
}

/// Runs a transaction and takes it back: what it would say, without doing it.
pub(super) fn rehearse<T>(
    session: &mut Session,
    work: impl FnOnce(&mut dyn Store, &str) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let clock = Arc::clone(&session.clock);
    taken_back(session.store.as_mut(), |store| work(store, &clock.now()))
}

/// Runs a transaction, or only rehearses it.
pub(super) fn perhaps<T>(
    session: &mut Session,
    dry_run: bool,
    work: impl FnMut(&mut dyn Store, &str) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    if dry_run { rehearse(session, work) } else { transact(session, work) }
}

/// Lets an event happen to a locked record and stores what follows, but for the line itself.
pub(crate) fn advance(
    store: &mut dyn Store,
    link: &dyn Link,
    kept: &mut Kept,
    event: Event,
    because: Because<'_>,
    now: &str,
) -> Result<Taken, EngineError> {
    let before = kept.record.clone();
    let mut actions = Vec::new();
    let mut next = Some(event);
    while let Some(event) = next.take() {
        let stepped = step(link.shape(), link.rules(), &kept.record, event)?;
        kept.record = stepped.record;
        for action in &stepped.actions {
            carry_out(store, link, kept, action, because, now)?;
        }
        // A rule that a person left behind answers a new conflict at once.
        let asked = stepped
            .actions
            .iter()
            .any(|action| matches!(action, Action::RaiseConflict(_) | Action::ReopenConflict(_)));
        actions.extend(stepped.actions);
        if asked && let Some(answer) = ruled(store, link, kept)? {
            happen(store, link, &kept.key, "ruled", &serde_json::to_string(&answer)?, because, now)?;
            next = Some(Event::Answer(answer));
        }
    }
    tell_edits(store, link, &before, kept, now)?;
    tell_history(store, link, &before, kept, because, now)?;
    kept.due_ms = due(&kept.record, milliseconds(now), kept.due_ms);
    Ok(Taken { record: kept.record.clone(), actions })
}

/// When a worker has to look: at once where something may be sent or read back, at the end of its lease while an answer
/// is awaited. The worker itself puts it off after a failure.
fn due(record: &SyncRecord, now_ms: u64, known: Option<u64>) -> Option<u64> {
    let waits = |operation: &Operation| match operation.state {
        OutboxState::Queued | OutboxState::Limbo | OutboxState::Syncing => Some(known.unwrap_or(now_ms)),
        _ => None,
    };
    let overlay = &record.overlay;
    match &overlay.sending {
        Some(operation) => waits(operation),
        None => overlay.pending.as_ref().and_then(waits),
    }
}

fn carry_out(
    store: &mut dyn Store,
    link: &dyn Link,
    kept: &Kept,
    action: &Action,
    because: Because<'_>,
    now: &str,
) -> Result<(), EngineError> {
    let key = kept.key.as_str();
    match action {
        Action::WriteMirror(state) => record::write_mirror(store, link, key, &kept.scope, state, now),
        Action::RaiseConflict(revision) | Action::ReopenConflict(revision) => {
            let Some(conflict) = &kept.record.conflict else { return Ok(()) };
            close(store, link, key, "changed", None, now)?;
            let sql =
                "INSERT INTO plimsoll_sync_conflict (link, record_key, revision, scope, question, opened_at)
                VALUES ($1, $2, $3, $4, $5, $6)";
            let parameters = [
                Value::text(link.name()),
                Value::text(key),
                number(*revision),
                Value::text(kept.scope.as_str()),
                Value::text(serde_json::to_string(conflict)?),
                Value::text(now),
            ];
            store.execute(sql, &parameters)?;
            happen(store, link, key, "conflict", &format!("revision {revision}"), because, now)
        }
        Action::CloseConflict(revision) => {
            close(store, link, key, because.actor, None, now)?;
            happen(store, link, key, "conflict_closed", &format!("revision {revision}"), because, now)
        }
        Action::DeadLetter { operation, reason } => {
            happen(store, link, key, "dead_letter", &format!("{operation}: {reason}"), because, now)
        }
        Action::Journal(lost) => {
            let side = match lost.side {
                Side::Mine => "lost_mine",
                Side::Theirs => "lost_theirs",
            };
            happen(store, link, key, side, &serde_json::to_string(lost)?, because, now)
        }
        Action::Settle { operation, edits, outcome } => {
            let (state, word) = match outcome {
                Outcome::Arrived => (OutboxState::Synced, "arrived"),
                Outcome::AlreadyThere => (OutboxState::Synced, "already_there"),
                Outcome::GaveWay => (OutboxState::Discarded, "gave_way"),
            };
            for edit in edits {
                settle_edit(store, link, edit, state, word, now)?;
            }
            happen(store, link, key, word, &operation.to_string(), because, now)
        }
        Action::Dispatch(dispatch) => {
            let detail = format!("{} attempt {}", dispatch.operation, dispatch.attempt);
            happen(store, link, key, "sent", &detail, because, now)
        }
        Action::ReadBack { operation, attempt } => {
            happen(store, link, key, "limbo", &format!("{operation} attempt {attempt}"), because, now)
        }
        Action::Enqueue(operation) => {
            happen(store, link, key, "queued", &operation.to_string(), because, now)
        }
        Action::Coalesce { operation, edit } => {
            happen(store, link, key, "coalesced", &format!("{edit} into {operation}"), because, now)
        }
    }
}

/// Closes what is asked about a record.
pub(super) fn close(
    store: &mut dyn Store,
    link: &dyn Link,
    key: &str,
    by: &str,
    answer: Option<&str>,
    now: &str,
) -> Result<(), EngineError> {
    let sql =
        "UPDATE plimsoll_sync_conflict SET closed_at = $3, closed_by = $4, answer = coalesce($5, answer)
        WHERE link = $1 AND record_key = $2 AND closed_at IS NULL";
    let parameters = [
        Value::text(link.name()),
        Value::text(key),
        Value::text(now),
        Value::text(by),
        Value::optional_text(answer),
    ];
    store.execute(sql, &parameters)?;
    Ok(())
}

/// The answer that rules give to the open conflict: all of its fields have one.
fn ruled(store: &mut dyn Store, link: &dyn Link, kept: &Kept) -> Result<Option<Answer>, EngineError> {
    use plimsoll_core::sync::conflict::ConflictKind;

    let Some(Conflict { revision, kind: ConflictKind::Edits, fields, .. }) = &kept.record.conflict else {
        return Ok(None);
    };
    let sql = "SELECT field, pick FROM plimsoll_sync_rule WHERE link = $1";
    let mut rules = BTreeMap::new();
    for row in store.query(sql, &[Value::text(link.name())])? {
        let cells = Cells(row);
        let pick = if cells.text(1)? == "mine" { Pick::Mine } else { Pick::Theirs };
        rules.insert(cells.text(0)?, pick);
    }
    let picks: BTreeMap<String, Pick> =
        fields.keys().filter_map(|name| Some((name.clone(), rules.get(name)?.clone()))).collect();
    if picks.len() < fields.len() || picks.is_empty() {
        return Ok(None);
    }
    for name in picks.keys() {
        let sql = "UPDATE plimsoll_sync_rule SET used = used + 1 WHERE link = $1 AND field = $2";
        store.execute(sql, &[Value::text(link.name()), Value::text(name.as_str())])?;
    }
    Ok(Some(Answer { shown: *revision, otherwise: Pick::Theirs, fields: picks }))
}

/// Each open edit of a record with its state.
fn edit_states(record: &SyncRecord) -> BTreeMap<&str, (OutboxState, Option<&str>)> {
    let overlay = &record.overlay;
    let operations =
        overlay.drafts.iter().chain(&overlay.sending).chain(&overlay.pending).chain(&record.dead_letters);
    operations
        .flat_map(|operation| {
            let state = (operation.state, operation.reason.as_deref());
            operation.edits.iter().map(move |edit| (edit.id.as_str(), state))
        })
        .collect()
}

fn tell_edits(
    store: &mut dyn Store,
    link: &dyn Link,
    before: &SyncRecord,
    kept: &Kept,
    now: &str,
) -> Result<(), EngineError> {
    let (were, are) = (edit_states(before), edit_states(&kept.record));
    for (edit, state) in are {
        if were.get(edit) == Some(&state) {
            continue;
        }
        let sql = "UPDATE plimsoll_sync_edit SET state = $3, reason = $4, changed_at = $5,
                committed_ms = CASE WHEN $3 <> 'draft' THEN coalesce(committed_ms, $6) ELSE NULL END
            WHERE link = $1 AND edit = $2";
        let parameters = [
            Value::text(link.name()),
            Value::text(edit),
            Value::text(state.0.as_str()),
            Value::optional_text(state.1),
            Value::text(now),
            number(milliseconds(now)),
        ];
        store.execute(sql, &parameters)?;
    }
    Ok(())
}

/// An edit is over.
pub(super) fn settle_edit(
    store: &mut dyn Store,
    link: &dyn Link,
    edit: &str,
    state: OutboxState,
    reason: &str,
    now: &str,
) -> Result<(), EngineError> {
    let sql = "UPDATE plimsoll_sync_edit SET state = $3, reason = $4, changed_at = $5, settled_ms = $6,
            committed_ms = coalesce(committed_ms, $6)
        WHERE link = $1 AND edit = $2";
    let parameters = [
        Value::text(link.name()),
        Value::text(edit),
        Value::text(state.as_str()),
        Value::text(reason),
        Value::text(now),
        number(milliseconds(now)),
    ];
    store.execute(sql, &parameters)?;
    Ok(())
}

fn tell_history(
    store: &mut dyn Store,
    link: &dyn Link,
    before: &SyncRecord,
    kept: &Kept,
    because: Because<'_>,
    now: &str,
) -> Result<(), EngineError> {
    let (was, is) = (before.view(), kept.record.view());
    if was != is
        && let Some(entity) = link.pilot_entity()
    {
        make_due(store, entity, &kept.key)?;
    }
    write_history(store, link, &kept.key, was.as_ref(), is.as_ref(), because, now)
}

/// Puts off a record that a worker holds, and gives it back.
pub(super) fn put_off(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    epoch: u64,
    after_ms: u64,
) -> Result<(), EngineError> {
    let due = now_ms(session).saturating_add(after_ms);
    let sql = "UPDATE plimsoll_sync_record SET due_ms = $4, lease_until_ms = 0
        WHERE link = $1 AND record_key = $2 AND lease_epoch = $3 AND due_ms IS NOT NULL";
    let parameters = [Value::text(link.name()), Value::text(key), number(epoch), number(due)];
    transact(session, |store, _| Ok(store.execute(sql, &parameters)?)).map(drop)
}
