//! `pilot start`, `pause`, `resume`, `advance` and `rollback`: what a person says about members.

use std::process::ExitCode;

use plimsoll_core::gate::Verdict;
use plimsoll_core::pilot::cutover::cohort::{CohortEvent, CohortStep, step_cohort};
use plimsoll_core::pilot::cutover::{Event, LossBound};
use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::drive::Driver;
use plimsoll_engine::pilot::member;
use plimsoll_engine::sync::now_ms;
use serde_json::json;

use crate::args::{AdvanceArguments, MoveArguments};
use crate::command::{Context, gate};
use crate::ui::plural;

/// Lets members begin.
pub(super) fn start(context: &Context, arguments: &MoveArguments) -> Result<ExitCode, EngineError> {
    said(context, arguments, "started", |at_ms| (CohortEvent::Start { at_ms }, Event::Start { at_ms }))
}

/// Lets members stop.
pub(super) fn pause(context: &Context, arguments: &MoveArguments) -> Result<ExitCode, EngineError> {
    said(context, arguments, "paused", |_| (CohortEvent::Pause, Event::Pause))
}

/// Lets members go on.
pub(super) fn resume(context: &Context, arguments: &MoveArguments) -> Result<ExitCode, EngineError> {
    said(context, arguments, "resumed", |_| (CohortEvent::Resume, Event::Resume))
}

/// Takes members back.
pub(super) fn rollback(context: &Context, arguments: &MoveArguments) -> Result<ExitCode, EngineError> {
    let by = context.said(&arguments.reason);
    said(context, arguments, "on their way back", |at_ms| {
        (CohortEvent::Back { by: by.clone(), at_ms }, Event::Back { by: by.clone(), at_ms })
    })
}

fn said(
    context: &Context,
    arguments: &MoveArguments,
    what: &str,
    events: impl FnOnce(u64) -> (CohortEvent, Event),
) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    let (all, one) = events(now_ms(&driver.carrier.session));
    let event = match &arguments.customer {
        Some(customer) => CohortEvent::Member { customer: customer.clone(), event: one },
        None => all,
    };
    tell(context, &mut driver, event, arguments, what, None)
}

/// Lets the next wave on.
pub(super) fn advance(context: &Context, arguments: &AdvanceArguments) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, Some(&arguments.stages))?;
    let moving = &arguments.moving;
    if let (Some(writes), Some(customer)) = (arguments.force, &moving.customer) {
        let event = Event::Force {
            loss: LossBound { writes, what: arguments.what.clone().unwrap_or_default() },
            by: context.said(&moving.reason),
            at_ms: now_ms(&driver.carrier.session),
        };
        let event = CohortEvent::Member { customer: customer.clone(), event };
        return tell(context, &mut driver, event, moving, "forced on", None);
    }
    let catalog = context.gates()?;
    let gate = catalog.find(&arguments.gate)?;
    let mut control = context.control_session()?;
    let (_, judgement) = gate::ask(context, &mut control, gate)?;
    let (verdict, at_ms) = (judgement.verdict, now_ms(&driver.carrier.session));
    let event = match &moving.customer {
        Some(customer) => {
            CohortEvent::Member { customer: customer.clone(), event: Event::Advance { verdict, at_ms } }
        }
        None => CohortEvent::Advance { verdict, at_ms },
    };
    tell(context, &mut driver, event, moving, "let on", Some((&arguments.gate, verdict)))
}

/// Lets it happen, or only says what would.
fn tell(
    context: &Context,
    driver: &mut Driver<'_>,
    event: CohortEvent,
    arguments: &MoveArguments,
    what: &str,
    gate: Option<(&str, Verdict)>,
) -> Result<ExitCode, EngineError> {
    let step = if arguments.dry_run {
        let cohort = member::cohort(&driver.members()?);
        step_cohort(&driver.rules, &cohort, event).map_err(|error| EngineError::refused(error.to_string()))?
    } else {
        driver.happen(event, &context.said(&arguments.reason))?
    };
    let document = json!({
        "moved": step.moved,
        "waiting": step.waiting,
        "unmoved": step.unmoved.iter().map(|(customer, why)| json!({ "customer": customer, "why": why.to_string() })).collect::<Vec<_>>(),
        "gate": gate.map(|(name, verdict)| json!({ "name": name, "verdict": verdict })),
        "dry_run": arguments.dry_run,
    });
    context.ui.print(&document, || words(&step, what))?;
    if arguments.dry_run {
        context.ui.say("dry run: nobody was moved");
    } else {
        context.ui.say(
            "next: plimsoll pilot run does what follows; plimsoll pilot status shows where everybody stands",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn words(step: &CohortStep, what: &str) -> String {
    let mut lines = vec![format!("{} {what}", plural(step.moved.len() as u64, "member"))];
    if !step.waiting.is_empty() {
        lines.push(format!(
            "still waiting for a handover to end: {}",
            plural(step.waiting.len() as u64, "member")
        ));
    }
    lines.extend(step.unmoved.iter().map(|(customer, why)| {
        format!("{customer} stays: {}", why.to_string().lines().next().unwrap_or_default())
    }));
    lines.join("\n")
}
