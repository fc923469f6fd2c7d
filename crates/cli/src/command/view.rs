//! `view` and `export` of analytical systems; views of other systems are `store_view`'s.
//!
//! Owns the mapping of options to a view's parameters, and where files of an export go.

use std::path::Path;
use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::view::{Parameters, Request, View, to_csv, to_json, to_text};
use plimsoll_store::duckdb::{Analytics, Resources};
use serde_json::json;

use super::Context;
use crate::args::ViewArguments;
use crate::registry;
use crate::ui::{plural, table};

/// Answers a named question, or lists the questions.
pub(crate) fn view(context: &Context, arguments: &ViewArguments) -> Result<ExitCode, EngineError> {
    if let Some(system) = registry::SYSTEMS.iter().find(|system| system.name == arguments.system) {
        return super::store_view::view(context, system, arguments);
    }
    let system = registry::find_analytic(&arguments.system)?;
    let views = View::parse_all(system.views)?;
    if let Some(times) = arguments.measure {
        let chosen: Vec<&View> = match &arguments.name {
            Some(name) => vec![View::named(&views, name)?],
            None => views.iter().collect(),
        };
        return measure(context, &context.analytic(system)?, &chosen, times);
    }
    let Some(name) = &arguments.name else {
        let list: Vec<_> = views
            .iter()
            .map(|view| json!({"name": view.name, "title": view.title, "answers": view.answers}))
            .chain(system.computed.iter().map(
                |computed| json!({"name": computed.name, "title": computed.title, "answers": computed.answers}),
            ))
            .collect();
        context.ui.print(&list, || {
            let named = views.iter().map(|view| (view.name, view.answers));
            let computed = system.computed.iter().map(|computed| (computed.name, computed.answers));
            let rows: Vec<Vec<String>> = named
                .chain(computed)
                .map(|(name, answers)| vec![name.to_owned(), answers.to_owned()])
                .collect();
            table(&["view", "answers"], &rows)
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let computed = system.computed.iter().find(|computed| computed.name == name);
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
    let store = context.analytic(system)?;
    let answer = match computed {
        Some(computed) => computed.run(&views, &store, &parameters, &request(arguments)?)?,
        None => {
            let view = View::named(&views, name)?;
            if arguments.days.is_some() || arguments.budget.is_some() || arguments.bill.is_some() {
                return Err(EngineError::usage(format!(
                    "view `{name}` takes neither --days, --budget nor --bill\nhint: forecast, budget and bill do"
                )));
            }
            view.run(&store, &parameters)?
        }
    };
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

/// What a computed question is asked besides.
fn request(arguments: &ViewArguments) -> Result<Request, EngineError> {
    let bill = match &arguments.bill {
        Some(path) => Some(
            std::fs::read_to_string(path)
                .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?,
        ),
        None => None,
    };
    let (days, budget) = (arguments.days, arguments.budget.clone());
    Ok(Request { days, budget, bill, ..Request::at(&MachineClock::new()) })
}

/// Runs views again and again, and prints the median and the 95th percentile of their times. Views are asked without
/// parameters, except for a session where that is what they are about: the one with the most parts.
fn measure(
    context: &Context,
    store: &Analytics,
    views: &[&View],
    times: u32,
) -> Result<ExitCode, EngineError> {
    let sql = "SELECT session_id FROM parts GROUP BY session_id ORDER BY count(*) DESC, session_id LIMIT 1";
    let largest = store.query(sql, &[])?.rows;
    let largest = largest.first().and_then(|row| row[0].as_text()).unwrap_or_default().to_owned();
    let mut measured = Vec::new();
    for view in views {
        let mut parameters = Parameters::new();
        if view.parameters.iter().any(|name| name.as_str() == "session") {
            parameters.set("session", &largest)?;
        }
        if view.parameters.iter().any(|name| name.as_str() == "text") {
            parameters.set("text", "error")?;
        }
        let mut took = Vec::new();
        for _ in 0..times {
            let began = std::time::Instant::now();
            view.run(store, &parameters)?;
            took.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        took.sort_by(f64::total_cmp);
        // The nearest rank: with 20 times the 19th.
        let p95 = took[(took.len() * 95).div_ceil(100) - 1];
        measured.push((view.name, took[took.len() / 2], p95, view.budget_ms));
    }
    measured.sort_by(|a, b| b.2.total_cmp(&a.2));
    let rounded = |ms: f64| (ms * 100.0).round() / 100.0;
    let document: Vec<_> = measured
        .iter()
        .map(|(name, p50, p95, budget)| {
            json!({"view": name, "p50_ms": rounded(*p50), "p95_ms": rounded(*p95), "budget_ms": budget})
        })
        .collect();
    context.ui.print(&document, || {
        let rows: Vec<Vec<String>> = measured
            .iter()
            .map(|(name, p50, p95, budget)| {
                vec![(*name).to_owned(), format!("{p50:.2}"), format!("{p95:.2}"), budget.to_string()]
            })
            .collect();
        table(&["view", "p50 ms", "p95 ms", "budget ms"], &rows)
    })?;
    let late = measured.iter().any(|(_, _, p95, budget)| *p95 > *budget as f64);
    Ok(if late { crate::exit::incomplete() } else { ExitCode::SUCCESS })
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
