//! `pilot start`, `pause`, `resume`, `advance` and `rollback`: what a person says about members.

use std::process::ExitCode;

use plimsoll_core::pilot::cutover::LossBound;
use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::drive::Driver;
use plimsoll_engine::pilot::moves::{Move, Moved, Saying, say};

use crate::args::{AdvanceArguments, MoveArguments};
use crate::command::{Context, gate};
use crate::ui::plural;

/// Lets members begin.
pub(super) fn start(context: &Context, arguments: &MoveArguments) -> Result<ExitCode, EngineError> {
    said(context, arguments, Move::Start, "started")
}

/// Lets members stop.
pub(super) fn pause(context: &Context, arguments: &MoveArguments) -> Result<ExitCode, EngineError> {
    said(context, arguments, Move::Pause, "paused")
}

/// Lets members go on.
pub(super) fn resume(context: &Context, arguments: &MoveArguments) -> Result<ExitCode, EngineError> {
    said(context, arguments, Move::Resume, "resumed")
}

/// Takes members back.
pub(super) fn rollback(context: &Context, arguments: &MoveArguments) -> Result<ExitCode, EngineError> {
    said(context, arguments, Move::Back, "on their way back")
}

fn said(
    context: &Context,
    arguments: &MoveArguments,
    what: Move,
    words: &str,
) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    tell(context, &mut driver, what, arguments, words)
}

/// Lets the next wave on.
pub(super) fn advance(context: &Context, arguments: &AdvanceArguments) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, Some(&arguments.stages))?;
    let moving = &arguments.moving;
    if let Some(writes) = arguments.force {
        let loss = LossBound { writes, what: arguments.what.clone().unwrap_or_default() };
        return tell(context, &mut driver, Move::Force(loss), moving, "forced on");
    }
    let catalog = context.gates()?;
    let gate = catalog.find(&arguments.gate)?;
    let mut control = context.control_session()?;
    let (_, judgement) = gate::ask(context, &mut control, gate)?;
    let what = Move::Advance { gate: arguments.gate.clone(), verdict: judgement.verdict };
    tell(context, &mut driver, what, moving, "let on")
}

/// Lets it happen, or only says what would.
fn tell(
    context: &Context,
    driver: &mut Driver<'_>,
    what: Move,
    arguments: &MoveArguments,
    words: &str,
) -> Result<ExitCode, EngineError> {
    let saying = Saying {
        what,
        customer: arguments.customer.clone(),
        by: context.said(&arguments.reason),
        dry_run: arguments.dry_run,
    };
    let moved = say(driver, &saying)?;
    context.ui.print(&moved, || text(&moved, words))?;
    if arguments.dry_run {
        context.ui.say("dry run: nobody was moved");
    } else {
        context.ui.say(
            "next: plimsoll pilot run does what follows; plimsoll pilot status shows where everybody stands",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn text(moved: &Moved, words: &str) -> String {
    let mut lines = vec![format!("{} {words}", plural(moved.moved.len() as u64, "member"))];
    if !moved.waiting.is_empty() {
        lines.push(format!(
            "still waiting for a handover to end: {}",
            plural(moved.waiting.len() as u64, "member")
        ));
    }
    lines.extend(
        moved
            .unmoved
            .iter()
            .map(|one| format!("{} stays: {}", one.customer, one.why.lines().next().unwrap_or_default())),
    );
    lines.join("\n")
}
