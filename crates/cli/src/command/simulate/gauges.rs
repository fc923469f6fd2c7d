//! `simulate gauges`: a calibration laboratory that never was, in the store where the system `gauges` looks for it.
//!
//! Everything goes the way that real work goes: requests through the engine, the earlier system's sets through the backfill
//! with its checks.

use std::process::ExitCode;

use plimsoll_engine::change::request::{self, Answer};
use plimsoll_engine::session::Progress;
use plimsoll_engine::source::SourceRecord;
use plimsoll_engine::{EngineError, ErrorKind, Session};
use plimsoll_simulator::gauges::{Manifest, Request, Settings, generate};
use serde::Serialize;

use crate::args::GaugesArguments;
use crate::command::Context;
use crate::registry::{LABORATORY, backfill};
use crate::ui::plural;

/// Fills the store and prints what is in it.
pub(super) fn execute(context: &Context, arguments: &GaugesArguments) -> Result<ExitCode, EngineError> {
    let mut session = context.session(LABORATORY)?;
    for table in LABORATORY.tables {
        if !session.store.query(&format!("SELECT 1 FROM {table} LIMIT 1"), &[])?.is_empty() {
            return Err(EngineError::usage(format!(
                "{} is in use\nhint: name a folder without one, as in `--data demo`",
                session.store.url()
            )));
        }
    }
    let today: String = session.clock.now().chars().take(10).collect();
    let made = generate(&Settings::of(arguments.sets, arguments.seed, &today, &session.actor));
    make(&mut session, &made.registers, "setting up")?;
    if let Some(file) = &arguments.earlier {
        let text = serde_json::to_string_pretty(&made.earlier)?;
        std::fs::write(file, text)
            .map_err(|error| EngineError::usage(format!("{}: {error}", file.display())))?;
        context.ui.print(&made.manifest, || {
            format!(
                "registers of a demo laboratory, seed {}\n  {}: {} that can be brought in, and some that cannot",
                made.manifest.seed,
                file.display(),
                plural(made.manifest.good_sets, "set"),
            )
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let earlier: Vec<backfill::EarlierGauge> =
        made.earlier.iter().map(|row| serde_json::from_value(row.clone())).collect::<Result<_, _>>()?;
    let report = backfill::run(&mut session, &earlier, false)?;
    if let Some(failed) = report.checks.iter().find(|check| !check.ok) {
        return Err(EngineError::integrity(format!("the check `{}` failed: {}", failed.name, failed.found)));
    }
    make(&mut session, &made.work, "working")?;
    let store = session.store.url().to_string();
    let document = Document {
        store: &store,
        brought_in: report.brought_in,
        left_out: report.assessment.odd.len(),
        manifest: &made.manifest,
    };
    context.ui.print(&document, || text(&document))?;
    Ok(ExitCode::SUCCESS)
}

/// Makes requests one after the other; one that is refused is a mistake of the generator.
fn make(session: &mut Session, requests: &[Request], phase: &'static str) -> Result<(), EngineError> {
    for (at, asked) in requests.iter().enumerate() {
        let change = LABORATORY.change(asked.operation)?;
        let record = SourceRecord { label: asked.operation.to_owned(), body: Ok(asked.fields.clone()) };
        let reason = asked.fields.get("reason").and_then(|reason| reason.as_str()).unwrap_or_default();
        if let Answer::Refused(refusal) = request::perform(session, LABORATORY, change, &record, reason)? {
            return Err(EngineError::new(
                ErrorKind::Source,
                format!("{}: {}", asked.operation, refusal.reason),
            ));
        }
        let (done, total) = (at as u64 + 1, Some(requests.len() as u64));
        (session.progress)(&Progress { phase, done, total, eta_ms: None });
    }
    Ok(())
}

/// What is printed.
#[derive(Serialize)]
struct Document<'made> {
    store: &'made str,
    brought_in: u64,
    left_out: usize,
    #[serde(flatten)]
    manifest: &'made Manifest,
}

fn text(document: &Document<'_>) -> String {
    let manifest = document.manifest;
    format!(
        "demo laboratory, seed {}\n  {}\n  {} brought in, {} left out and listed\n  {} lost, each of a set that is now incomplete; {} checked out; {} with a member that is overdue",
        manifest.seed,
        document.store,
        plural(document.brought_in, "set"),
        document.left_out,
        plural(manifest.lost, "gauge"),
        plural(manifest.checked_out, "set"),
        plural(manifest.overdue_sets, "set"),
    )
}
