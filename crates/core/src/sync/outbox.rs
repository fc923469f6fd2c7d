//! The outbox: where an operation stands, and which event may move it where.
//!
//! Owns the states, the events and the one table of transitions. It does not decide which event happens; the planner
//! does. An event that a state does not allow is an error, never ignored: it means that two parts of the program
//! disagree about what was sent.
//!
//! ```text
//! draft -> committed -> queued -> syncing -> synced
//!   |                   ^ |  ^      |  |-> limbo (outcome unknown; read back before anything else)
//!   v                   | v  |      |  |-> conflict (a person decides)
//! discarded             | failed <--+--+   (dead letter: visible, can be queued again)
//!                       +-- conflict, limbo, failed
//! ```
//!
//! Invariants: an operation has one state, in one place; nothing leads out of `synced` and `discarded`; `syncing` is
//! left by an answer, or by the admission that there is none.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Seen by its author only.
    Draft,
    /// Everyone's from now on; waits until what was sent before it is settled.
    Committed,
    /// May be sent.
    Queued,
    /// On its way.
    Syncing,
    /// At the remote.
    Synced,
    /// Both sides changed, or a rule broke: a person decides.
    Conflict,
    /// A dead letter: refused for good, or given up.
    Failed,
    /// Sent, outcome unknown.
    Limbo,
    /// Taken back, or given up in favor of the other side's value, which the journal says.
    Discarded,
}

impl OutboxState {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::Draft,
        Self::Committed,
        Self::Queued,
        Self::Syncing,
        Self::Synced,
        Self::Conflict,
        Self::Failed,
        Self::Limbo,
        Self::Discarded,
    ];

    /// The word used in SQL, reports and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Committed => "committed",
            Self::Queued => "queued",
            Self::Syncing => "syncing",
            Self::Synced => "synced",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
            Self::Limbo => "limbo",
            Self::Discarded => "discarded",
        }
    }

    /// Whether nothing happens to the operation any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Synced | Self::Discarded)
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalEvent`] when the state does not allow it.
    pub fn after(self, event: OutboxEvent) -> Result<Self, IllegalEvent> {
        let row = TRANSITIONS.iter().find(|(from, by, _)| *from == self && *by == event);
        row.map(|(_, _, to)| *to).ok_or(IllegalEvent { state: self, event })
    }
}

impl fmt::Display for OutboxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can happen to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutboxEvent {
    /// Its author commits it.
    Commit,
    /// Its author, or a person who decides, takes it back.
    Discard,
    /// It fits the remote's state as we know it.
    Enqueue,
    /// A worker sends it.
    Send,
    /// It is at the remote: acknowledged, or recognized there.
    Arrive,
    /// The remote moved while it was on its way; it was merged anew and fits.
    Rebase,
    /// The merge needs a person.
    Clash,
    /// A merge gave way to the other side by policy.
    Yield,
    /// The request did not go out (breaker open, no connection), or was turned away (429): it waits for its next
    /// attempt.
    Postpone,
    /// No answer, or one that says nothing (5xx).
    LoseAnswer,
    /// Read back: it did not arrive.
    Repeat,
    /// The remote refuses it for good, or the attempts are used up.
    Fail,
    /// A person decided a conflict, or sends a dead letter again.
    Requeue,
}

impl OutboxEvent {
    /// All events.
    pub const ALL: [Self; 13] = [
        Self::Commit,
        Self::Discard,
        Self::Enqueue,
        Self::Send,
        Self::Arrive,
        Self::Rebase,
        Self::Clash,
        Self::Yield,
        Self::Postpone,
        Self::LoseAnswer,
        Self::Repeat,
        Self::Fail,
        Self::Requeue,
    ];
}

/// Every transition that there is. What is not here is an error.
pub const TRANSITIONS: [(OutboxState, OutboxEvent, OutboxState); 37] = {
    use OutboxEvent as Event;
    use OutboxState as State;
    [
        (State::Draft, Event::Commit, State::Committed),
        (State::Draft, Event::Discard, State::Discarded),
        (State::Committed, Event::Enqueue, State::Queued),
        (State::Committed, Event::Arrive, State::Synced),
        (State::Committed, Event::Clash, State::Conflict),
        (State::Committed, Event::Yield, State::Discarded),
        (State::Committed, Event::Rebase, State::Committed),
        (State::Queued, Event::Send, State::Syncing),
        (State::Queued, Event::Enqueue, State::Queued),
        // What waits for its second attempt may yet arrive by its first, and be answered late in any way.
        (State::Queued, Event::Arrive, State::Synced),
        (State::Queued, Event::Rebase, State::Committed),
        (State::Queued, Event::Clash, State::Conflict),
        (State::Queued, Event::Yield, State::Discarded),
        (State::Queued, Event::Fail, State::Failed),
        (State::Queued, Event::LoseAnswer, State::Limbo),
        (State::Queued, Event::Postpone, State::Queued),
        (State::Syncing, Event::Arrive, State::Synced),
        (State::Syncing, Event::Rebase, State::Committed),
        (State::Syncing, Event::Postpone, State::Queued),
        (State::Syncing, Event::LoseAnswer, State::Limbo),
        (State::Syncing, Event::Fail, State::Failed),
        (State::Limbo, Event::Arrive, State::Synced),
        (State::Limbo, Event::Repeat, State::Queued),
        (State::Limbo, Event::Rebase, State::Committed),
        (State::Limbo, Event::Fail, State::Failed),
        (State::Limbo, Event::LoseAnswer, State::Limbo),
        // An answer to one attempt says nothing about another of the same operation.
        (State::Limbo, Event::Postpone, State::Limbo),
        (State::Conflict, Event::Clash, State::Conflict),
        (State::Conflict, Event::Enqueue, State::Queued),
        (State::Conflict, Event::Arrive, State::Synced),
        (State::Conflict, Event::Yield, State::Discarded),
        (State::Conflict, Event::Requeue, State::Committed),
        (State::Conflict, Event::Discard, State::Discarded),
        (State::Conflict, Event::Fail, State::Failed),
        (State::Failed, Event::Requeue, State::Committed),
        (State::Failed, Event::Discard, State::Discarded),
        (State::Failed, Event::Fail, State::Failed),
    ]
};

/// An event that the state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an operation that is {state} cannot take the event {event:?}\n\
     hint: read the record again and act on its state as it is now"
)]
pub struct IllegalEvent {
    /// The state.
    pub state: OutboxState,
    /// The event.
    pub event: OutboxEvent,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_pair_is_a_row_of_the_table_or_an_error() {
        let mut seen = HashSet::new();
        for state in OutboxState::ALL {
            for event in OutboxEvent::ALL {
                match state.after(event) {
                    Ok(to) => assert!(seen.insert((state, event, to))),
                    Err(error) => assert!(error.to_string().contains("hint:")),
                }
            }
            let leads_out = TRANSITIONS.iter().any(|(from, _, _)| *from == state);
            assert_eq!(leads_out, !state.is_final(), "{state}");
        }
        assert_eq!(seen.len(), TRANSITIONS.len(), "no row is doubled or hidden");
        for state in OutboxState::ALL {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }

    #[test]
    fn from_every_state_an_end_or_a_person_can_be_reached() {
        for start in OutboxState::ALL {
            let mut reached = HashSet::from([start]);
            for _ in OutboxState::ALL {
                let next = TRANSITIONS.iter().filter(|(from, _, _)| reached.contains(from));
                let next: Vec<OutboxState> = next.map(|(_, _, to)| *to).collect();
                reached.extend(next);
            }
            assert!(reached.iter().any(|state| state.is_final()), "{start}");
        }
    }
}
