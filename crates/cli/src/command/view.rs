//! `view` and `export` of analytical systems.
//!
//! Owns the mapping of options to a view's parameters, and where files of an export go.

use std::path::Path;
use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::view::{Parameters, View, to_csv, to_json, to_text};
use plimsoll_store::duckdb::{Analytics, Resources};
use serde_json::json;

use super::Context;
use crate::args::ViewArguments;
use crate::registry;
use crate::ui::{plural, table};

/// Answers a named question, or lists the questions.
pub(crate) fn view(context: &Context, arguments: &ViewArguments) -> Result<ExitCode, EngineError> {
    let system = registry::find_analytic(&arguments.system)?;
    let views = View::parse_all(system.views)?;
    let Some(name) = &arguments.name else {
        let list: Vec<_> = views
            .iter()
            .map(|view| json!({"name": view.name, "title": view.title, "answers": view.answers}))
            .collect();
        context.ui.print(&list, || {
            let rows: Vec<Vec<String>> =
                views.iter().map(|view| vec![view.name.to_owned(), view.answers.to_owned()]).collect();
            table(&["view", "answers"], &rows)
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let view = View::named(&views, name)?;
    let mut parameters = Parameters::new();
    let limit = arguments.limit.map(|limit| limit.to_string());
    for (name, value) in [
        ("project", &arguments.project),
        ("agent", &arguments.agent),
        ("model", &arguments.model),
        ("tool", &arguments.tool),
        ("session", &arguments.session),
        ("text", &arguments.text),
        ("from", &arguments.from),
        ("to", &arguments.to),
        ("limit", &limit),
    ] {
        if let Some(value) = value {
            parameters.set(name, value)?;
        }
    }
    let answer = view.run(&context.analytic(system)?, &parameters)?;
    let text = if context.ui.json {
        to_json(&answer)
    } else if arguments.csv {
        to_csv(&answer)
    } else {
        to_text(&answer)
    };
    context.ui.line(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Writes every table as a Parquet file.
pub(crate) fn export(context: &Context, system: &str, folder: &Path) -> Result<ExitCode, EngineError> {
    let system = registry::find_analytic(system)?;
    std::fs::create_dir_all(folder)
        .map_err(|error| EngineError::usage(format!("{}: {error}\nhint: --parquet DIR", folder.display())))?;
    let store = Analytics::open_for_export(&context.analytic_path(system)?, Resources::default())?;
    let mut written = Vec::new();
    let derived = system.documents.derivations().iter().map(|derivation| derivation.table);
    for table in system.documents.tables().iter().copied().chain(derived) {
        let path = folder.join(format!("{}.parquet", table.name));
        let rows = store.export_parquet(table.name, &path)?;
        written.push((table.name, path, rows));
    }
    let document: Vec<_> = written
        .iter()
        .map(|(table, path, rows)| json!({"table": table, "file": path, "rows": rows}))
        .collect();
    context.ui.print(&document, || {
        let rows: Vec<Vec<String>> = written
            .iter()
            .map(|(table, path, rows)| {
                vec![(*table).to_owned(), plural(*rows, "row"), path.display().to_string()]
            })
            .collect();
        table(&["table", "rows", "file"], &rows)
    })?;
    Ok(ExitCode::SUCCESS)
}
