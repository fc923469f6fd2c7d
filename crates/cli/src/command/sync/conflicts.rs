//! `conflicts`, `limbo` and `dead-letters`: what waits for a person.

use std::collections::BTreeMap;
use std::process::ExitCode;

use plimsoll_core::sync::conflict::{ConflictKind, Pick};
use plimsoll_core::sync::merge::Side;
use plimsoll_core::value::Value;
use plimsoll_engine::sync::conflicts::{self as inbox, ConflictFilter, ConflictLine};
use plimsoll_engine::sync::edit::How;
use plimsoll_engine::sync::status::{self, Waiting};
use plimsoll_engine::sync::{Link, LinkedSystem, decide};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

use super::super::Context;
use super::arguments::{
    ConflictsCommand, DeadLetterArguments, DeadLettersCommand, LimboArguments, SideArgument,
};
use super::{open, shown};
use crate::exit;
use crate::ui::{plural, table};

/// Every conflict.
const ALL: u64 = u32::MAX as u64;

fn pick(side: SideArgument) -> Pick {
    match side {
        SideArgument::Mine => Pick::Mine,
        SideArgument::Theirs => Pick::Theirs,
    }
}

fn side(side: SideArgument) -> Side {
    match side {
        SideArgument::Mine => Side::Mine,
        SideArgument::Theirs => Side::Theirs,
    }
}

fn kind(conflict: &ConflictLine) -> String {
    match &conflict.question.kind {
        ConflictKind::Edits => "both sides edited it".into(),
        ConflictKind::DeletedThere => "edited here, deleted there".into(),
        ConflictKind::DeletedHere => "deleted here, edited there".into(),
        ConflictKind::Doubtful => {
            "an increment was sent, and the remote does not tell whether it arrived: theirs if it did, mine if not".into()
        }
        ConflictKind::BrokenRule(rule) => format!("merged, it breaks a rule: {rule}"),
    }
}

fn side_by_side(conflict: &ConflictLine) -> String {
    let cell = |value: &Option<Value>| value.as_ref().map_or_else(|| "(gone)".into(), shown);
    let fields = conflict.question.fields.iter();
    let rows: Vec<Vec<String>> = fields
        .map(|(name, asked)| vec![name.clone(), shown(&asked.base), cell(&asked.mine), cell(&asked.theirs)])
        .collect();
    format!(
        "{} (revision {}): {}\n{}",
        conflict.key,
        conflict.revision,
        kind(conflict),
        table(&["field", "base", "mine", "theirs"], &rows)
    )
}

/// Runs `conflicts`.
pub(crate) fn conflicts(context: &Context, command: ConflictsCommand) -> Result<ExitCode, EngineError> {
    match command {
        ConflictsCommand::List { system, all, limit } => {
            let (mut session, linked) = open(context, &system)?;
            let filter = ConflictFilter { closed: all, limit, ..ConflictFilter::default() };
            let found = inbox::list(&mut session, linked.link, filter)?;
            context.ui.print(&found, || {
                let rows: Vec<Vec<String>> = found.iter().map(row).collect();
                if rows.is_empty() {
                    "there is none".into()
                } else {
                    table(&["record", "revision", "what", "fields", "asked at", "closed by"], &rows)
                }
            })?;
            Ok(ExitCode::SUCCESS)
        }
        ConflictsCommand::Show { system, key } => {
            let (mut session, linked) = open(context, &system)?;
            let conflict = inbox::open(&mut session, linked.link, &key)?;
            context.ui.print(&conflict, || side_by_side(&conflict))?;
            context.ui.say(&format!("next: plimsoll conflicts resolve {system} {key} --take mine|theirs"));
            Ok(ExitCode::SUCCESS)
        }
        ConflictsCommand::Resolve {
            system, key: Some(key), take, field, revision, reason, dry_run, ..
        } => {
            let (mut session, linked) = open(context, &system)?;
            let conflict = inbox::open(&mut session, linked.link, &key)?;
            let fields = picks(linked.link, &field)?;
            let answer = inbox::answer(&conflict, revision, take.map(pick), fields)?;
            if dry_run {
                context
                    .ui
                    .print(&json!({"conflict": conflict, "answer": answer, "dry_run": true}), || {
                        format!("{}\nwould be decided; nothing was done", side_by_side(&conflict))
                    })?;
                return Ok(ExitCode::SUCCESS);
            }
            inbox::resolve(&mut session, linked.link, &key, &answer, &why(&reason))?;
            context.ui.print(&json!({"key": key, "revision": answer.shown, "answer": answer}), || {
                format!("conflict {} of {key} is decided", answer.shown)
            })?;
            context
                .ui
                .say(&format!("to take it back: plimsoll conflicts undo {system} {key} {}", answer.shown));
            Ok(ExitCode::SUCCESS)
        }
        ConflictsCommand::Resolve { system, take, reason, dry_run, .. } => {
            let (mut session, linked) = open(context, &system)?;
            let found = inbox::list(
                &mut session,
                linked.link,
                ConflictFilter { limit: ALL, ..ConflictFilter::default() },
            )?;
            if dry_run {
                context.ui.print(&found, || {
                    let shown: Vec<String> = found.iter().map(side_by_side).collect();
                    format!("{}\nwould be decided; nothing was done", shown.join("\n\n"))
                })?;
                return Ok(ExitCode::SUCCESS);
            }
            let side = take.map_or(Pick::Theirs, pick);
            let done = inbox::resolve_all(&mut session, linked.link, &found, &side, &why(&reason))?;
            told(context, "decided", &done)
        }
        ConflictsCommand::Undo { system, key, revision, dry_run } => {
            let (mut session, linked) = open(context, &system)?;
            if dry_run {
                let filter = ConflictFilter { closed: true, key: Some(&key), limit: ALL, offset: 0 };
                let found: Vec<ConflictLine> = inbox::list(&mut session, linked.link, filter)?
                    .into_iter()
                    .filter(|line| line.revision == revision)
                    .collect();
                context
                    .ui
                    .print(&found, || "what it gave up would be edited again; nothing was done".into())?;
                return Ok(ExitCode::SUCCESS);
            }
            let edit = inbox::undo(&mut session, linked.link, &key, revision)?;
            context.ui.print(&json!({"edit": edit, "key": key}), || {
                format!("what the answer gave up is edited again: {edit}")
            })?;
            Ok(ExitCode::SUCCESS)
        }
        ConflictsCommand::Rule { system, field, take, reason, dry_run } => {
            rule(context, &system, &field, take, &reason, dry_run)
        }
    }
}

fn why(reason: &str) -> String {
    if reason.is_empty() { "a person decided".into() } else { reason.to_owned() }
}

fn row(line: &ConflictLine) -> Vec<String> {
    let fields: Vec<&str> = line.question.fields.keys().map(String::as_str).collect();
    vec![
        line.key.clone(),
        line.revision.to_string(),
        kind(line),
        fields.join(", "),
        line.opened_at.clone(),
        line.closed_by.clone().unwrap_or_default(),
    ]
}

fn picks(link: &dyn Link, words: &[String]) -> Result<BTreeMap<String, Pick>, EngineError> {
    words
        .iter()
        .map(|word| {
            if let Some((name, text)) = word.split_once(":=") {
                let value =
                    link.parse(name, text).map_err(|why| EngineError::usage(format!("{name}: {why}")))?;
                return Ok((name.to_owned(), Pick::Value(value)));
            }
            match word.split_once('=') {
                Some((name, "mine")) => Ok((name.to_owned(), Pick::Mine)),
                Some((name, "theirs")) => Ok((name.to_owned(), Pick::Theirs)),
                _ => Err(EngineError::usage(format!(
                    "`{word}` is no answer\nhint: model=mine, model=theirs or model:=VALUE"
                ))),
            }
        })
        .collect()
}

fn told(context: &Context, word: &str, done: &[inbox::Decided]) -> Result<ExitCode, EngineError> {
    let problems: Vec<(&String, &String)> =
        done.iter().filter_map(|(key, outcome)| Some((key, outcome.as_ref().err()?))).collect();
    let count = (done.len() - problems.len()) as u64;
    context.ui.print(&json!({word: count, "problems": problems}), || {
        let lines = problems.iter().map(|(key, why)| format!("{key}: {why}"));
        std::iter::once(format!("{} {word}", plural(count, "record")))
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { exit::incomplete() })
}

fn rule(
    context: &Context,
    system: &str,
    field: &str,
    take: Option<SideArgument>,
    reason: &str,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, system)?;
    if let (true, Some(take)) = (dry_run, take) {
        let run = inbox::dry_run(&mut session, linked.link, field, side(take))?;
        context.ui.print(&run, || {
            let mut lines = vec![format!(
                "{field} was asked in {}: {} answered the same, {} otherwise; {} would be lost\nnothing was done",
                plural(run.asked, "conflict"),
                run.same,
                run.other,
                plural(run.lost.len() as u64, "value")
            )];
            lines.extend(run.lost.iter().map(|(key, value)| format!("  {key}: {}", shown(value))));
            lines.join("\n")
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    inbox::set_rule(&mut session, linked.link, field, take.map(side), reason)?;
    context.ui.print(
        &json!({"field": field, "take": take.map(|take| format!("{take:?}").to_lowercase())}),
        || match take {
            Some(SideArgument::Mine) => format!("{field}: mine wins from now on"),
            Some(SideArgument::Theirs) => format!("{field}: theirs wins from now on"),
            None => format!("{field}: a person decides again"),
        },
    )?;
    if take.is_some() {
        context.ui.say(&format!("to take it back: plimsoll conflicts rule {system} {field}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn waiting_table(waiting: &[Waiting]) -> String {
    if waiting.is_empty() {
        return "there is none".into();
    }
    let rows: Vec<Vec<String>> = waiting
        .iter()
        .map(|waiting| {
            vec![
                waiting.key.clone(),
                waiting.operation.id.to_string(),
                waiting.operation.attempts.to_string(),
                waiting.operation.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(&["record", "operation", "attempts", "why"], &rows)
}

/// Runs `limbo`.
pub(crate) fn limbo(context: &Context, arguments: &LimboArguments) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let waiting = status::limbo(&mut session, linked.link)?;
    context.ui.print(&waiting, || waiting_table(&waiting))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `dead-letters`.
pub(crate) fn dead_letters(context: &Context, command: DeadLettersCommand) -> Result<ExitCode, EngineError> {
    match command {
        DeadLettersCommand::List { system } => {
            let (mut session, linked) = open(context, &system)?;
            let waiting = status::dead_letters(&mut session, linked.link)?;
            context.ui.print(&waiting, || waiting_table(&waiting))?;
            Ok(ExitCode::SUCCESS)
        }
        DeadLettersCommand::Retry(arguments) => dead_letter(context, &arguments, true),
        DeadLettersCommand::Drop(arguments) => dead_letter(context, &arguments, false),
    }
}

fn dead_letter(
    context: &Context,
    arguments: &DeadLetterArguments,
    again: bool,
) -> Result<ExitCode, EngineError> {
    let (mut session, linked): (Session, &LinkedSystem) = open(context, &arguments.system)?;
    let mut waiting = status::dead_letters(&mut session, linked.link)?;
    if let Some(key) = &arguments.key {
        waiting.retain(|waiting| waiting.key == *key);
        if waiting.is_empty() {
            let hint = format!("`plimsoll dead-letters list {}` lists them", arguments.system);
            return Err(EngineError::usage(format!("`{key}` has no dead letter\nhint: {hint}")));
        }
    }
    if arguments.dry_run {
        context.ui.print(&waiting, || format!("{}\nnothing was done", waiting_table(&waiting)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let decided = decide::dead_letters(&mut session, linked.link, &waiting, again, How::default())?;
    let done: Vec<inbox::Decided> =
        decided.into_iter().map(|one| (one.key, one.problem.map_or(Ok(()), Err))).collect();
    told(context, if again { "queued" } else { "dropped" }, &done)
}
