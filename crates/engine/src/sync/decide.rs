//! Deciding on many drafts, or on many dead letters, at once.
//!
//! Owns which they are and what is told of each. Each is decided in a transaction of its own: one that is refused keeps
//! its reason and does not hold up the others.

use plimsoll_core::sync::outbox::OutboxState;

use super::declare::Link;
use super::edit::{self, EditFilter, How};
use super::status::{self, Waiting};
use crate::error::EngineError;
use crate::session::Session;

/// Which drafts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// These, by their ids.
    Edits(Vec<String>),
    /// Every draft of the session's actor.
    All,
}

/// What to do with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Make it everyone's.
    Commit,
    /// Drop it.
    Discard,
}

/// What came of one decision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Decided {
    /// The edit, or the operation of a dead letter.
    pub what: String,
    /// The record; empty for a draft that there is not.
    pub key: String,
    /// Why nothing was done, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The newest version of the record before: going back to it takes a commit back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_before: Option<u64>,
}

/// The drafts that are meant.
///
/// # Errors
/// When the store fails.
pub fn chosen(session: &mut Session, link: &dyn Link, chosen: &Chosen) -> Result<Vec<String>, EngineError> {
    match chosen {
        Chosen::Edits(edits) => Ok(edits.clone()),
        Chosen::All => {
            let actor = session.actor.clone();
            let filter = EditFilter {
                author: Some(&actor),
                state: Some(OutboxState::Draft),
                limit: u64::from(u32::MAX),
                ..EditFilter::default()
            };
            // The oldest first: what was edited first is sent first.
            let drafts = edit::list(session, link, filter)?.into_iter().rev();
            Ok(drafts.map(|draft| draft.edit).collect())
        }
    }
}

/// Commits or discards drafts.
///
/// # Errors
/// Of one draft alone, why it was refused; of several, when the store fails.
pub fn drafts(
    session: &mut Session,
    link: &dyn Link,
    edits: &[String],
    decision: Decision,
    how: How<'_>,
) -> Result<Vec<Decided>, EngineError> {
    let mut done = Vec::with_capacity(edits.len());
    for id in edits {
        let mut decided =
            Decided { what: id.clone(), key: String::new(), problem: None, version_before: None };
        let outcome = one(session, link, id, decision, how, &mut decided);
        match outcome {
            Ok(()) => {}
            Err(error) if edits.len() == 1 || error.class.is_some() => return Err(error),
            Err(error) => decided.problem = Some(error.message),
        }
        done.push(decided);
    }
    Ok(done)
}

fn one(
    session: &mut Session,
    link: &dyn Link,
    id: &str,
    decision: Decision,
    how: How<'_>,
    decided: &mut Decided,
) -> Result<(), EngineError> {
    decided.key = edit::record_of(session, link, id)?;
    match decision {
        Decision::Commit => {
            let before = super::history::newest(session, link, &decided.key)?;
            edit::commit_how(session, link, id, how)?;
            decided.version_before = Some(before);
        }
        Decision::Discard => drop(edit::discard_how(session, link, id, how)?),
    }
    Ok(())
}

/// Sends dead letters again, or drops them.
///
/// # Errors
/// When the store fails.
pub fn dead_letters(
    session: &mut Session,
    link: &dyn Link,
    waiting: &[Waiting],
    again: bool,
    how: How<'_>,
) -> Result<Vec<Decided>, EngineError> {
    let mut done = Vec::with_capacity(waiting.len());
    for waiting in waiting {
        let operation = &waiting.operation.id;
        let outcome = status::decide_dead_letter_how(session, link, &waiting.key, operation, again, how);
        let problem = match outcome {
            Ok(_) => None,
            Err(error) if error.class.is_none() => Some(error.message),
            Err(error) => return Err(error),
        };
        let (what, key) = (operation.to_string(), waiting.key.clone());
        done.push(Decided { what, key, problem, version_before: None });
    }
    Ok(done)
}

/// How many were done.
pub fn done(decided: &[Decided]) -> u64 {
    decided.iter().filter(|decided| decided.problem.is_none()).count() as u64
}
