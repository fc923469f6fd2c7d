//! What a person says about members: start, pause, resume, let on, take back.
//!
//! Owns the words of it and the answer, whichever way it was asked: by the command or over HTTP. Whether it may be is
//! [`plimsoll_core::pilot::cutover::cohort`]'s, and doing what follows from it [`super::drive`]'s. It asks no gate: whoever
//! lets members on brings the verdict.
//!
//! Invariant: a dry run goes through the same rules and writes nothing.

use plimsoll_core::gate::Verdict;
use plimsoll_core::pilot::cutover::cohort::{CohortEvent, CohortStep, step_cohort};
use plimsoll_core::pilot::cutover::{Event, LossBound, Said};
use serde::Serialize;

use super::drive::Driver;
use super::member;
use crate::error::EngineError;
use crate::sync::now_ms;

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Members who wait begin.
    Start,
    /// Members stop where they are; a handover under way comes to its end first.
    Pause,
    /// Paused members go on.
    Resume,
    /// Members go back, with everything that was written on the new side since.
    Back,
    /// The next wave goes on, when its gate says so and nothing is missing.
    Advance {
        /// The gate that was asked.
        gate: String,
        /// What it said.
        verdict: Verdict,
    },
    /// One member goes on without gate and evidence.
    Force(LossBound),
}

/// A move with whom it is about, who wants it and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// What.
    pub what: Move,
    /// Only this member; the cohort when absent.
    pub customer: Option<String>,
    /// Who says so, and why.
    pub by: Said,
    /// Only tell what would follow.
    pub dry_run: bool,
}

/// A member whom a move does not concern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmoved {
    /// The member.
    pub customer: String,
    /// Why, in a sentence.
    pub why: String,
}

/// A gate that was asked, and its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateSaid {
    /// The gate.
    pub name: String,
    /// What it said.
    pub verdict: Verdict,
}

/// What followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Whom it moved.
    pub moved: Vec<String>,
    /// Who waits for a handover to end; to be let on again then.
    pub waiting: Vec<String>,
    /// Whom it does not concern.
    pub unmoved: Vec<Unmoved>,
    /// The gate that was asked, if one was.
    pub gate: Option<GateSaid>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl Move {
    /// The event of one member.
    fn event(&self, by: &Said, at_ms: u64) -> Event {
        match self {
            Self::Start => Event::Start { at_ms },
            Self::Pause => Event::Pause,
            Self::Resume => Event::Resume,
            Self::Back => Event::Back { by: by.clone(), at_ms },
            Self::Advance { verdict, .. } => Event::Advance { verdict: *verdict, at_ms },
            Self::Force(loss) => Event::Force { loss: loss.clone(), by: by.clone(), at_ms },
        }
    }

    /// The event of the cohort; none where one member has to be named.
    fn cohort_event(&self, by: &Said, at_ms: u64) -> Option<CohortEvent> {
        Some(match self {
            Self::Start => CohortEvent::Start { at_ms },
            Self::Pause => CohortEvent::Pause,
            Self::Resume => CohortEvent::Resume,
            Self::Back => CohortEvent::Back { by: by.clone(), at_ms },
            Self::Advance { verdict, .. } => CohortEvent::Advance { verdict: *verdict, at_ms },
            Self::Force(_) => return None,
        })
    }
}

/// Lets it happen, or only says what would follow.
///
/// # Errors
/// Usage for a forced step without a member; refused as the cohort says, and nothing has changed then; when a store fails.
pub fn say(driver: &mut Driver<'_>, saying: &Saying) -> Result<Moved, EngineError> {
    let at_ms = now_ms(&driver.carrier.session);
    let event = match &saying.customer {
        Some(customer) => {
            CohortEvent::Member { customer: customer.clone(), event: saying.what.event(&saying.by, at_ms) }
        }
        None => saying.what.cohort_event(&saying.by, at_ms).ok_or_else(|| {
            EngineError::usage("a forced step is for one member\nhint: --customer CODE names it")
        })?,
    };
    let step = if saying.dry_run {
        let cohort = member::cohort(&driver.members()?);
        step_cohort(&driver.rules, &cohort, event).map_err(|error| EngineError::refused(error.to_string()))?
    } else {
        driver.happen(event, &saying.by)?
    };
    Ok(moved(step, saying))
}

fn moved(step: CohortStep, saying: &Saying) -> Moved {
    let unmoved = step.unmoved.into_iter();
    Moved {
        moved: step.moved,
        waiting: step.waiting,
        unmoved: unmoved.map(|(customer, why)| Unmoved { customer, why: why.to_string() }).collect(),
        gate: match &saying.what {
            Move::Advance { gate, verdict } => Some(GateSaid { name: gate.clone(), verdict: *verdict }),
            _ => None,
        },
        dry_run: saying.dry_run,
    }
}
