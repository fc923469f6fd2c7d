//! `apply`, `run`, `resume`, `pause`, `cancel` and `copy-store`.

use std::process::ExitCode;

use plimsoll_engine::change::report::{self, RunReport};
use plimsoll_engine::change::request::{self, Answer};
use plimsoll_engine::change::routine::{self, Routine};
use plimsoll_engine::change::run::{self as engine_run, RunSettings};
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::change::{
    apply as engine_apply, assess, control, copy, plan as engine_plan, propose, retention,
};
use plimsoll_engine::source::SourceRequest;
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

use super::{Context, declared, parse_url, plan as plan_command, source, split};
use crate::args::{ApplyArguments, ControlArguments, ResumeArguments, RunArguments, SettingsArguments};
use crate::exit;
use crate::registry;
use crate::ui::{duration, grouped, plural};

fn settings(
    context: &Context,
    system: &str,
    change: &str,
    arguments: &SettingsArguments,
) -> Result<RunSettings, EngineError> {
    Ok(RunSettings {
        workers: arguments.workers,
        adaptive_target_ms: arguments.adaptive,
        throttle_ms: arguments.throttle,
        max_errors: arguments.max_errors,
        max_error_share: arguments.max_error_share,
        ..context.run_settings(system, change, arguments.batch_size)?
    })
}

fn routine_of(
    context: &Context,
    session: &Session,
    (system, change): (&str, &str),
    arguments: &SettingsArguments,
) -> Result<Routine, EngineError> {
    Ok(Routine {
        settings: settings(context, system, change, arguments)?,
        backups: context.backups(&session.store.url()),
        approval_required: context.config.approval_required,
        reason: arguments.reason.clone(),
    })
}

/// Applies a stored plan.
pub(crate) fn apply(context: &Context, arguments: &ApplyArguments) -> Result<ExitCode, EngineError> {
    if let Some(found) = context.find_analytic(Named::Plan, &arguments.plan, true)? {
        return split::apply(context, found, arguments);
    }
    let (mut session, id) = context.find(Named::Plan, &arguments.plan)?;
    let plan = engine_plan::load(session.store.as_mut(), &id)?;
    let (system, change) = declared(&plan.system, &plan.change)?;
    if arguments.settings.dry_run {
        let found = assess::assess(&mut session, &plan, change)?;
        context.ui.print(&found, || plan_command::assessment(&found))?;
        return Ok(ExitCode::SUCCESS);
    }
    let needed = change.is_none_or(|change| change.needs_backup());
    if needed && arguments.no_backup {
        return Err(EngineError::refused(format!(
            "`{} {}` needs a backup\nhint: leave out --no-backup",
            plan.system, plan.change
        )));
    }
    let routine = routine_of(context, &session, (&plan.system, &plan.change), &arguments.settings)?;
    let report = routine::apply_plan(&mut session, system, change, &plan, &routine, !arguments.no_backup)?;
    finish(context, &report)
}

/// Backs up, plans, checks, applies, verifies and reports.
pub(crate) fn run(context: &Context, arguments: &RunArguments) -> Result<ExitCode, EngineError> {
    if let Ok(system) = registry::find_analytic(&arguments.system) {
        return split::run(context, system, arguments);
    }
    let system = registry::find(&arguments.system)?;
    if let Some(drive) = system.drives.iter().find(|drive| drive.name == arguments.change) {
        return super::drive::run(context, system, drive, arguments);
    }
    let change = system.change(&arguments.change)?;
    let mut session = context.session(system)?;
    let mut open = source::open(context, system, change, &session, &arguments.source)?;
    if arguments.settings.dry_run {
        let plan = propose::propose(
            &mut session,
            system,
            change,
            open.fetch.as_mut(),
            &open.address,
            &open.request,
        )?;
        let found = assess::assess(&mut session, &plan, Some(change))?;
        retention::discard(&mut session, &plan.id)?;
        context.ui.print(&found, || plan_command::assessment(&found))?;
        context.ui.say("dry run: nothing was written, and the plan was discarded");
        return Ok(ExitCode::SUCCESS);
    }
    if !change.asks_source() {
        return requested(context, &mut session, system, change, &open.request);
    }
    let routine = routine_of(context, &session, (system.name, change.name()), &arguments.settings)?;
    let report = routine::run(
        &mut session,
        system,
        change,
        open.fetch.as_mut(),
        &open.address,
        &open.request,
        &routine,
    )?;
    if context.ui.json {
        context.ui.print(&report, String::new)?;
        say_next(context, &report.report);
        return Ok(exit::of_tally(&tally(&report.report)));
    }
    finish(context, &report.report)
}

/// Performs a change that is made from its options alone, in one transaction.
fn requested(
    context: &Context,
    session: &mut Session,
    system: &System,
    change: &'static dyn ChangeKind,
    asked: &SourceRequest,
) -> Result<ExitCode, EngineError> {
    let reason = asked.option("reason").unwrap_or_default();
    match request::run(session, system, change, asked, reason)? {
        Answer::Done { run, changes } => {
            let document = json!({ "run": run, "rows": changes.len() });
            let done = format!("done by run {}: {}", run.short(), plural(changes.len() as u64, "row"));
            context.ui.print(&document, || done)?;
        }
        Answer::Unchanged => {
            context.ui.print(&json!({ "run": null, "rows": 0 }), || "nothing to change".to_owned())?;
        }
        Answer::Refused(refusal) => {
            let reasons = refusal.reason.replace("; ", "\n  ");
            return Err(EngineError::refused(format!("{} is refused:\n  {reasons}", change.name())));
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn tally(report: &RunReport) -> plimsoll_core::item::Tally {
    plimsoll_core::item::Tally {
        planned: report.planned,
        applied: report.applied,
        noop: report.noop,
        conflicted: report.conflicted,
        quarantined: report.quarantined,
        skipped: report.skipped,
    }
}

/// Prints the report of a run and the command that takes it back.
pub(crate) fn finish(context: &Context, report: &RunReport) -> Result<ExitCode, EngineError> {
    context.ui.print(report, || text(report))?;
    say_next(context, report);
    Ok(exit::of_tally(&tally(report)))
}

/// What a person may want to do next.
pub(crate) fn say_next(context: &Context, report: &RunReport) {
    if report.applied > 0 {
        context.ui.say(&format!("undo with: {}", context.undo_command(&report.run)));
    }
    if report.quarantined > 0 {
        context.ui.say(&format!("repair with: plimsoll quarantine list --run {}", report.run.short()));
    }
}

/// A report for a person.
pub(crate) fn text(report: &RunReport) -> String {
    let mut lines = vec![format!(
        "run {}  {} {}  {}{}",
        report.run.short(),
        report.system,
        report.change,
        report.status,
        report.undoes.as_ref().map(|run| format!("  (takes back {})", run.short())).unwrap_or_default()
    )];
    lines.push(format!(
        "  planned {} = applied {} + no-op {} + conflicted {} + quarantined {} + skipped {}",
        grouped(report.planned),
        grouped(report.applied),
        grouped(report.noop),
        grouped(report.conflicted),
        grouped(report.quarantined),
        grouped(report.skipped),
    ));
    lines.push(format!(
        "  {} written in {}, {}; {} unchanged",
        plural(report.rows_written, "row"),
        plural(report.batches, "batch"),
        duration(report.duration_ms),
        grouped(report.unchanged),
    ));
    if let Some(backup) = &report.backup {
        lines.push(format!("  backup {}", backup.short()));
    }
    if let Some(verified) = report.verified {
        lines.push(format!("  verified: {}", if verified { "yes" } else { "NO" }));
    }
    for error in report.batch_metrics.iter().flat_map(|metrics| &metrics.batch_errors) {
        let reason = error.reason.lines().next().unwrap_or_default();
        lines.push(format!(
            "  batch {}: {} {} ({}): {reason}",
            error.batch, error.label, error.outcome, error.class
        ));
    }
    lines.join("\n")
}

/// Goes on with a run.
pub(crate) fn resume(context: &Context, arguments: &ResumeArguments) -> Result<ExitCode, EngineError> {
    if let Some(found) = context.find_analytic(Named::Run, &arguments.run, true)? {
        return split::resume(context, &found, arguments);
    }
    let (mut session, id) = context.find(Named::Run, &arguments.run)?;
    let run = engine_run::load(session.store.as_mut(), &id)?;
    let (_, change) = declared(&run.system, &run.change)?;
    let run = control::resume(&mut session, &id, change, &|settings| {
        settings.batch_size = arguments.batch_size.or(settings.batch_size);
        settings.throttle_ms = arguments.throttle.unwrap_or(settings.throttle_ms);
        settings.max_errors = arguments.max_errors.or(settings.max_errors);
        settings.max_error_share = arguments.max_error_share.unwrap_or(settings.max_error_share);
    })?;
    finish(context, &report::of_run(session.store.as_mut(), &run)?)
}

/// Lets a run stop after its current batch.
pub(crate) fn pause(context: &Context, arguments: &ControlArguments) -> Result<ExitCode, EngineError> {
    split::no_control(context, arguments)?;
    let (mut session, id) = context.find(Named::Run, &arguments.run)?;
    let run = control::pause(&mut session, &id, &arguments.reason)?;
    context.ui.print(&run, || format!("run {} is {}", id.short(), asked(&run)))?;
    Ok(ExitCode::SUCCESS)
}

/// Ends a run after its current batch.
pub(crate) fn cancel(context: &Context, arguments: &ControlArguments) -> Result<ExitCode, EngineError> {
    split::no_control(context, arguments)?;
    let (mut session, id) = context.find(Named::Run, &arguments.run)?;
    let run = control::cancel(&mut session, &id, &arguments.reason)?;
    context.ui.print(&run, || format!("run {} is {}", id.short(), asked(&run)))?;
    context.ui.say(&format!("undo with: {}", context.undo_command(&id)));
    Ok(ExitCode::SUCCESS)
}

fn asked(run: &engine_run::Run) -> String {
    match &run.requested {
        Some(requested) => format!("{} and asked to {requested} after its current batch", run.status),
        None => run.status.to_string(),
    }
}

/// Copies a system's tables from another store into this one.
pub(crate) fn copy_store(context: &Context, system: &str, from: &str) -> Result<ExitCode, EngineError> {
    let system = registry::find(system)?;
    let mut session = context.session(system)?;
    let mut from = context.open_existing(&parse_url(from)?)?;
    let plan = copy::plan_copy(&mut session, system, from.store.as_mut())?;
    let settings = RunSettings { batch_size: Some(1_000), ..RunSettings::default() };
    let start = engine_apply::StartRun { settings, ..engine_apply::StartRun::default() };
    let run = engine_apply::start(&mut session, &plan, &start)?;
    let run = engine_apply::drive(&mut session, &run.id, None)?;
    finish(context, &report::of_run(session.store.as_mut(), &run)?)
}
