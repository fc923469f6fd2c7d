//! Putting evidence on record: sign-offs, drills, test reports, facts, trials.

use std::path::Path;
use std::process::ExitCode;

use plimsoll_core::digest::Hashing;
use plimsoll_core::gate::declare::Duration;
use plimsoll_engine::gate::{self as engine_gate, Kind, Record};
use plimsoll_engine::{EngineError, Session};
use serde_json::{Value as Json, json};

use super::arguments::{DrillArguments, FileArguments, SignOffArguments};
use super::read;
use crate::args::TrialArguments;
use crate::command::Context;
use crate::ui::table;

/// Where a file is, and what was in it.
fn source(file: &Path, text: &str) -> String {
    let mut hashing = Hashing::new("evidence file");
    hashing.part(text.as_bytes());
    let digest = hashing.hex();
    format!("{} (digest {})", file.display(), digest.get(..16).unwrap_or(&digest))
}

/// The moment `span` after `at`.
fn after(at: &str, span: Duration) -> Result<String, EngineError> {
    plimsoll_engine::clock::later(at, span.ms)
}

fn put(
    context: &Context,
    session: &mut Session,
    record: &Record,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    if !dry_run {
        engine_gate::record(session, record)?;
    }
    let document = json!({ "recorded": !dry_run, "record": record });
    let verb = if dry_run { "would be put on record" } else { "on record" };
    context.ui.print(&document, || {
        let until = record.expires_at.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
        format!("{} `{}` {verb}{until}: {}", record.kind.as_str(), record.name, record.source)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `gate sign-off`.
pub(super) fn sign_off(context: &Context, arguments: &SignOffArguments) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let body = json!({ "by": arguments.by, "signed": !arguments.withdraw });
    let mut record = Record::new(&session, Kind::SignOff, &arguments.role, arguments.by.clone(), body);
    record.reason.clone_from(&arguments.reason);
    record.expires_at = arguments.expires.map(|span| after(&record.at, span)).transpose()?;
    let code = put(context, &mut session, &record, arguments.dry_run)?;
    if !arguments.withdraw {
        context.ui.say(&format!(
            "undo with: plimsoll gate sign-off {} --by {:?} --withdraw",
            arguments.role, arguments.by
        ));
    }
    Ok(code)
}

/// `gate drill record`.
pub(super) fn drill(context: &Context, arguments: &DrillArguments) -> Result<ExitCode, EngineError> {
    let text = read(&arguments.file)?;
    let mut session = context.control_session()?;
    let mut body = json!({ "passed": arguments.passed });
    if let Some(took) = arguments.took {
        body["minutes"] = Json::from(took.ms as f64 / 60_000.0);
    }
    let mut record =
        Record::new(&session, Kind::Drill, &arguments.name, source(&arguments.file, &text), body);
    record.reason.clone_from(&arguments.reason);
    record.expires_at = arguments.expires.map(|span| after(&record.at, span)).transpose()?;
    put(context, &mut session, &record, arguments.dry_run)
}

/// `gate report record`.
pub(super) fn report(context: &Context, arguments: &FileArguments) -> Result<ExitCode, EngineError> {
    let text = read(&arguments.file)?;
    let found = engine_gate::read_tests(&text)
        .map_err(|error| error.during(&arguments.file.display().to_string()))?;
    let at = found.at.clone();
    file_record(context, arguments, Kind::TestReport, &text, serde_json::to_value(&found)?, at)
}

/// `gate facts record`.
pub(super) fn facts(context: &Context, arguments: &FileArguments) -> Result<ExitCode, EngineError> {
    let text = read(&arguments.file)?;
    let wrong = |problem: &str| {
        EngineError::usage(format!(
            "{}: {problem}\nhint: one JSON object of numbers and truth values, such as {{\"coverage_percent\": 91.2}}",
            arguments.file.display()
        ))
    };
    let body: Json = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
    if body.as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(wrong("it states nothing"));
    }
    let at = body.get("at").and_then(Json::as_str).map(str::to_owned);
    file_record(context, arguments, Kind::Facts, &text, body, at)
}

fn file_record(
    context: &Context,
    arguments: &FileArguments,
    kind: Kind,
    text: &str,
    body: Json,
    at: Option<String>,
) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let mut record = Record::new(&session, kind, &arguments.name, source(&arguments.file, text), body);
    let now = record.at.clone();
    // What is told of happened when the file says so, but never after now.
    record.at = at.map_or(now.clone(), |at| at.min(now.clone()));
    record.reason.clone_from(&arguments.reason);
    record.expires_at = arguments.expires.map(|span| after(&now, span)).transpose()?;
    put(context, &mut session, &record, arguments.dry_run)
}

/// `gate evidence`.
pub(super) fn list(context: &Context) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let records = engine_gate::list(&mut session)?;
    context.ui.print(&records, || {
        let row = |record: &Record| {
            vec![
                record.kind.as_str().to_owned(),
                record.name.clone(),
                record.at.clone(),
                record.expires_at.clone().unwrap_or_default(),
                record.actor.clone(),
                record.source.clone(),
            ]
        };
        table(
            &["kind", "name", "at", "expires", "actor", "from"],
            &records.iter().map(row).collect::<Vec<_>>(),
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Puts a trial on record, for gates that ask for its decision and for people who read it.
pub(crate) fn trial(
    context: &Context,
    name: &str,
    arguments: &TrialArguments,
    body: Json,
) -> Result<(), EngineError> {
    // `--store` of a trial is the system's store, not the control store.
    let mut session = context.systems().control_session()?;
    let mut record = Record::new(&session, Kind::Trial, name, arguments.out.display().to_string(), body);
    record.reason.clone_from(&arguments.reason);
    if let Some(at) = record.body.pointer("/about/finished_at").and_then(Json::as_str) {
        record.at = at.to_owned();
    }
    engine_gate::record(&mut session, &record)
}
