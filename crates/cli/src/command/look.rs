//! Commands that only look: `systems`, `log`, `show`, `verify`, `history`, `digest`.

use std::process::ExitCode;

use plimsoll_core::digest::Hashing;
use plimsoll_core::value::Value;
use plimsoll_engine::change::history as engine_history;
use plimsoll_engine::change::plan::{self as engine_plan, Plan, read_items};
use plimsoll_engine::change::quarantine as engine_quarantine;
use plimsoll_engine::change::run::{self as engine_run, Run};
use plimsoll_engine::change::setup::{self, Named};
use plimsoll_engine::change::split::journal;
use plimsoll_engine::change::verify::{self as engine_verify, Verification};
use plimsoll_engine::change::{exchange, report};
use plimsoll_engine::{EngineError, Session, event};
use serde_json::json;

use super::{Context, apply, plan as plan_command, split};
use crate::exit;
use crate::registry::{self, SYSTEMS};
use crate::ui::{grouped, plural, table};

/// Lists the systems.
pub(crate) fn systems(context: &Context) -> Result<ExitCode, EngineError> {
    let document: Vec<_> = SYSTEMS
        .iter()
        .map(|system| {
            let changes: Vec<_> = system
                .changes
                .iter()
                .map(|change| json!({ "name": change.name(), "help": change.help(), "needs_backup": change.needs_backup() }))
                .collect();
            json!({ "name": system.name, "title": system.title, "tables": system.tables, "changes": changes })
        })
        .chain(registry::ANALYTIC_SYSTEMS.iter().map(|system| split::described(system)))
        .collect();
    context.ui.print(&document, || {
        let mut lines = Vec::new();
        for system in SYSTEMS {
            lines.push(format!("{}  {}", system.name, system.title));
            for change in system.changes {
                lines.push(format!("  {}  {}", change.name(), change.help()));
            }
        }
        for system in registry::ANALYTIC_SYSTEMS {
            lines.push(format!("{}  {}", system.name, system.title));
            for split in system.splits {
                lines.push(format!("  {}  {}", split.name, split.help));
                lines.push(format!("  {}  {}", split.drop_name, split.drop_help));
            }
        }
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Lists runs or events, newest first.
pub(crate) fn log(context: &Context, events: bool, limit: usize) -> Result<ExitCode, EngineError> {
    if events {
        let mut all = Vec::new();
        for mut session in context.journals()? {
            all.extend(event::list(session.store.as_mut(), None)?);
        }
        for place in context.analytic_journals()? {
            all.extend(journal::events(&place.store, None)?);
        }
        all.sort_by(|a, b| b.at.cmp(&a.at).then(b.number.cmp(&a.number)));
        all.truncate(limit);
        context.ui.print(&all, || {
            let row = |e: &event::Event| {
                let subject = e.subject.chars().take(12).collect();
                vec![e.at.clone(), e.actor.clone(), e.kind.clone(), subject, e.reason.clone()]
            };
            table(&["at", "actor", "event", "subject", "reason"], &all.iter().map(row).collect::<Vec<_>>())
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut runs = Vec::new();
    for mut session in context.journals()? {
        runs.extend(engine_run::list(session.store.as_mut())?);
    }
    for place in context.analytic_journals()? {
        runs.extend(journal::list_runs(&place.store)?);
    }
    runs.sort_by(|a: &Run, b| b.started_at.cmp(&a.started_at));
    runs.truncate(limit);
    context.ui.print(&runs, || {
        let heads =
            ["run", "started", "actor", "system", "change", "status", "applied", "conflicted", "quarantined"];
        table(&heads, &runs.iter().map(run_row).collect::<Vec<_>>())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn run_row(run: &Run) -> Vec<String> {
    let change = match &run.undoes {
        Some(undone) => format!("{} of {}", run.change, undone.short()),
        None => run.change.clone(),
    };
    vec![
        run.id.short().to_owned(),
        run.started_at.clone(),
        run.actor.clone(),
        run.system.clone(),
        change,
        run.status.to_string(),
        grouped(run.tally.applied),
        grouped(run.tally.conflicted),
        grouped(run.tally.quarantined),
    ]
}

/// Shows a run, a plan or a quarantined item, whichever the id names.
pub(crate) fn show(context: &Context, prefix: &str, limit: u64) -> Result<ExitCode, EngineError> {
    if let Some(shown) = split::show(context, prefix)? {
        return Ok(shown);
    }
    if let Ok((mut session, id)) = context.find(Named::Run, prefix) {
        let run = engine_run::load(session.store.as_mut(), &id)?;
        let report = report::of_run(session.store.as_mut(), &run)?;
        let events = event::list(session.store.as_mut(), Some(id.as_str()))?;
        let document = json!({ "kind": "run", "run": run, "report": report, "events": events });
        context.ui.print(&document, || {
            let mut text = apply::text(&report);
            if let Some(reason) = &run.stop_reason {
                text += &format!("\n  stopped: {reason}");
            }
            for event in &events {
                text += &format!("\n  {}  {}  {}  {}", event.at, event.kind, event.actor, event.reason);
            }
            text
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Ok((mut session, id)) = context.find(Named::Plan, prefix) {
        let plan = engine_plan::load(session.store.as_mut(), &id)?;
        return show_plan(context, &mut session, &plan, limit);
    }
    let (mut session, id) = context.find(Named::Quarantined, prefix).map_err(|_| {
        EngineError::usage(format!("nothing has the id `{prefix}`\nhint: `plimsoll log` lists runs"))
    })?;
    let item = engine_quarantine::load(session.store.as_mut(), &id)?;
    context.ui.print(&item, || format!("{} {}: {}", item.id, item.label, item.reason))?;
    Ok(ExitCode::SUCCESS)
}

fn show_plan(
    context: &Context,
    session: &mut Session,
    plan: &Plan,
    limit: u64,
) -> Result<ExitCode, EngineError> {
    let end = limit.min(plan.items);
    let items = read_items(session.store.as_mut(), plan, 0, end, &mut Hashing::new("show"))?;
    let document = json!({
        "kind": "plan",
        "plan": plan,
        "items": items.iter().map(|stored| json!({
            "item": stored.number,
            "label": stored.name(),
            "refusal": stored.item.refusal,
            "changes": stored.item.changes.iter().map(exchange::describe).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    });
    context.ui.print(&document, || {
        let mut text = plan_command::summary(plan);
        for stored in &items {
            text += &format!("{}\n", stored.name());
            if let Some(refusal) = &stored.item.refusal {
                text += &format!("  {} ({}): {}\n", refusal.outcome, refusal.class, refusal.reason);
            }
            for change in &stored.item.changes {
                text += &format!("  {} {} {}\n", change.kind(), change.table.name, change.key());
                for at in change.changed() {
                    let cell =
                        |image: &Option<Vec<Value>>| image.as_ref().map_or(Value::Null, |i| i[at].clone());
                    let (before, after) = (cell(&change.before), cell(&change.after));
                    if before != after {
                        text += &format!("    {}: {before} -> {after}\n", change.table.columns[at].name);
                    }
                }
            }
        }
        if end < plan.items {
            text += &format!("and {} more; --limit shows more\n", plural(plan.items - end, "item"));
        }
        text
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Verifies one run, or all runs and the chain of events.
pub(crate) fn verify(context: &Context, run: Option<&str>, all: bool) -> Result<ExitCode, EngineError> {
    if let (Some(prefix), false) = (run, all) {
        if let Some(found) = context.find_analytic(Named::Run, prefix, false)? {
            let found = split::verified(&found)?;
            context.ui.print(&found, || verification(&found))?;
            return Ok(ExitCode::from(if found.ok { exit::DONE } else { exit::FAILED }));
        }
        let (mut session, id) = context.find(Named::Run, prefix)?;
        let found = engine_verify::verify(&mut session, &id)?;
        context.ui.print(&found, || verification(&found))?;
        return Ok(ExitCode::from(if found.ok { exit::DONE } else { exit::FAILED }));
    }
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for mut session in context.journals()? {
        for run in engine_run::list(session.store.as_mut())? {
            found.push(engine_verify::verify(&mut session, &run.id)?);
        }
        problems.extend(event::verify(session.store.as_mut())?);
    }
    for place in context.analytic_journals()? {
        for run in journal::list_runs(&place.store)? {
            found.push(split::verify(&place, &run)?);
        }
        problems.extend(event::problems(journal::events(&place.store, None)?));
    }
    let ok = problems.is_empty() && found.iter().all(|found| found.ok);
    let document = json!({ "ok": ok, "runs": found, "event_problems": problems });
    context.ui.print(&document, || {
        let runs = found.iter().map(|found| verification(found) + "\n").collect::<String>();
        let events =
            if problems.is_empty() { "the chain of events is whole".to_owned() } else { problems.join("\n") };
        runs + &events
    })?;
    Ok(ExitCode::from(if ok { exit::DONE } else { exit::FAILED }))
}

fn verification(found: &Verification) -> String {
    let mut lines = vec![format!(
        "run {}  {}  {}",
        found.run.short(),
        found.status,
        if found.ok { "verified" } else { "NOT verified" }
    )];
    lines.push(format!(
        "  {} chained, tally conserved: {}",
        plural(found.receipts, "receipt"),
        found.tally.conserved()
    ));
    lines.push(format!(
        "  {} checked: {} as applied, {} changed by later runs, {} changed by something else",
        plural(found.rows_checked, "row"),
        grouped(found.rows_as_applied),
        grouped(found.rows_changed_by_later_runs),
        grouped(found.rows_changed_outside),
    ));
    lines.extend(found.problems.iter().map(|problem| format!("  problem: {problem}")));
    lines.extend(found.samples.iter().map(|sample| format!("  note: {sample}")));
    lines.join("\n")
}

/// Shows what runs did to one row.
pub(crate) fn history(context: &Context, table_name: &str, key: &str) -> Result<ExitCode, EngineError> {
    let mut entries = Vec::new();
    for mut session in context.journals()? {
        // A key part is the number that it looks like, or text; a table knows only one of the two.
        for key in key_texts(key) {
            entries.extend(engine_history::of_row(session.store.as_mut(), table_name, &key)?);
        }
    }
    context.ui.print(&entries, || {
        if entries.is_empty() {
            return format!("no run changed {table_name} {key}");
        }
        let row = |e: &engine_history::HistoryEntry| {
            let columns =
                e.row.after.as_ref().map(|after| after.keys().cloned().collect::<Vec<_>>().join(", "));
            vec![
                e.at.clone(),
                e.run.short().to_owned(),
                e.actor.clone(),
                e.kind.to_string(),
                columns.unwrap_or_default(),
            ]
        };
        table(&["at", "run", "actor", "kind", "columns"], &entries.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn key_texts(key: &str) -> Vec<String> {
    let numbers: Option<Vec<Value>> =
        key.split('/').map(|part| part.parse().ok().map(Value::Integer)).collect();
    let texts: Vec<Value> = key.split('/').map(Value::text).collect();
    let encode = |values: Vec<Value>| plimsoll_core::table::RowKey(values).to_text();
    numbers.map(encode).into_iter().chain([encode(texts)]).collect()
}

/// Prints a digest for each table of a system.
pub(crate) fn digest(context: &Context, system: Option<&str>) -> Result<ExitCode, EngineError> {
    if let Some(analytic) = system.and_then(|name| registry::find_analytic(name).ok()) {
        return super::ingest::digest(context, analytic);
    }
    let system = match (system, SYSTEMS) {
        (Some(name), _) => registry::find(name)?,
        (None, [only]) => only,
        (None, _) => system_of_store(context)?,
    };
    let mut session = context.open_existing(&context.store_url(system)?)?;
    let digests = setup::digests(&mut session, system)?;
    context.ui.print(&json!({ "system": system.name, "tables": digests }), || {
        let row = |d: &plimsoll_core::digest::TableDigest| {
            vec![d.table.clone(), d.rows.to_string(), d.digest.clone()]
        };
        table(&["table", "rows", "digest"], &digests.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The one system that has a table in the named store.
fn system_of_store(context: &Context) -> Result<&'static plimsoll_engine::system::System, EngineError> {
    let mut found = Vec::new();
    for system in SYSTEMS {
        let Ok(mut session) = context.open_existing(&context.store_url(system)?) else { continue };
        for table in system.tables {
            // A store of an earlier program may lack some of them.
            if session.store.shape(table)?.is_some() {
                found.push(*system);
                break;
            }
        }
    }
    match found.as_slice() {
        [only] => Ok(only),
        _ => Err(EngineError::usage("name the system whose tables to digest\nhint: plimsoll digest SYSTEM")),
    }
}
