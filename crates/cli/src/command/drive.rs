//! `run` of a drive: many requests from one file.
//!
//! Owns reading the file, the backup before, and the print. What the file holds is the system's.

use std::fmt::Write as _;
use std::process::ExitCode;

use plimsoll_engine::change::drive::{Drive, DriveReport};
use plimsoll_engine::change::routine;
use plimsoll_engine::system::System;
use plimsoll_engine::{EngineError, ErrorKind};
use serde::Serialize;

use super::Context;
use crate::args::RunArguments;
use crate::exit;
use crate::ui::plural;

/// What is printed.
#[derive(Serialize)]
struct Document {
    drive: &'static str,
    /// The backup that was made before, which takes everything back.
    backup: Option<String>,
    #[serde(flatten)]
    report: DriveReport,
}

/// Goes through the file. Exit code 3 when records were left out, 1 when a check afterwards does not hold.
pub(super) fn run(
    context: &Context,
    system: &System,
    drive: &Drive,
    arguments: &RunArguments,
) -> Result<ExitCode, EngineError> {
    let Some(source) = &arguments.source.source else {
        return Err(EngineError::usage(format!(
            "`{}` needs its file\nhint: --source FILE: {}",
            drive.name, drive.document
        )));
    };
    let text =
        std::fs::read_to_string(source).map_err(|error| EngineError::usage(format!("{source}: {error}")))?;
    let mut session = context.session(system)?;
    let dry_run = arguments.settings.dry_run;
    let backup = if drive.needs_backup && !dry_run {
        let folder = context.backups(&session.store.url());
        Some(routine::make_backup(&mut session, system, &folder)?.id.to_string())
    } else {
        None
    };
    let report = (drive.run)(&mut session, &text, dry_run)
        .map_err(|error| error.during(&format!("reading {source}")))?;
    let document = Document { drive: drive.name, backup, report };
    context.ui.print(&document, || shown(&document))?;
    if let Some(failed) = document.report.checks.iter().find(|check| !check.ok) {
        let back = document.backup.as_deref().map_or_else(String::new, |backup| {
            format!("\nhint: plimsoll restore {} {backup} takes it back", system.name)
        });
        return Err(EngineError::new(
            ErrorKind::Integrity,
            format!("the check `{}` failed: {}{back}", failed.name, failed.found),
        ));
    }
    if let Some(backup) = &document.backup {
        context.ui.say(&format!("take back with: plimsoll restore {} {backup}", system.name));
    }
    Ok(if document.report.left_out.is_empty() { ExitCode::SUCCESS } else { exit::incomplete() })
}

fn shown(document: &Document) -> String {
    let report = &document.report;
    let mut text = format!(
        "{}{}: {}\n  {} done, {} there already, {} left out\n",
        document.drive,
        if report.dry_run { " (dry run, nothing was written)" } else { "" },
        plural(report.records, "record"),
        report.done,
        report.there_already,
        report.left_out.len(),
    );
    // Writing to a String cannot fail.
    for undone in report.left_out.iter().take(50) {
        let _ = writeln!(text, "  {}: {}", undone.record, undone.reasons.join("; "));
    }
    if report.left_out.len() > 50 {
        let _ = writeln!(text, "  .. and {} more; --json names all", report.left_out.len() - 50);
    }
    for check in &report.checks {
        let _ =
            writeln!(text, "  {} {}: {}", if check.ok { "ok  " } else { "FAIL" }, check.name, check.found);
    }
    text
}
