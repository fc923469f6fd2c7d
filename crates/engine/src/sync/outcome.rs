//! What became of a request, and what a record asks for next.
//!
//! Owns turning a row, a refusal or a trouble into the planner's event, and the next step from a record's state alone. It
//! sends nothing and stores nothing; the worker does.

use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_core::sync::plan::Event;
use plimsoll_core::sync::record::{OperationId, Origin, RowState};
use plimsoll_core::table::TableShape;
use plimsoll_store::Store;

use super::declare::{Link, RemoteRow, Trouble};
use super::record::{self, Kept};
use super::worker::WorkerSettings;

/// What workers did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct WorkReport {
    /// Requests that write.
    pub sent: u64,
    /// Of them, applied.
    pub applied: u64,
    /// Of them, met by a row that moved.
    pub rejected: u64,
    /// Of them, refused for good.
    pub refused: u64,
    /// Of them, put off by the remote or for want of a right.
    pub postponed: u64,
    /// Of them, without a known outcome.
    pub unknown: u64,
    /// Rows read to learn what became of a request.
    pub read_back: u64,
    /// Given up.
    pub given_up: u64,
}

impl WorkReport {
    /// Adds another report.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.applied += other.applied;
        self.rejected += other.rejected;
        self.refused += other.refused;
        self.postponed += other.postponed;
        self.unknown += other.unknown;
        self.read_back += other.read_back;
        self.given_up += other.given_up;
    }

    pub(super) fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("sent", self.sent),
            ("applied", self.applied),
            ("rejected", self.rejected),
            ("refused", self.refused),
            ("postponed", self.postponed),
            ("unknown", self.unknown),
            ("read_back", self.read_back),
            ("given_up", self.given_up),
        ]
    }
}

/// What became of a request.
pub(super) enum Outcome {
    Row { row: Option<RemoteRow>, how: How },
    Refused { operation: OperationId, reason: String },
    Trouble { operation: OperationId, trouble: Trouble },
    Unread,
}

/// What a row answers.
pub(super) enum How {
    Acknowledged(OperationId),
    Rejected(OperationId),
    ReadBack(OperationId, u32, Option<bool>),
}

impl How {
    pub(super) fn event(
        &self,
        store: &dyn Store,
        shape: &TableShape,
        link: &dyn Link,
        kept: &Kept,
        row: Option<&RemoteRow>,
    ) -> Event {
        let mirror = &kept.record.mirror;
        let current = match row {
            Some(row) => RowState::Present(record::observed(store, shape, link, row, mirror.fields())),
            // A row that nobody ever saw, and that we did not make after all, is not gone: it was never there.
            None if *mirror == RowState::Unknown && matches!(self, Self::ReadBack(_, _, Some(false))) => {
                RowState::Unknown
            }
            None => RowState::Gone { version: mirror.version().unwrap_or_default() },
        };
        match self {
            Self::Acknowledged(operation) => Event::Acknowledged { operation: operation.clone(), current },
            Self::Rejected(operation) => Event::Rejected { operation: operation.clone(), current },
            Self::ReadBack(operation, attempt, told) => {
                // A remote that names the operation of a row proves that it was applied; another name proves nothing.
                let origin = row.map(|row| &row.origin);
                let ours = matches!(origin, Some(Origin::Operation(id)) if id == operation);
                let (operation, attempt) = (operation.clone(), *attempt);
                Event::ReadBack { operation, attempt, current, applied: ours.then_some(true).or(*told) }
            }
        }
    }
}

/// What the record asks for, by its state alone.
pub(super) enum Step {
    Event(Event),
    Read { operation: OperationId, attempt: u32 },
    Nothing,
}

pub(super) fn next_step(kept: &Kept, settings: &WorkerSettings) -> Step {
    let overlay = &kept.record.overlay;
    let next = overlay.sending.as_ref().or(overlay.pending.as_ref());
    let Some(operation) = next else { return Step::Nothing };
    match operation.state {
        OutboxState::Queued if kept.failures >= settings.retry.most_attempts => Step::Event(Event::GiveUp {
            operation: operation.id.clone(),
            reason: format!("{} requests in a row had no answer", kept.failures),
        }),
        OutboxState::Queued => Step::Event(Event::Send),
        OutboxState::Syncing => Step::Event(Event::Recover),
        OutboxState::Limbo => Step::Read { operation: operation.id.clone(), attempt: operation.attempts },
        _ => Step::Nothing,
    }
}

/// After a rejection the copy that was answered was not applied, whatever became of the reading that followed. It did
/// go out, though, even when the reading did not.
pub(super) fn not_applied(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Unknown(why) | Trouble::NotSent(why) => {
            Trouble::TurnedAway(format!("the row moved, and could not be read: {why}"))
        }
        other => other,
    }
}

/// A number that spreads the waits of records that failed together.
pub(super) fn chance(key: &str, now_ms: u64) -> u64 {
    let mut hash = now_ms ^ 0x9e37_79b9_7f4a_7c15;
    for byte in key.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^ (hash >> 29)
}
