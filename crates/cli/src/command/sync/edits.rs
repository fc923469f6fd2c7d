//! `edit`, `drafts`, `commit`, `discard` and `import`.

use std::process::ExitCode;

use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_engine::sync::decide::{self, Chosen, Decision};
use plimsoll_engine::sync::edit::{self as edits, EditFilter, EditLine, How};
use plimsoll_engine::sync::{history, import, read};
use plimsoll_engine::{EngineError, ErrorKind};
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
        let before = history::newest(&mut session, linked.link, &arguments.key)?.saturating_sub(1);
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
        ..EditFilter::default()
    };
    let edits = edits::list(&mut session, linked.link, filter)?;
    context.ui.print(&edits, || listed(&edits))?;
    Ok(ExitCode::SUCCESS)
}

/// What becomes of each draft: done, or why not.
fn decide(
    context: &Context,
    arguments: &DecideArguments,
    word: &str,
    decision: Decision,
) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let chosen = if arguments.all { Chosen::All } else { Chosen::Edits(arguments.edits.clone()) };
    let edits = decide::chosen(&mut session, linked.link, &chosen)?;
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
    let decided = decide::drafts(&mut session, linked.link, &edits, decision, How::default())?;
    let problems: Vec<(&String, &String)> =
        decided.iter().filter_map(|one| Some((&one.what, one.problem.as_ref()?))).collect();
    let done = decide::done(&decided);
    context.ui.print(&json!({word: done, "problems": problems}), || {
        let told = problems.iter().map(|(edit, why)| format!("{edit}: {why}"));
        let first = format!("{} {word}", plural(done, "draft"));
        std::iter::once(first).chain(told).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { exit::incomplete() })
}

/// Runs `commit`.
pub(crate) fn commit(context: &Context, arguments: &DecideArguments) -> Result<ExitCode, EngineError> {
    decide(context, arguments, "committed", Decision::Commit)
}

/// Runs `discard`.
pub(crate) fn discard(context: &Context, arguments: &DecideArguments) -> Result<ExitCode, EngineError> {
    decide(context, arguments, "discarded", Decision::Discard)
}

/// Runs `import`.
pub(crate) fn import(context: &Context, arguments: &ImportArguments) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let path = &arguments.file;
    let bytes =
        std::fs::read(path).map_err(|error| EngineError::source(format!("{}: {error}", path.display())))?;
    let how = How { dry_run: arguments.dry_run, why: "import" };
    let report = import::take(&mut session, linked, &bytes, arguments.commit, how).map_err(|error| {
        // A file that cannot be read is no wrong command.
        let kind = if error.kind == ErrorKind::Usage { ErrorKind::Source } else { error.kind };
        EngineError { kind, ..error.during(&path.display().to_string()) }
    })?;
    let (edited, unchanged, problems) = (report.edited, report.unchanged, &report.problems);
    context.ui.print(&report, || {
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
