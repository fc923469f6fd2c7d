//! `records`, `versions` and `links`: looking.

use std::process::ExitCode;

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::sync::read::{self, Filter, MergedRow};
use plimsoll_engine::sync::{cached, history, status};
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::super::Context;
use super::arguments::{RecordsArguments, VersionsArguments};
use super::{fields, open, shown, shown_fields};
use crate::registry::{LINKED_SYSTEMS, PILOT_SIDES};
use crate::ui::{duration, grouped, table};

/// Rows as a list of objects, each made when it is written: there may be hundreds of thousands.
struct Listed<'a> {
    rows: &'a [MergedRow],
    names: &'a [&'static str],
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| ListedRow { row, names: self.names }))
    }
}

struct ListedRow<'a> {
    row: &'a MergedRow,
    names: &'a [&'static str],
}

impl Serialize for ListedRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { row, names } = self;
        let own = [("key", Some(row.key.as_str())), ("scope", Some(&row.scope)), ("state", Some(row.badge))];
        let fields = names.iter().copied().zip(row.fields.iter().map(Value::as_text));
        serializer.collect_map(own.into_iter().chain(fields))
    }
}

/// Runs `records`.
pub(crate) fn records(context: &Context, arguments: &RecordsArguments) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let filter = Filter {
        scope: arguments.scope.clone(),
        equal: fields(linked.link, &arguments.equal)?,
        after: arguments.after.clone(),
        limit: if arguments.figures { 0 } else { arguments.limit },
        ..Filter::default()
    };
    let reader = session.actor.clone();
    if arguments.figures {
        let cache = context.config.cache.as_deref();
        let answer = cached::figures(&mut session, linked, cache, &reader, &filter)?;
        let figures: Json = serde_json::from_slice(&answer.bytes)?;
        context.ui.print(&figures, || match &figures {
            Json::Object(map) => {
                map.iter().map(|(name, value)| format!("{name:<16} {value}")).collect::<Vec<_>>().join("\n")
            }
            other => other.to_string(),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = read::rows(&mut session, linked.link, &reader, &filter)?;
    let names = linked.link.mirror().fields;
    context.ui.print(&Listed { rows: &rows, names }, || {
        let mut heads = vec!["key", "scope", "state"];
        // A terminal is not wide enough for all of them; --json has every field.
        let shown_names: Vec<usize> = (0..names.len().min(6)).collect();
        heads.extend(shown_names.iter().map(|at| names[*at]));
        let lines: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let mut line = vec![row.key.clone(), row.scope.clone(), row.badge.to_owned()];
                line.extend(shown_names.iter().map(|at| row.fields.get(*at).map(shown).unwrap_or_default()));
                line
            })
            .collect();
        table(&heads, &lines)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `versions`.
pub(crate) fn versions(context: &Context, arguments: &VersionsArguments) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    let history = history::of(&mut session, linked.link, &arguments.key)?;
    if let Some(number) = arguments.at {
        let row = history.version(number)?;
        context.ui.print(&row, || row.as_ref().map_or_else(|| "(not there)".into(), shown_fields))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(number) = arguments.restore {
        if arguments.dry_run {
            let row = history.version(number)?;
            context.ui.print(&json!({"to": row, "dry_run": true}), || {
                format!("{} would go back to version {number}; nothing was done", arguments.key)
            })?;
            return Ok(ExitCode::SUCCESS);
        }
        let edit = history::restore(&mut session, linked.link, &arguments.key, number)?;
        context.ui.print(&json!({"edit": edit}), || match &edit {
            Some(edit) => format!("{} goes back to version {number}: edit {edit}", arguments.key),
            None => format!("{} is as it was in version {number}", arguments.key),
        })?;
        let system = &arguments.system;
        context.ui.say(&format!(
            "to take it back: plimsoll versions {system} {} --restore {}",
            arguments.key,
            history.steps.len()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let happened = if arguments.happenings {
        status::happenings(&mut session, linked.link, &arguments.key)?
    } else {
        Vec::new()
    };
    context.ui.print(&json!({"history": history, "happenings": happened}), || {
        let rows: Vec<Vec<String>> = history
            .steps
            .iter()
            .map(|step| {
                let fields = step.difference.fields.iter().map(|(name, difference)| {
                    let side = |value: &Option<_>| value.as_ref().map_or_else(|| "(none)".into(), shown);
                    format!("{name}: {} -> {}", side(&difference.before), side(&difference.after))
                });
                vec![
                    step.version.to_string(),
                    step.at.clone(),
                    step.actor.clone(),
                    step.because.clone(),
                    fields.collect::<Vec<_>>().join("; "),
                ]
            })
            .collect();
        let mut text = if rows.is_empty() {
            "it never changed since it was first seen".into()
        } else {
            table(&["version", "at", "actor", "because", "what"], &rows)
        };
        for one in &happened {
            text.push_str(&format!("\n{}  {}  {}  {}", one.at, one.actor, one.kind, one.detail));
        }
        text
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `links`.
pub(crate) fn links(context: &Context) -> Result<ExitCode, EngineError> {
    let mut all = Vec::new();
    for linked in LINKED_SYSTEMS {
        // The pilot's links are there when a pilot is: nobody else's store gets its tables by being asked.
        if PILOT_SIDES.iter().any(|side| side.system.name == linked.system.name) {
            let there = context.store_url(linked.system).and_then(|url| context.open_existing(&url));
            let mirror = there.map(|mut session| session.store.shape(linked.link.mirror().table));
            if !matches!(mirror, Ok(Ok(Some(_)))) {
                continue;
            }
        }
        let (mut session, linked) = open(context, linked.link.name())?;
        all.push((linked.link.name(), status::of(&mut session, linked.link)?));
    }
    let documents: Vec<Json> =
        all.iter().map(|(name, status)| json!({"link": name, "status": status})).collect();
    context.ui.print(&documents, || {
        let mut lines = Vec::new();
        for (name, status) in &all {
            let states: Vec<String> =
                status.edits.iter().map(|(state, count)| format!("{} {state}", grouped(*count))).collect();
            lines.push(format!(
                "{name}: {} rows mirrored; edits: {}; {} due; {} open conflicts",
                grouped(status.mirrored),
                if states.is_empty() { "none".into() } else { states.join(", ") },
                grouped(status.due),
                grouped(status.conflicts)
            ));
            if let Some(oldest) = status.oldest_ms {
                lines.push(format!("  the oldest edit waits for {}", duration(oldest)));
            }
            if let Some((middle, late)) = status.settled_ms {
                lines.push(format!(
                    "  commit to settled in the last hour: p50 {}, p99 {}",
                    duration(middle),
                    duration(late)
                ));
            }
            let work: Vec<String> =
                status.work.iter().map(|(what, count)| format!("{} {what}", grouped(*count))).collect();
            if !work.is_empty() {
                lines.push(format!("  requests: {}", work.join(", ")));
            }
            for pull in &status.pulls {
                let at = |moment: &Option<String>| moment.clone().unwrap_or_else(|| "never".into());
                lines.push(format!(
                    "  {}: changes {}, complete {}",
                    pull.scope,
                    at(&pull.changed_at),
                    at(&pull.complete_at)
                ));
                lines.extend(pull.held.iter().map(|why| format!("    held: {why}")));
                let quiet = "{\"missing\":[],\"unknown\":[]}";
                lines.extend(
                    pull.drift
                        .iter()
                        .filter(|drift| *drift != quiet)
                        .map(|drift| format!("    fields: {drift}")),
                );
            }
        }
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}
