//! Playbooks: plan documents whose steps are executable.
//!
//! Owns the document's form, lint and template, the registry of plans, running with a journal, taking back, approvals,
//! the register of risks, and reports. It runs nothing itself: a [`Host`] runs this program's own commands.
//!
//! Reading order: `document`, `words`, `host`, `journal`, `catalog`, `run`, `rollback`, `lint`, `template`, `risk`,
//! `weekly`.
//!
//! Invariants: no shell is ever involved; what is done is on record before it begins; a step that changes data does not
//! begin without a backup made in the same run; a run on a simulated clock is a rehearsal, is labelled as one, and moves
//! no plan.

mod catalog;
mod document;
mod host;
mod journal;
mod lint;
mod risk;
mod rollback;
mod run;
mod schema;
mod template;
mod weekly;
mod words;

#[cfg(test)]
mod tests;

pub use catalog::{
    Playbooks, Registered, SHIPPED, StartSettings, approve, change_state, complete, registry, start, state,
};
pub use document::{
    Document, DocumentKind, FrontMatter, ParameterDeclaration, Step, StepKind, Task, TaskState,
};
pub use host::{Alarm, Ended, Host};
pub use journal::{Entry, PlaybookRun, PlaybookStatus, entries, find_run, request_pause, runs};
pub use lint::{Problem, lacking, lint};
pub use risk::{PRIORITIES, Risk, STATES, find_risk, new_risk, put_risk, risks};
pub use run::Runner;
pub use schema::SCHEMA;
pub use template::new_document;
pub use weekly::{GateLine, Weekly, run_markdown, run_report, weekly};

use std::sync::Arc;

use plimsoll_core::clock::Clock;

use crate::error::EngineError;

/// A clock whose waiting takes no time: it begins at `now` and moves by what is slept.
///
/// # Errors
/// Integrity when `now` is no time.
pub fn simulated_clock(now: &str) -> Result<Arc<dyn Clock>, EngineError> {
    Ok(Arc::new(crate::trial::clock::TrialClock::at(now)?))
}
