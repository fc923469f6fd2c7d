//! Two-way sync of records with a remote, as pure decisions.
//!
//! Owns the state of a record between two sides, the three-way merge, the planner that turns an observation into the
//! next state and what is to be done, the outbox's state machine, and the rules of waiting. It deliberately does not
//! send, store, wait or ask the time: an adapter speaks to the remote, the engine stores the record and the actions in
//! one transaction, and all times and chances are arguments.
//!
//! Reading order: [`record`] (base, mirror, overlay), [`field`] (units, classes, policies), [`merge`], [`conflict`],
//! [`outbox`], [`plan`]; beside them [`hybrid`], [`vanish`], [`history`], [`lease`], [`retry`], [`breaker`], [`rate`];
//! [`simulate::simulate`] runs all of it against a remote that misbehaves.
//!
//! Invariants: an edit that was committed is at the remote, or waits visibly, or gave way by a policy or a decision
//! that the journal names; an operation has at most one effect; values are compared before versions, so neither an
//! echo nor a lost acknowledgement causes a write; after the last event everything comes to rest.

pub mod breaker;
pub mod conflict;
pub mod field;
pub mod history;
pub mod hybrid;
pub mod lease;
pub mod merge;
pub mod outbox;
pub mod plan;
pub mod rate;
pub mod record;
pub mod retry;
pub mod simulate;
pub mod vanish;

#[cfg(test)]
mod tests;
