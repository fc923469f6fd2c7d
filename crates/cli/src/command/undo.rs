//! `undo` and `redo`.

use std::process::ExitCode;

use plimsoll_core::id::Id;
use plimsoll_core::item::Tally;
use plimsoll_engine::change::report::{self, RunReport};
use plimsoll_engine::change::run::{self as engine_run, DEFAULT_BATCH_SIZE, RunSettings};
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::change::{retention, undo as engine_undo, verify};
use plimsoll_engine::{EngineError, Session};
use serde::Serialize;

use super::{Context, apply, split};
use crate::args::UndoArguments;
use crate::exit;
use crate::ui::{grouped, plural};

/// The report of an undo: that of the undoing run, and those of runs that `cascade` took back first.
#[derive(Serialize)]
struct UndoReport {
    #[serde(flatten)]
    report: RunReport,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cascade: Vec<RunReport>,
}

/// Takes a run back.
pub(crate) fn undo(context: &Context, arguments: &UndoArguments) -> Result<ExitCode, EngineError> {
    if let Some(found) = context.find_analytic(Named::Run, &arguments.run, true)? {
        return split::undo(context, &found, arguments);
    }
    let (session, id) = context.find(Named::Run, &arguments.run)?;
    take_back(context, session, &id, arguments)
}

/// Takes an undo back: `run` is the undoing run, or the run that was undone.
pub(crate) fn redo(context: &Context, arguments: &UndoArguments) -> Result<ExitCode, EngineError> {
    if let Some(found) = context.find_analytic(Named::Run, &arguments.run, true)? {
        return split::redo(context, found, arguments);
    }
    let (mut session, id) = context.find(Named::Run, &arguments.run)?;
    let runs = engine_run::list(session.store.as_mut())?;
    let undoing = runs.iter().find(|run| run.id == id && run.undoes.is_some());
    let undoing = undoing.or_else(|| runs.iter().find(|run| run.undoes.as_ref() == Some(&id)));
    let Some(undoing) = undoing.map(|run| run.id.clone()) else {
        return Err(EngineError::usage(format!(
            "run {} was not undone, so there is nothing to redo",
            id.short()
        )));
    };
    take_back(context, session, &undoing, arguments)
}

fn take_back(
    context: &Context,
    mut session: Session,
    id: &Id,
    arguments: &UndoArguments,
) -> Result<ExitCode, EngineError> {
    let mode = arguments.mode.into();
    if arguments.dry_run {
        let (plan, preview) = engine_undo::plan_undo(&mut session, id, mode)?;
        retention::discard(&mut session, &plan.id)?;
        context.ui.print(&preview, || preview_text(&preview))?;
        context.ui.say("dry run: nothing was written");
        return Ok(ExitCode::SUCCESS);
    }
    let settings = RunSettings {
        batch_size: Some(arguments.batch_size.unwrap_or(DEFAULT_BATCH_SIZE)),
        ..RunSettings::default()
    };
    let runs = engine_undo::undo(&mut session, id, mode, &settings, &arguments.reason)?;
    let mut reports = Vec::with_capacity(runs.len());
    let mut tally = Tally::default();
    for run in &runs {
        let mut report = report::of_run(session.store.as_mut(), run)?;
        report.verified = Some(verify::verify(&mut session, &run.id)?.ok);
        tally.add(&run.tally);
        reports.push(report);
    }
    let Some(last) = reports.pop() else {
        return Err(EngineError::usage(format!("run {} has nothing to undo", id.short())));
    };
    let undone = UndoReport { report: last, cascade: reports };
    context.ui.print(&undone, || {
        let first = undone.cascade.iter().map(|report| apply::text(report) + "\n");
        first.collect::<String>() + &apply::text(&undone.report)
    })?;
    let redo = context.undo_command(&undone.report.run).replacen("undo", "redo", 1);
    context.ui.say(&format!("redo with: {redo}"));
    Ok(exit::of_tally(&tally))
}

fn preview_text(preview: &engine_undo::UndoPreview) -> String {
    let mut lines = vec![format!(
        "undo of run {} (mode {}): {} restored, {} already restored, {} left as edited since",
        preview.run.short(),
        preview.mode,
        plural(preview.restored, "item"),
        grouped(preview.already),
        grouped(preview.edited),
    )];
    if preview.kept_columns > 0 {
        lines.push(format!("  {} kept as edited in restored rows", plural(preview.kept_columns, "column")));
    }
    for run in &preview.cascade {
        lines.push(format!("  run {} is taken back first", run.short()));
    }
    lines.extend(preview.samples.iter().map(|sample| format!("  {sample}")));
    lines.join("\n")
}
