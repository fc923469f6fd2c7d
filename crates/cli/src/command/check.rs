//! `check` of analytical systems: rules about the data, with history and report.
//!
//! Owns the choice of form and the exit code: 0 when no rule of severity `error` is broken, 3 otherwise.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::check::{Check, Checkup};
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::view::View;
use plimsoll_store::duckdb::{Analytics, Resources};

use super::Context;
use crate::args::CheckArguments;
use crate::exit;
use crate::registry;

/// Runs every check of a system, keeps the results, and reports.
pub(crate) fn check(context: &Context, arguments: &CheckArguments) -> Result<ExitCode, EngineError> {
    let system = registry::find_analytic(&arguments.system)?;
    let path = context.analytic_path(system)?;
    if !path.is_file() {
        drop(context.analytic(system)?);
    }
    let store = Analytics::open(&path, Resources::default())?;
    let (checks, views) = (Check::parse_all(system.checks)?, View::parse_all(system.views)?);
    let derived = system.documents.derivations().iter().map(|derivation| derivation.table);
    let tables: Vec<_> = system.documents.tables().iter().copied().chain(derived).collect();
    let clock = MachineClock::new();
    let run = plimsoll_engine::clock::new_id();
    let checkup =
        Checkup { checks: &checks, views: &views, tables: &tables, clock: &clock, run_id: run.as_str() };
    let report = checkup.run(&store)?;
    if let Some(file) = &arguments.report {
        std::fs::write(file, report.to_markdown()).map_err(|error| {
            EngineError::usage(format!("{}: {error}\nhint: --report FILE", file.display()))
        })?;
        context.ui.say(&format!("report written to {}", file.display()));
    }
    let text = if context.ui.json { report.to_json() } else { report.to_text() };
    context.ui.line(text.trim_end());
    Ok(if report.is_healthy() { ExitCode::SUCCESS } else { exit::incomplete() })
}
