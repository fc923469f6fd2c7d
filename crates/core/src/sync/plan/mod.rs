//! The planner: what follows from an event for one record.
//!
//! Owns the events, the actions and [`step`], which turns a record and an event into the next record and what is to be
//! done. It does nothing itself: the caller stores the record and the actions in one transaction and carries the
//! actions out afterwards. `local` holds what people do, `remote` what the other side says, `settle` the merge that
//! both end in.
//!
//! What becomes of a request is known by the values of the row, and the answer to one copy of a request says nothing of
//! another copy. Increments are the exception: no value shows whether one is in it. So whatever was answered, short of an
//! acknowledgement, an increment that went out stays noted (`Operation::exposed`) until the row that it expected is left
//! behind, and from then on one rule holds: if the remote, asked after the row had moved, tells what became of the
//! operation, that counts; otherwise a person is asked, and shown the two sums that may be right.
//!
//! Invariants: the result depends on the arguments only; a refused event changes nothing; a stale, doubled or late
//! observation changes nothing; nothing is sent while a conflict is open or while something else is on its way; no
//! operation of unknown outcome is sent again before it was read back; an increment that went out is merged with a row
//! that moved only when the remote tells what became of it, and otherwise a person does.

mod local;
mod remote;
mod settle;

use serde::{Deserialize, Serialize};

use super::conflict::Answer;
use super::field::{LinkShape, Rules};
use super::hybrid::HybridTime;
use super::merge::Lost;
use super::outbox::{IllegalEvent, OutboxEvent, OutboxState};
use super::record::{Edit, Expected, Fields, Operation, OperationId, RowState, SyncRecord};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A person edits fields, or goes on editing the draft of the same id.
    Draft {
        /// The edit.
        edit: Edit,
        /// When.
        at: HybridTime,
        /// The new values.
        fields: Fields,
    },
    /// A person deletes the row, as a draft.
    DraftDelete {
        /// The edit.
        edit: Edit,
    },
    /// A row that both sides may write was changed on this one, outside of drafts: the edit counts at once, and is merged
    /// by what its author saw.
    Made {
        /// The edit.
        edit: Edit,
        /// When.
        at: HybridTime,
        /// The row as its author saw it; `None` for a row that was not there.
        seen: Option<Fields>,
        /// The new values of the fields that changed; `None` deletes the row.
        fields: Option<Fields>,
    },
    /// The draft counts from now on.
    Commit {
        /// The edit's id.
        edit: String,
    },
    /// The draft is dropped.
    Discard {
        /// The edit's id.
        edit: String,
    },
    /// A worker that holds the lease asks for the next request.
    Send,
    /// A pull or a notification showed the row, its deletion or its disappearance.
    Observed(RowState),
    /// The remote applied the operation; `current` is the row it answered with.
    Acknowledged {
        /// The operation.
        operation: OperationId,
        /// The row.
        current: RowState,
    },
    /// The remote's row was not the expected one (409, 412).
    Rejected {
        /// The operation.
        operation: OperationId,
        /// The row, read after the rejection.
        current: RowState,
    },
    /// The remote will never take it (other 4xx).
    Refused {
        /// The operation.
        operation: OperationId,
        /// What the remote said.
        reason: String,
    },
    /// No answer, or one that does not say whether it was applied (5xx, timeout).
    Unknown {
        /// The operation.
        operation: OperationId,
        /// What was seen.
        reason: String,
    },
    /// What answered did not take the request (429, 401), or its row could not be read after a rejection. That is said of
    /// one copy: something on the way may have repeated the request and had the other one applied.
    TurnedAway {
        /// The operation.
        operation: OperationId,
        /// What was said.
        reason: String,
    },
    /// The attempt never left this machine (breaker open, no connection): it certainly was not applied.
    Postponed {
        /// The operation.
        operation: OperationId,
        /// Why.
        reason: String,
    },
    /// The row was read because of [`Action::ReadBack`].
    ReadBack {
        /// The operation.
        operation: OperationId,
        /// The attempt that the read was asked for.
        attempt: u32,
        /// The row.
        current: RowState,
        /// Whether the remote knows the operation, where it can tell.
        applied: Option<bool>,
    },
    /// The attempts are used up.
    GiveUp {
        /// The operation.
        operation: OperationId,
        /// Why.
        reason: String,
    },
    /// The program started again and finds the record as it was stored.
    Recover,
    /// A person decides the conflict.
    Answer(Answer),
    /// A person sends a dead letter again.
    Requeue {
        /// The operation.
        operation: OperationId,
    },
    /// A person drops a dead letter.
    Dismiss {
        /// The operation.
        operation: OperationId,
    },
}

/// A request to the remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The idempotency key.
    pub operation: OperationId,
    /// What the remote must hold.
    pub expected: Expected,
    /// The fields to write; `None` deletes the row.
    pub fields: Option<Fields>,
    /// Counts the attempts of the operation, and of what it was merged from.
    pub attempt: u32,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The remote applied it.
    Arrived,
    /// The remote holds what it wanted, by whomever.
    AlreadyThere,
    /// It gave way: to a policy, or to a person's decision. The values are journaled.
    GaveWay,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Store the mirror row.
    WriteMirror(RowState),
    /// The operation may be sent.
    Enqueue(OperationId),
    /// The edit travels in an operation that carries earlier ones.
    Coalesce {
        /// The operation.
        operation: OperationId,
        /// The edit's id.
        edit: String,
    },
    /// Send the request.
    Dispatch(Dispatch),
    /// Read the row, to learn what became of the operation.
    ReadBack {
        /// The operation.
        operation: OperationId,
        /// The attempt.
        attempt: u32,
    },
    /// A conflict is new.
    RaiseConflict(u64),
    /// A conflict changed; answers to the former revision are void.
    ReopenConflict(u64),
    /// A conflict is over.
    CloseConflict(u64),
    /// The operation waits for a person.
    DeadLetter {
        /// The operation.
        operation: OperationId,
        /// Why.
        reason: String,
    },
    /// Write the losing value to the journal.
    Journal(Lost),
    /// The operation is over.
    Settle {
        /// The operation.
        operation: OperationId,
        /// The ids of the edits in it.
        edits: Vec<String>,
        /// How.
        outcome: Outcome,
    },
}

/// The result of [`step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The record afterwards.
    pub record: SyncRecord,
    /// What is to be done, in order.
    pub actions: Vec<Action>,
}

/// Why an event is refused. The record stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The operation's state does not allow it.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// The record waits for a decision.
    #[error("the record has open conflict {0}\nhint: decide it first; drafts are kept")]
    ConflictOpen(u64),
    /// Another local edit changed what the draft is based on.
    #[error("`{}` changed here since the draft was begun\nhint: look at the new values and draft again", .0.join("`, `"))]
    Stale(Vec<String>),
    /// The row as it would be breaks a rule.
    #[error("{0}\nhint: change the fields named and try again")]
    Broken(String),
    /// A local deletion is under way.
    #[error("the record is deleted here\nhint: wait until the deletion is through, then create it anew")]
    Deleted,
    /// A forward-only field would go back.
    #[error("`{field}` cannot go from {from} to {to}\nhint: it only moves forward, in its declared order")]
    NotForward {
        /// The field.
        field: String,
        /// Its value.
        from: String,
        /// The value asked for.
        to: String,
    },
    /// There is no such thing.
    #[error("there is no {what} `{id}`\nhint: it may be settled already; read the record again")]
    Missing {
        /// A draft, conflict or dead letter.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The conflict is not the one that was shown.
    #[error("the conflict changed: revision {shown} was shown, {now} is open\nhint: look at the new values")]
    Moved {
        /// The revision that the answer names.
        shown: u64,
        /// The open one.
        now: u64,
    },
    /// The answer does not fit the kind of conflict.
    #[error("the row is deleted on one side, so a single value is no answer\nhint: choose mine or theirs")]
    NeedsSide,
    /// Nothing may be sent.
    #[error("nothing is ready to be sent\nhint: wait for an enqueue action")]
    NothingToSend,
    /// Another operation is under way.
    #[error("another operation of the record is under way\nhint: wait until it is settled")]
    Busy,
}

/// What follows from `event` for `record`.
///
/// # Errors
/// [`PlanError`] when the event is not allowed; nothing has changed then.
pub fn step(
    shape: &LinkShape,
    rules: &dyn Rules,
    record: &SyncRecord,
    event: Event,
) -> Result<Step, PlanError> {
    let mut planner = Planner { shape, rules, record: record.clone(), actions: Vec::new() };
    planner.take(event)?;
    Ok(Step { record: planner.record, actions: planner.actions })
}

/// A record on its way from one state to the next.
struct Planner<'a> {
    shape: &'a LinkShape,
    rules: &'a dyn Rules,
    record: SyncRecord,
    actions: Vec<Action>,
}

impl Planner<'_> {
    fn take(&mut self, event: Event) -> Result<(), PlanError> {
        match event {
            Event::Draft { edit, at, fields } => self.draft(edit, &at, fields),
            Event::DraftDelete { edit } => self.draft_delete(edit),
            Event::Made { edit, at, seen, fields } => self.made(edit, &at, seen, fields),
            Event::Commit { edit } => self.commit(&edit),
            Event::Discard { edit } => self.discard(&edit),
            Event::Send => self.send(),
            Event::Observed(state) => self.observed(state),
            Event::Acknowledged { operation, current } => self.acknowledged(&operation, current),
            Event::Rejected { operation, current } => self.rejected(&operation, current),
            Event::Refused { operation, reason } => self.refused(&operation, reason),
            Event::Unknown { operation, reason } => self.unknown(&operation, reason),
            Event::TurnedAway { operation, reason } => self.turned_away(&operation, reason),
            Event::Postponed { operation, reason } => self.postponed(&operation, reason),
            Event::ReadBack { operation, attempt, current, applied } => {
                self.read_back(&operation, attempt, current, applied)
            }
            Event::GiveUp { operation, reason } => self.give_up(&operation, reason),
            Event::Recover => self.recover(),
            Event::Answer(answer) => self.answer(&answer),
            Event::Requeue { operation } => self.requeue(&operation),
            Event::Dismiss { operation } => self.dismiss(&operation),
        }
    }

    /// Hands out the next request: a repeated one before a new one.
    fn send(&mut self) -> Result<(), PlanError> {
        let overlay = &mut self.record.overlay;
        let next = overlay.sending.take().or_else(|| overlay.pending.take());
        let mut operation = next.ok_or(PlanError::NothingToSend)?;
        operation.state = operation.state.after(OutboxEvent::Send)?;
        operation.attempts += 1;
        self.actions.push(Action::Dispatch(Dispatch {
            operation: operation.id.clone(),
            expected: operation.expected,
            fields: operation.intent.over(None),
            attempt: operation.attempts,
        }));
        self.record.overlay.sending = Some(operation);
        Ok(())
    }

    /// Lets what was committed later travel in an operation that has to be sent, and tells so: an earlier value of the same
    /// field never reaches the remote then, and that is its only explanation.
    fn join(&mut self, mut operation: Operation, later: Operation) -> Operation {
        for edit in &later.edits {
            let (operation, edit) = (operation.id.clone(), edit.id.clone());
            self.actions.push(Action::Coalesce { operation, edit });
        }
        operation.intent = operation.intent.then(later.intent);
        operation.edits.extend(later.edits);
        operation
    }

    /// After a restart nobody waits for the answer any more, so its outcome is unknown.
    fn recover(&mut self) -> Result<(), PlanError> {
        let under_way =
            |operation: &&Operation| matches!(operation.state, OutboxState::Syncing | OutboxState::Limbo);
        let lost = self.record.overlay.sending.as_ref().filter(under_way);
        let Some(id) = lost.map(|operation| operation.id.clone()) else { return Ok(()) };
        self.unknown(&id, "the program ended before the answer came".into())
    }
}
