//! `edit`, `drafts`, `commit`, `discard` and `import`.

use std::process::ExitCode;

use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_engine::sync::edit::{self as edits, EditFilter, EditLine};
use plimsoll_engine::sync::{LinkedSystem, history, read};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

use super::super::Context;
use super::arguments::{DecideArguments, DraftsArguments, EditArguments, ImportArguments};
use super::{fields, open, shown_fields};
use crate::exit;
use crate::ui::{plural, table};

/// Runs `edit`.
pub(crate) fn edit(context: &Context, arguments: &EditArguments) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let given = (!arguments.delete).then(|| fields(linked.link, &arguments.fields)).transpose()?;
    if arguments.dry_run {
        let actor = session.actor.clone();
        let row = read::row(&mut session, linked.link, &actor, &arguments.key)?;
        context.ui.print(
            &json!({"key": arguments.key, "fields": given, "row": row, "dry_run": true}),
            || {
                let what = given.as_ref().map_or_else(|| "deleted".into(), shown_fields);
                format!("{} would be edited: {what}\nnothing was done", arguments.key)
            },
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let scope = arguments.scope.as_deref();
    let (id, _) = edits::draft(&mut session, linked.link, &arguments.key, scope, given.as_ref())?;
    let state = if arguments.commit {
        edits::commit(&mut session, linked.link, &id)?;
        "committed"
    } else {
        "draft"
    };
    context.ui.print(&json!({"edit": id, "key": arguments.key, "state": state}), || {
        format!("{} is edited: {state} {id}", arguments.key)
    })?;
    let system = &arguments.system;
    context.ui.say(&if arguments.commit {
        let versions = history::of(&mut session, linked.link, &arguments.key)?.steps.len();
        let before = versions.saturating_sub(1);
        format!("to take it back: plimsoll versions {system} {} --restore {before}", arguments.key)
    } else {
        format!("next: plimsoll commit {system} {id}; to drop it: plimsoll discard {system} {id}")
    });
    Ok(ExitCode::SUCCESS)
}

fn listed(edits: &[EditLine]) -> String {
    if edits.is_empty() {
        return "there is none".into();
    }
    let rows: Vec<Vec<String>> = edits
        .iter()
        .map(|edit| {
            vec![
                edit.edit.clone(),
                edit.key.clone(),
                edit.author.clone(),
                edit.state.clone(),
                edit.fields.as_ref().map_or_else(|| "(delete)".into(), shown_fields),
                edit.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(&["edit", "record", "author", "state", "fields", "why"], &rows)
}

/// Runs `drafts`.
pub(crate) fn drafts(context: &Context, arguments: &DraftsArguments) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let actor = session.actor.clone();
    let filter = EditFilter {
        author: (!arguments.everybody).then_some(actor.as_str()),
        state: (!arguments.all).then_some(OutboxState::Draft),
        key: arguments.key.as_deref(),
        limit: arguments.limit,
    };
    let edits = edits::list(&mut session, linked.link, filter)?;
    context.ui.print(&edits, || listed(&edits))?;
    Ok(ExitCode::SUCCESS)
}

fn chosen(
    session: &mut Session,
    linked: &LinkedSystem,
    arguments: &DecideArguments,
) -> Result<Vec<String>, EngineError> {
    if !arguments.all {
        return Ok(arguments.edits.clone());
    }
    let actor = session.actor.clone();
    let filter = EditFilter {
        author: Some(&actor),
        state: Some(OutboxState::Draft),
        key: None,
        limit: u64::from(u32::MAX),
    };
    let drafts = edits::list(session, linked.link, filter)?;
    Ok(drafts.into_iter().map(|draft| draft.edit).collect())
}

/// What becomes of each draft: done, or why not.
fn decide(
    context: &Context,
    arguments: &DecideArguments,
    word: &str,
    mut one: impl FnMut(&mut Session, &LinkedSystem, &str) -> Result<(), EngineError>,
) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let edits = chosen(&mut session, linked, arguments)?;
    if arguments.dry_run {
        context.ui.print(&json!({"edits": edits, "dry_run": true}), || {
            format!(
                "{} would be {word}\n{}\nnothing was done",
                plural(edits.len() as u64, "draft"),
                edits.join("\n")
            )
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut problems = Vec::new();
    for edit in &edits {
        match one(&mut session, linked, edit) {
            Ok(()) => {}
            // One of one is the answer; of many, the others go on.
            Err(error) if edits.len() == 1 || error.class.is_some() => return Err(error),
            Err(error) => problems.push((edit.clone(), error.message)),
        }
    }
    let done = edits.len() - problems.len();
    context.ui.print(&json!({word: done, "problems": problems}), || {
        let told = problems.iter().map(|(edit, why)| format!("{edit}: {why}"));
        let first = format!("{} {word}", plural(done as u64, "draft"));
        std::iter::once(first).chain(told).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { exit::incomplete() })
}

/// Runs `commit`.
pub(crate) fn commit(context: &Context, arguments: &DecideArguments) -> Result<ExitCode, EngineError> {
    decide(context, arguments, "committed", |session, linked, edit| {
        edits::commit(session, linked.link, edit).map(drop)
    })
}

/// Runs `discard`.
pub(crate) fn discard(context: &Context, arguments: &DecideArguments) -> Result<ExitCode, EngineError> {
    decide(context, arguments, "discarded", |session, linked, edit| {
        edits::discard(session, linked.link, edit).map(drop)
    })
}

/// Runs `import`.
pub(crate) fn import(context: &Context, arguments: &ImportArguments) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let path = &arguments.file;
    let bytes =
        std::fs::read(path).map_err(|error| EngineError::source(format!("{}: {error}", path.display())))?;
    let imported = (linked.import)(&bytes).map_err(|why| {
        EngineError::source(format!("{}: {why}\nhint: nothing was imported", path.display()))
    })?;
    let mut problems = imported.problems;
    let (mut edited, mut unchanged) = (0_u64, 0_u64);
    let actor = session.actor.clone();
    for row in imported.rows {
        let known = read::row(&mut session, linked.link, &actor, &row.key)?;
        // Only what differs is an edit: a file that was exported and changed in one cell edits one field.
        let mut differing = row.fields;
        if let Some(known) = &known {
            let names = linked.link.mirror().fields;
            differing.retain(|name, value| {
                let held = names.iter().position(|known| known == name).and_then(|at| known.fields.get(at));
                held.is_none_or(|held| held.as_text() != value.as_text() || held.is_null() != value.is_null())
            });
            if differing.is_empty() {
                unchanged += 1;
                continue;
            }
        }
        if arguments.dry_run {
            edited += 1;
            continue;
        }
        let done = edits::draft(&mut session, linked.link, &row.key, row.scope.as_deref(), Some(&differing))
            .and_then(|(id, _)| {
                if !arguments.commit {
                    return Ok(());
                }
                // A line whose edit breaks a rule leaves no draft behind: it is reported, and the file says it again.
                edits::commit(&mut session, linked.link, &id).map(drop).or_else(|refused| {
                    edits::discard(&mut session, linked.link, &id)?;
                    Err(refused)
                })
            });
        match done {
            Ok(()) => edited += 1,
            Err(error) if error.class.is_some() => return Err(error),
            Err(error) => problems.push(plimsoll_engine::sync::declare::Problem {
                line: row.line,
                column: None,
                reason: error.message,
            }),
        }
    }
    problems.sort_by_key(|problem| problem.line);
    let document =
        json!({"edited": edited, "unchanged": unchanged, "problems": problems, "dry_run": arguments.dry_run});
    context.ui.print(&document, || {
        let mut lines = vec![format!(
            "{} {}, {unchanged} unchanged, {}",
            plural(edited, "record"),
            if arguments.dry_run { "would be edited" } else { "edited" },
            plural(problems.len() as u64, "bad line")
        )];
        lines.extend(problems.iter().map(|problem| {
            let column = problem.column.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
            format!("line {}{column}: {}", problem.line, problem.reason)
        }));
        lines.join("\n")
    })?;
    if edited > 0 && !arguments.commit && !arguments.dry_run {
        let system = &arguments.system;
        context.ui.say(&format!(
            "next: plimsoll commit {system} --all; to drop them: plimsoll discard {system} --all"
        ));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { exit::incomplete() })
}
