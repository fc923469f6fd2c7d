//! `quarantine list | show | edit | replay | drop`.

use std::process::ExitCode;

use plimsoll_core::id::Id;
use plimsoll_engine::change::quarantine::{self as engine, Quarantined};
use plimsoll_engine::change::report;
use plimsoll_engine::change::run as engine_run;
use plimsoll_engine::change::setup::{self, Named};
use plimsoll_engine::{EngineError, Session};

use super::{Context, apply, declared};
use crate::args::QuarantineCommand;
use crate::ui::table;

/// Runs one of the commands.
pub(crate) fn execute(context: &Context, command: QuarantineCommand) -> Result<ExitCode, EngineError> {
    match command {
        QuarantineCommand::List { run, all } => list(context, run.as_deref(), all),
        QuarantineCommand::Show { id } => {
            let (mut session, id) = context.find(Named::Quarantined, &id)?;
            let item = engine::load(session.store.as_mut(), &id)?;
            context.ui.print(&item, || detail(&item))?;
            Ok(ExitCode::SUCCESS)
        }
        QuarantineCommand::Edit { id, set, file, reason } => {
            let (mut session, id) = context.find(Named::Quarantined, &id)?;
            let item = match file {
                Some(path) => {
                    let broken = |error: String| EngineError::usage(format!("{}: {error}", path.display()));
                    let text = std::fs::read_to_string(&path).map_err(|error| broken(error.to_string()))?;
                    let record = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
                    engine::replace(&mut session, &id, &record, &reason)?
                }
                None if set.is_empty() => {
                    return Err(EngineError::usage("nothing to edit\nhint: --set NAME=VALUE or --file FILE"));
                }
                None => engine::edit(&mut session, &id, &set, &reason)?,
            };
            context.ui.print(&item, || detail(&item))?;
            context.ui.say(&format!("next: plimsoll quarantine replay {}", id.short()));
            Ok(ExitCode::SUCCESS)
        }
        QuarantineCommand::Replay { ids, run, reason } => replay(context, &ids, run.as_deref(), &reason),
        QuarantineCommand::Drop { id, reason } => {
            let (mut session, id) = context.find(Named::Quarantined, &id)?;
            let item = engine::drop_item(&mut session, &id, &reason)?;
            context.ui.print(&item, || format!("{} ({}) is {}", id.short(), item.label, item.status))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(context: &Context, run: Option<&str>, all: bool) -> Result<ExitCode, EngineError> {
    let mut items = Vec::new();
    match run {
        Some(prefix) => {
            let (mut session, id) = context.find(Named::Run, prefix)?;
            items.extend(engine::list(session.store.as_mut(), Some(&id), all)?);
        }
        None => {
            for mut session in context.journals()? {
                items.extend(engine::list(session.store.as_mut(), None, all)?);
            }
        }
    }
    context.ui.print(&items, || {
        if items.is_empty() {
            return "nothing is in quarantine".into();
        }
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        table(&["id", "run", "item", "class", "status", "reason"], &rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn row(item: &Quarantined) -> Vec<String> {
    let reason = item.reason.lines().next().unwrap_or_default();
    vec![
        item.id.short().to_owned(),
        item.run.short().to_owned(),
        item.label.clone(),
        item.class.clone(),
        item.status.clone(),
        reason.chars().take(90).collect(),
    ]
}

fn detail(item: &Quarantined) -> String {
    let pretty = |json: &serde_json::Value| serde_json::to_string_pretty(json).unwrap_or_default();
    let mut lines = vec![
        format!("{}  {}  {}", item.id, item.label, item.status),
        format!("  run {}, item {}, refused at {}", item.run.short(), item.item, item.created_at),
        format!("  {}: {}", item.class, item.reason),
    ];
    if !item.together_with.is_empty() {
        lines.push(format!("  fails together with items {:?}", item.together_with));
    }
    if let Some(record) = &item.record {
        lines.push(format!("record:\n{}", pretty(record)));
    }
    for change in &item.changes {
        let change = serde_json::to_value(change).unwrap_or_default();
        lines.push(format!("change:\n{}", pretty(&change)));
    }
    if let Some(edited) = &item.edited {
        lines.push(format!("edited:\n{}", pretty(edited)));
    }
    lines.join("\n")
}

fn replay(
    context: &Context,
    prefixes: &[String],
    run: Option<&str>,
    reason: &str,
) -> Result<ExitCode, EngineError> {
    let (mut session, ids) = match (run, prefixes.first()) {
        (Some(prefix), _) => {
            let (mut session, id) = context.find(Named::Run, prefix)?;
            let ids = engine::list(session.store.as_mut(), Some(&id), false)?.into_iter().map(|item| item.id);
            let ids = ids.collect();
            (session, ids)
        }
        (None, Some(first)) => {
            let (mut session, _) = context.find(Named::Quarantined, first)?;
            let ids = find_all(&mut session, prefixes)?;
            (session, ids)
        }
        (None, None) => return Err(EngineError::usage("name the items to replay, or --run RUN")),
    };
    let Some(first) = ids.first() else {
        return Err(EngineError::usage("this run has no open item in quarantine"));
    };
    let item = engine::load(session.store.as_mut(), first)?;
    let header = engine_run::load(session.store.as_mut(), &item.run)?;
    let (_, change) = declared(&header.system, &header.change)?;
    let run = engine::replay(&mut session, &ids, change, reason)?;
    apply::finish(context, &report::of_run(session.store.as_mut(), &run)?)
}

fn find_all(session: &mut Session, prefixes: &[String]) -> Result<Vec<Id>, EngineError> {
    prefixes.iter().map(|prefix| setup::find_id(session, Named::Quarantined, prefix)).collect()
}
