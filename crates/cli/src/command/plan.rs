//! `plan`, `assess` and `approve`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::process::ExitCode;

use plimsoll_engine::change::assess::Assessment;
use plimsoll_engine::change::plan::Plan;
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::change::{assess as engine_assess, exchange, plan as engine_plan, propose};
use plimsoll_engine::{EngineError, Session};

use super::{Context, declared, source, split};
use crate::args::PlanArguments;
use crate::registry;
use crate::ui::{duration, grouped, plural};

/// Makes a plan from a source or a file.
pub(crate) fn plan(context: &Context, arguments: &PlanArguments) -> Result<ExitCode, EngineError> {
    let name = arguments.system.as_deref().unwrap_or_default();
    if let (None, Ok(system)) = (&arguments.file, registry::find_analytic(name)) {
        let change = arguments.change.as_deref().unwrap_or_default();
        return split::plan(context, system, change, &arguments.source.options);
    }
    let (mut session, plan) = match &arguments.file {
        Some(path) => import(context, path)?,
        None => {
            let system = registry::find(arguments.system.as_deref().unwrap_or_default())?;
            let change = system.change(arguments.change.as_deref().unwrap_or_default())?;
            let mut session = context.session(system)?;
            let mut open = source::open(context, system, change, &session, &arguments.source)?;
            let plan = propose::propose(
                &mut session,
                system,
                change,
                open.fetch.as_mut(),
                &open.address,
                &open.request,
            )?;
            (session, plan)
        }
    };
    if let Some(path) = &arguments.out {
        let broken = |error: std::io::Error| EngineError::usage(format!("{}: {error}", path.display()));
        let mut out = BufWriter::new(File::create(path).map_err(broken)?);
        exchange::export(&mut session, &plan, &mut out)?;
        out.flush().map_err(broken)?;
    }
    context.ui.print(&plan, || summary(&plan))?;
    context.ui.say(&format!(
        "next: plimsoll assess {id}, plimsoll show {id}, plimsoll apply {id}",
        id = plan.id.short()
    ));
    Ok(ExitCode::SUCCESS)
}

fn import(context: &Context, path: &std::path::Path) -> Result<(Session, Plan), EngineError> {
    let broken = |error: std::io::Error| EngineError::usage(format!("{}: {error}", path.display()));
    let mut first = String::new();
    std::io::BufRead::read_line(&mut BufReader::new(File::open(path).map_err(broken)?), &mut first)
        .map_err(broken)?;
    let header: exchange::HeaderLine = serde_json::from_str(&first).map_err(|error| {
        EngineError::usage(format!("{} line 1 is no plan header: {error}", path.display()))
    })?;
    let mut session = context.session(registry::find(&header.system)?)?;
    let mut lines = BufReader::new(File::open(path).map_err(broken)?);
    let plan = exchange::import(&mut session, &path.display().to_string(), &mut lines)?;
    Ok((session, plan))
}

/// The head of a plan for a person.
pub(crate) fn summary(plan: &Plan) -> String {
    let mut text = format!(
        "plan {}  {} {}\n  from       {}\n  digest     {}\n  items      {} ({} refused while planning)\n  changes    {}\n  unchanged  {}\n  journal    {} bytes\n",
        plan.id.short(),
        plan.system,
        plan.change,
        plan.source,
        plan.digest,
        grouped(plan.items),
        grouped(plan.refused),
        plural(plan.changes, "row"),
        grouped(plan.unchanged),
        grouped(plan.journal_bytes),
    );
    if let Some(actor) = &plan.approved_by {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  approved   by {actor} at {}", plan.approved_at.as_deref().unwrap_or("?"));
    }
    text
}

/// Tries a canary batch of a plan and rolls it back.
pub(crate) fn assess(context: &Context, prefix: &str) -> Result<ExitCode, EngineError> {
    if let Some(found) = context.find_analytic(Named::Plan, prefix, true)? {
        return split::assess(context, &found);
    }
    let (mut session, id) = context.find(Named::Plan, prefix)?;
    let plan = engine_plan::load(session.store.as_mut(), &id)?;
    let (_, change) = declared(&plan.system, &plan.change)?;
    let found = engine_assess::assess(&mut session, &plan, change)?;
    context.ui.print(&found, || assessment(&found))?;
    Ok(ExitCode::SUCCESS)
}

/// An assessment for a person.
pub(crate) fn assessment(found: &Assessment) -> String {
    let mut text = format!(
        "plan {} would change {} ({} refused while planning)\n",
        found.plan.short(),
        plural(found.items, "item"),
        grouped(found.refused)
    );
    let mut add = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    for (table, kinds) in &found.rows {
        let kinds: Vec<String> =
            kinds.iter().map(|(kind, count)| format!("{} {kind}", grouped(*count))).collect();
        add(format!("  {table}: {}", kinds.join(", ")));
    }
    add(format!("  prior images: {} bytes of journal", grouped(found.journal_bytes)));
    add(format!("  canary: {} tried and rolled back", plural(found.canary_items, "item")));
    for (class, (count, example)) in &found.predicted_failures {
        let example = example.lines().next().unwrap_or_default();
        add(format!("    {} would fail: {class} ({example})", grouped(*count)));
    }
    add(format!(
        "  expected: about {} to apply, {} failures",
        duration(found.estimated_ms),
        grouped(found.expected_failures)
    ));
    add(format!("  to undo: about {}", duration(found.estimated_undo_ms)));
    text
}

/// Approves a plan.
pub(crate) fn approve(context: &Context, prefix: &str, reason: &str) -> Result<ExitCode, EngineError> {
    if let Some(found) = context.find_analytic(Named::Plan, prefix, true)? {
        return split::approve(context, &found, reason);
    }
    let (mut session, id) = context.find(Named::Plan, prefix)?;
    let plan = engine_plan::approve(&mut session, &id, reason)?;
    context.ui.print(&plan, || summary(&plan))?;
    Ok(ExitCode::SUCCESS)
}
