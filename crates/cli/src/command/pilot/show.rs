//! `pilot show`.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::enrol;
use plimsoll_engine::pilot::select::document::SelectionDocument;
use plimsoll_engine::pilot::select::{export, kept};
use serde_json::json;

use super::print;
use crate::args::ShowArguments;
use crate::command::Context;
use crate::ui::{grouped, plural, table};

/// Shows a selection, one customer of it, or all selections.
pub(super) fn execute(context: &Context, arguments: &ShowArguments) -> Result<ExitCode, EngineError> {
    let mut new = context.new_side()?;
    let store = new.store.as_mut();
    if arguments.list {
        let lines = kept::list(store)?;
        context.ui.print(&lines, || list(&lines))?;
        return Ok(ExitCode::SUCCESS);
    }
    let made = enrol::selection(store, arguments.selection.as_deref())?;
    if let Some(code) = &arguments.customer {
        let about = made.about(code);
        if about.is_empty() {
            return Err(EngineError::usage(format!(
                "selection {} knows no customer `{code}`\nhint: plimsoll pilot show {} --export FILE.csv writes all of them",
                made.number, made.number
            )));
        }
        let documents: Vec<_> = about
            .iter()
            .map(|(one, why)| {
                json!({
                    "selection": made.number,
                    "customer": one,
                    "in": why.is_in(),
                    "why": why,
                    "sentence": why.to_string(),
                })
            })
            .collect();
        context.ui.print(&documents, || print::customers(&about))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = &arguments.export {
        std::fs::write(path, export::to_csv(&made))
            .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?;
        context.ui.say(&format!(
            "{} written to {}",
            plural(made.candidates.len() as u64, "customer"),
            path.display()
        ));
    }
    context.ui.print(&SelectionDocument::of(&made, false), || print::selection(&made))?;
    Ok(ExitCode::SUCCESS)
}

fn list(lines: &[kept::SelectionLine]) -> String {
    if lines.is_empty() {
        return "no selection yet".to_owned();
    }
    let cells = |line: &kept::SelectionLine| {
        vec![
            line.number.to_string(),
            line.id.short().to_owned(),
            grouped(line.members),
            grouped(line.customers),
            line.made_at.clone(),
            line.made_by.clone(),
            line.reason.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = lines.iter().map(cells).collect();
    table(&["number", "id", "members", "of", "made at", "by", "why"], &rows)
}
