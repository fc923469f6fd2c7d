//! `view` of systems whose tables are rows: views that a function answers.
//!
//! Owns the mapping of options to the view's fields and the form of the print. The server's routes ask the same views.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::alias::{self, Answered, Asked, StoreView};
use plimsoll_engine::system::System;
use serde_json::{Map, Value, json};

use super::Context;
use crate::args::ViewArguments;
use crate::exit;
use crate::ui::table;

/// Answers a view, or lists the views.
pub(super) fn view(
    context: &Context,
    system: &System,
    arguments: &ViewArguments,
) -> Result<ExitCode, EngineError> {
    let Some(name) = &arguments.name else {
        let list: Vec<_> = system
            .views
            .iter()
            .map(|view| json!({"name": view.name, "title": view.title, "fields": names(view)}))
            .collect();
        context.ui.print(&list, || {
            let rows: Vec<Vec<String>> = system
                .views
                .iter()
                .map(|view| vec![view.name.to_owned(), names(view).join(", "), view.title.to_owned()])
                .collect();
            table(&["view", "options", "answers"], &rows)
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let view = system.view(name)?;
    let mut fields: Map<String, Value> =
        arguments.options.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    if let Some(limit) = arguments.limit {
        fields.insert("limit".into(), Value::from(limit.to_string()));
    }
    let asked = Asked::read(fields, view.fields).map_err(|faults| {
        let faults: Vec<String> = faults.into_iter().map(|(_, fault)| fault).collect();
        EngineError::usage(format!(
            "{}\nhint: --option NAME=VALUE; it takes {}",
            faults.join("; "),
            names(view).join(", ")
        ))
    })?;
    let mut session = context.session(system)?;
    match alias::ask(&mut session, view, &asked)? {
        Answered::Json(document) => {
            context.ui.print(&document, || shown(&document))?;
            // A verdict that says no is not what a playbook may go on from.
            if document.get("ok") == Some(&Value::Bool(false)) {
                return Ok(exit::incomplete());
            }
        }
        Answered::File { body, .. } => context.ui.line(body.trim_end()),
        Answered::Missing(what) => return Err(EngineError::usage(what)),
    }
    Ok(ExitCode::SUCCESS)
}

fn names(view: &StoreView) -> Vec<String> {
    let name = |field: &alias::Field| format!("{}{}", field.name, if field.required { "" } else { "?" });
    view.fields.iter().map(name).collect()
}

/// A page as a table, and anything else as it is.
fn shown(document: &Value) -> String {
    let items = document.get("items").and_then(Value::as_array);
    let Some(first) = items.and_then(|items| items.first()).and_then(Value::as_object) else {
        if items.is_some() {
            return "nothing".to_owned();
        }
        return format!("{document:#}");
    };
    let columns: Vec<&str> = first.keys().map(String::as_str).collect();
    let cell = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let rows: Vec<Vec<String>> = items
        .into_iter()
        .flatten()
        .map(|item| columns.iter().map(|column| cell(item.get(*column))).collect())
        .collect();
    let total = document.get("total").and_then(Value::as_u64).unwrap_or(0);
    let more = if total > rows.len() as u64 { format!("\n{} of {total}", rows.len()) } else { String::new() };
    format!("{}{more}", table(&columns, &rows))
}
