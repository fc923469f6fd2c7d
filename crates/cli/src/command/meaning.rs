//! `meaning`: texts found by what they mean. Built with the feature `meaning` only.
//!
//! Owns the wording. The model and the index are the engine's.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::meaning::{Hit, Model, fill, search};
use plimsoll_store::duckdb::{Analytics, Resources};

use super::Context;
use crate::args::MeaningCommand;
use crate::registry;
use crate::ui::{grouped, plural, table};

/// Runs the command.
pub(crate) fn execute(context: &Context, command: MeaningCommand) -> Result<ExitCode, EngineError> {
    match command {
        MeaningCommand::Index { system, model } => {
            let system = registry::find_analytic(&system)?;
            let model = Model::load(&model)?;
            let store = Analytics::open(&context.analytic_path(system)?, Resources::default())?;
            let report = fill(&store, &system.texts, &model, &context.ui.progress())?;
            context.ui.print(&report, || {
                format!(
                    "{} embedded, {} removed; {} in all",
                    plural(report.embedded, "text"),
                    grouped(report.removed),
                    grouped(report.indexed)
                )
            })?;
        }
        MeaningCommand::Search { system, text, model, limit } => {
            let system = registry::find_analytic(&system)?;
            let model = Model::load(&model)?;
            let hits = search(&context.analytic(system)?, &system.texts, &model, &text, limit)?;
            context.ui.print(&hits, || {
                let row = |hit: &Hit| {
                    let begins = hit.begins.split_whitespace().collect::<Vec<_>>().join(" ");
                    vec![format!("{:.3}", hit.similarity), hit.id.clone(), hit.session_id.clone(), begins]
                };
                let heads = ["similarity", "text", "session", "begins"];
                table(&heads, &hits.iter().map(row).collect::<Vec<_>>())
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
