//! `parity`: whether both sides of the pilot say the same, and a plan that makes them.
//!
//! Owns opening both sides, printing what differs, and taking a repair through the routine of every plan.

use std::process::ExitCode;

use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::parity::RowDifference;
use plimsoll_core::value::Value;
use plimsoll_engine::change::plan::Plan;
use plimsoll_engine::change::report::RunReport;
use plimsoll_engine::change::routine::{self, Routine};
use plimsoll_engine::change::run::DEFAULT_BATCH_SIZE;
use plimsoll_engine::change::{assess, retention};
use plimsoll_engine::pilot::compare::{Difference, EntityParity};
use plimsoll_engine::pilot::examine::{Examine, Examined, examine, prepare, refuse_deletes, through};
use plimsoll_engine::pilot::record::SideStore;
use plimsoll_engine::pilot::repair::{Repair, plan_repair};
use plimsoll_engine::pilot::standing::compare_members;
use plimsoll_engine::{EngineError, Session};
use serde::Serialize;

use super::{Context, apply, plan as plan_command};
use crate::args::ParityArguments;
use crate::exit;
use crate::registry::{PILOT, PILOT_SIDES};
use crate::ui::{duration, grouped, plural, table};

/// Compares both sides, and repairs one where that is asked.
pub(super) fn execute(context: &Context, arguments: &ParityArguments) -> Result<ExitCode, EngineError> {
    context.pilot_urls()?;
    if arguments.members {
        return members(context);
    }
    let mut legacy = side(context, Side::Legacy)?;
    let mut new = side(context, Side::New)?;
    let how = Examine {
        build: arguments.build,
        entities: arguments.entities.iter().cloned().collect(),
        // What is not read cannot be repaired.
        shown: if arguments.repair.is_some() { usize::MAX } else { arguments.shown },
    };
    let found = examine(&mut legacy, &mut new, PILOT, &mut |legacy, new| through(legacy, new, PILOT), &how)?;
    let Some(target) = arguments.repair.map(Side::from) else {
        context.ui.print(&found, || text(&found, arguments.shown))?;
        if !found.equal {
            context.ui.say("next: plimsoll parity --repair new --dry-run, or --repair legacy");
        }
        return Ok(if found.equal { ExitCode::SUCCESS } else { exit::incomplete() });
    };
    if found.equal {
        context.ui.print(&found, || text(&found, arguments.shown))?;
        context.ui.say("nothing differs, so there is nothing to repair");
        return Ok(ExitCode::SUCCESS);
    }
    let (mut target_session, mut other) = match target {
        Side::Legacy => (legacy, new),
        Side::New => (new, legacy),
    };
    repair(context, arguments, target, &mut target_session, &mut other, &found)
}

fn side(context: &Context, side: Side) -> Result<Session, EngineError> {
    let [legacy, new] = &PILOT_SIDES;
    let system = match side {
        Side::Legacy => legacy.system,
        Side::New => new.system,
    };
    // A comparison with a database that is not there would find it empty.
    context.open_existing(&context.store_url(system)?)?;
    let mut session = context.session(system)?;
    prepare(&mut session)?;
    Ok(session)
}

/// A repair as a document.
#[derive(Serialize)]
struct RepairDocument<'made> {
    found: &'made Examined,
    plan: &'made Plan,
    #[serde(skip_serializing_if = "Option::is_none")]
    assessment: Option<&'made assess::Assessment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'made RunReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<String>,
    dry_run: bool,
}

fn repair(
    context: &Context,
    arguments: &ParityArguments,
    target: Side,
    session: &mut Session,
    other: &mut Session,
    found: &Examined,
) -> Result<ExitCode, EngineError> {
    let [legacy, new] = &PILOT_SIDES;
    let (system, other_side) = match target {
        Side::Legacy => (legacy.system, Side::New),
        Side::New => (new.system, Side::Legacy),
    };
    if !arguments.dry_run {
        refuse_deletes(target, &found.entities, arguments.max_deletes)?;
    }
    let with = Repair { target, system: system.name, pilot: PILOT };
    let mut other = SideStore { side: other_side, store: other.store.as_mut(), pilot: PILOT };
    let plan = plan_repair(session, with, &mut other, &found.entities)?;
    if arguments.dry_run {
        let assessment = assess::assess(session, &plan, None)?;
        retention::discard(session, &plan.id)?;
        let document = RepairDocument {
            found,
            plan: &plan,
            assessment: Some(&assessment),
            report: None,
            undo: None,
            dry_run: true,
        };
        context.ui.print(&document, || {
            format!("{}\n\n{}", text(found, arguments.shown), plan_command::assessment(&assessment))
        })?;
        context.ui.say("dry run: nothing was written, and the plan was discarded");
        return Ok(ExitCode::SUCCESS);
    }
    let routine = Routine {
        settings: context.run_settings(
            system.name,
            &plan.change,
            Some(arguments.batch_size.unwrap_or(DEFAULT_BATCH_SIZE)),
        )?,
        backups: context.backups(&session.store.url()),
        approval_required: context.config.approval_required,
        reason: arguments.reason.clone(),
    };
    if routine.approval_required {
        return Err(EngineError::refused(format!(
            "plan {0} is made and waits for approval\nhint: `plimsoll approve {0}`, then `plimsoll apply {0}`",
            plan.id.short()
        )));
    }
    let report = routine::apply_plan(session, system, None, &plan, &routine, true)?;
    let undo = (report.applied > 0).then(|| context.undo_command(&report.run));
    let code = exit::of_tally(&apply::tally(&report));
    let document =
        RepairDocument { found, plan: &plan, assessment: None, report: Some(&report), undo, dry_run: false };
    context.ui.print(&document, || apply::text(&report))?;
    apply::say_next(context, &report);
    Ok(code)
}

/// Compares the members alone: whoever was not enrolled has no reason to be equal.
fn members(context: &Context) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let found = compare_members(&mut context.driver(&means, None)?)?;
    context.ui.print(&found, || {
        let mut lines = vec![format!(
            "{} with {}: {} differ, {} on their way",
            plural(found.members, "member"),
            plural(found.records, "record"),
            grouped(found.differing),
            grouped(found.pending)
        )];
        lines.extend(
            found.unequal.iter().map(|(code, count)| format!("  {code}: {}", plural(*count, "record"))),
        );
        lines.join("\n")
    })?;
    if found.differing > 0 {
        context.ui.say("next: plimsoll pilot run compares and repairs as the stages order; plimsoll pilot status CODE tells what happened");
    }
    Ok(if found.differing == 0 { ExitCode::SUCCESS } else { exit::incomplete() })
}

/// What was found, for a person.
fn text(found: &Examined, shown: usize) -> String {
    let mut lines = Vec::new();
    if let Some(built) = &found.built {
        lines.push(format!(
            "sums computed anew in {}: {} of the legacy side, {} of the new side",
            duration(built.duration_ms),
            plural(built.legacy, "record"),
            grouped(built.new)
        ));
    }
    let row = |one: &EntityParity| {
        vec![
            one.entity.clone(),
            grouped(one.legacy_records),
            grouped(one.new_records),
            grouped(one.differing),
            grouped(one.pending),
        ]
    };
    let rows: Vec<Vec<String>> = found.entities.iter().map(row).collect();
    lines.push(table(&["entity", "legacy", "new", "differing", "on their way"], &rows));
    for parity in found.entities.iter().filter(|parity| parity.differing > 0 && shown > 0) {
        lines.push(String::new());
        let told = parity.shown.len().min(shown);
        lines.push(format!("{}: {} of {} that differ", parity.entity, told, grouped(parity.differing)));
        lines.extend(parity.shown.iter().take(shown).map(difference));
    }
    lines.push(String::new());
    lines.push(match (found.equal, found.pending) {
        (true, 0) => format!("equal; compared in {}", duration(found.duration_ms)),
        (true, pending) => {
            format!(
                "nothing differs but {} on their way; compared in {}",
                plural(pending, "record"),
                duration(found.duration_ms)
            )
        }
        (false, _) => {
            format!(
                "NOT EQUAL: {} differ; compared in {}",
                plural(found.differing, "record"),
                duration(found.duration_ms)
            )
        }
    });
    lines.join("\n")
}

fn difference(one: &Difference) -> String {
    let mut line = format!("  {}  ", one.record);
    line.push_str(match (one.how, &one.reason) {
        (_, Some(_)) => "cannot be carried to the legacy side: ",
        (RowDifference::OnlyLegacy, None) => "on the legacy side only",
        (RowDifference::OnlyNew, None) => "on the new side only",
        (RowDifference::Values, None) => "",
    });
    if let Some(reason) = &one.reason {
        line.push_str(reason);
    }
    let fields = one.fields.iter().map(|field| {
        format!("{}: legacy {}, new {}", field.column, readable(&field.legacy), readable(&field.new))
    });
    line + &fields.collect::<Vec<_>>().join("; ")
}

/// A value of the common form; its texts are the legacy side's bytes.
fn readable(value: &Value) -> String {
    match value {
        Value::Bytes(_) => {
            PILOT.readable(value).map_or_else(|| value.to_string(), |text| format!("`{text}`"))
        }
        other => other.to_string(),
    }
}
