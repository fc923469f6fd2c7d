//! `/api/v1/views` and `/api/v1/dashboards`: named questions, and pages of charts over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::metric::Sample;
use plimsoll_engine::view::{Parameters, Request, Shape, Table, View, to_csv, to_json};
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_store::analytics::ColumnType;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{AnyPage, Page, Window};
use crate::access::Caller;
use crate::body::{PathPart, Query};
use crate::dashboard::{Dashboard, Dashboards, Panel};
use crate::desk::Desk;
use crate::error::ApiError;
use crate::state::Server;

/// Whose views are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    system: Option<String>,
}

fn described(system: &str, view: &View) -> Value {
    let parameters: Vec<Value> =
        view.parameters.iter().map(|name| json!({ "name": name.as_str(), "help": name.help() })).collect();
    let chart = view.chart.as_ref().map(|chart| {
        let roles: BTreeMap<&str, &Vec<&str>> =
            chart.roles.iter().map(|(role, columns)| (*role, columns)).collect();
        json!({ "kind": format!("{:?}", chart.kind).to_lowercase(), "roles": roles })
    });
    json!({
        "system": system,
        "view": view.name,
        "title": view.title,
        "answers": view.answers,
        "parameters": parameters,
        "shape": if view.shape == Shape::Rows { "rows" } else { "object" },
        "chart": chart,
        "requirements": view.requirements,
    })
}

/// Every view.
#[utoipa::path(get, path = "/api/v1/views", params(Wanted, Window), responses((status = 200, body = AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Value>>, ApiError> {
    let mut items = Vec::new();
    for desk in &server.desks {
        let name = desk.system.name;
        if !caller.sees(name) || wanted.system.as_deref().is_some_and(|wanted| wanted != name) {
            continue;
        }
        items.extend(desk.views.iter().map(|view| described(name, view)));
        items.extend(desk.system.computed.iter().map(|computed| {
            json!({
                "system": name, "view": computed.name, "title": computed.title, "answers": computed.answers,
                "parameters": [], "shape": "rows", "chart": null, "requirements": [],
            })
        }));
    }
    Ok(Json(window.cut(items)))
}

/// The answer of a view: columns with types and units, and rows. Further members of the query are its parameters;
/// `format=csv` gives a file.
#[utoipa::path(get, path = "/api/v1/views/{system}/{view}", params(Form))]
pub(crate) async fn show(
    State(server): State<Server>,
    PathPart((system, view)): PathPart<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, ApiError> {
    let desk = server.desk(&system)?;
    let (format, query) = split(query);
    let name = view.clone();
    let answer = ask(desk, view, query, true).await?;
    if format.as_deref() == Some("csv") {
        return Ok(csv(&name, to_csv(&answer)));
    }
    Ok(Json(shaped(&answer)?).into_response())
}

/// In which form an answer is wanted, as the document of the API describes it. Every other member is a parameter of the view.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its shape is used")]
struct Form {
    /// `csv` gives a file.
    format: Option<String>,
}

fn split(mut query: BTreeMap<String, String>) -> (Option<String>, BTreeMap<String, String>) {
    (query.remove("format"), query)
}

/// Asks a view or a computed question. With `strict` a parameter that it does not take is refused, otherwise left out.
async fn ask(
    desk: &Arc<Desk>,
    view: String,
    query: BTreeMap<String, String>,
    strict: bool,
) -> Result<Table, ApiError> {
    let system = desk.system;
    desk.ask(move |store, views| {
        let computed = system.computed.iter().find(|computed| computed.name == view);
        let named = match computed {
            Some(_) => None,
            None => Some(
                View::named(views, &view)
                    .map_err(|error| EngineError::new(ErrorKind::Usage, error.message))?,
            ),
        };
        let mut parameters = Parameters::new();
        for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
            let taken = named.is_none_or(|view| view.parameters.iter().any(|known| known.as_str() == name));
            if taken || strict {
                parameters.set(name, value)?;
            }
        }
        match (named, computed) {
            (Some(view), _) => view.run(store, &parameters),
            (None, Some(computed)) => {
                computed.run(views, store, &Parameters::new(), &Request::at(&MachineClock::new()))
            }
            (None, None) => Err(EngineError::usage(format!("there is no view `{view}`"))),
        }
    })
    .await
}

/// A table as columns and rows, its parts beside it.
fn shaped(table: &Table) -> Result<Value, ApiError> {
    let broken = |error: serde_json::Error| ApiError::internal(error.to_string());
    let told: Value = serde_json::from_str(&to_json(table)).map_err(broken)?;
    let objects = match (&table.shape, told) {
        (Shape::Rows, Value::Array(rows)) => rows,
        (Shape::Object, Value::Object(object)) => vec![Value::Object(object)],
        _ => Vec::new(),
    };
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "type": kind(column.kind), "unit": unit(&column.name, column.kind) }))
        .collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| table.columns.iter().map(|column| object[&*column.name].clone()).collect())
        .collect();
    let mut sections = serde_json::Map::new();
    for section in &table.sections {
        sections.insert(section.name.to_owned(), shaped(&section.table)?);
    }
    let object = (table.shape == Shape::Object).then(|| objects.into_iter().next());
    Ok(json!({ "columns": columns, "rows": rows, "sections": sections, "object": object.flatten() }))
}

fn kind(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Integer => "integer",
        ColumnType::Money => "money",
        ColumnType::Double => "number",
        ColumnType::Timestamp => "timestamp",
        ColumnType::Date => "date",
        ColumnType::Json => "json",
        ColumnType::Boolean => "boolean",
        _ => "text",
    }
}

/// The unit that a column's name says.
fn unit(name: &str, kind: ColumnType) -> Option<&'static str> {
    if kind == ColumnType::Money {
        return Some("USD");
    }
    [
        ("_ms", "ms"),
        ("_seconds", "s"),
        ("_bytes", "bytes"),
        ("percent", "%"),
        ("tokens_per_second", "tokens/s"),
        ("tokens", "tokens"),
        ("characters", "characters"),
        ("_days", "d"),
    ]
    .into_iter()
    .find(|(ending, _)| name.ends_with(ending) || (name.starts_with("tokens_") && *ending == "tokens"))
    .map(|(_, unit)| unit)
}

fn csv(name: &str, text: String) -> Response {
    let file =
        format!("attachment; filename=\"{}.csv\"", name.replace(|sign: char| !sign.is_alphanumeric(), "-"));
    ([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, file)], text)
        .into_response()
}

fn dashboards(server: &Server) -> Dashboards {
    Dashboards::load(server.settings.library.dashboards, &server.settings.library.folder.join("dashboards"))
}

fn find(server: &Server, caller: &Caller, name: &str) -> Result<Dashboard, ApiError> {
    let all = dashboards(server);
    let Some((dashboard, _)) = all.known.get(name) else {
        let error = ApiError::not_found(format!("there is no dashboard `{name}`"));
        return Err(if all.problems.is_empty() { error } else { error.hint(all.problems.join("; ")) });
    };
    if let Some(system) = &dashboard.system {
        caller.must(crate::role::Role::Viewer, system)?;
    }
    Ok(dashboard.clone())
}

/// Every dashboard, and what is wrong with files of the user's.
#[utoipa::path(get, path = "/api/v1/dashboards")]
pub(crate) async fn dashboard_list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
) -> Json<Value> {
    let all = dashboards(&server);
    let items: Vec<Value> = all
        .known
        .values()
        .filter(|(dashboard, _)| dashboard.system.as_deref().is_none_or(|system| caller.sees(system)))
        .map(|(dashboard, from)| {
            json!({
                "dashboard": dashboard.dashboard, "title": dashboard.title, "about": dashboard.about,
                "system": dashboard.system, "panels": dashboard.panels().count(), "from": from,
                "requirements": dashboard.requirements,
            })
        })
        .collect();
    let total = items.len();
    Json(json!({ "items": items, "total": total, "offset": 0, "limit": total, "problems": all.problems }))
}

/// One dashboard: its rows of panels.
#[utoipa::path(get, path = "/api/v1/dashboards/{name}", responses((status = 200, body = Dashboard)))]
pub(crate) async fn dashboard(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
) -> Result<Json<Dashboard>, ApiError> {
    find(&server, &caller, &name).map(Json)
}

/// What a panel shows. Members of the query are the dashboard's parameters; `format=csv` gives a file.
#[utoipa::path(get, path = "/api/v1/dashboards/{name}/panels/{panel}", params(Form))]
pub(crate) async fn panel(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((name, panel)): PathPart<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, ApiError> {
    let dashboard = find(&server, &caller, &name)?;
    let found = dashboard.panels().find(|known| known.panel == panel).cloned();
    let Some(found) = found else {
        return Err(ApiError::not_found(format!("dashboard `{name}` has no panel `{panel}`")));
    };
    let (format, mut query) = split(query);
    query.extend(found.set.clone());
    let wants_csv = format.as_deref() == Some("csv");
    let (told, text) = match (&found.view, &dashboard.system) {
        (Some(view), Some(system)) => {
            let answer = ask(server.desk(system)?, view.clone(), query, false).await?;
            let part = match &found.section {
                Some(section) => answer
                    .section(section)
                    .ok_or_else(|| ApiError::not_found(format!("view `{view}` has no part `{section}`")))?,
                None => &answer,
            };
            (shaped(part)?, wants_csv.then(|| to_csv(part)))
        }
        _ => of_metric(&server, &found).await?,
    };
    if let Some(text) = text.filter(|_| wants_csv) {
        return Ok(csv(&format!("{name}-{panel}"), text));
    }
    Ok(Json(json!({ "panel": found, "data": told })).into_response())
}

/// The samples of a metric: a row for each, its labels and its value.
async fn of_metric(server: &Server, panel: &Panel) -> Result<(Value, Option<String>), ApiError> {
    let name = panel.metric.clone().unwrap_or_default();
    let samples = server.figures.recent(&server.settings.collect).await?;
    let samples: Vec<&Sample> = samples.iter().filter(|sample| sample.name == name).collect();
    let labels: Vec<&str> = samples
        .first()
        .map(|first| first.labels.iter().map(|(label, _)| *label).collect())
        .unwrap_or_default();
    let unit = panel.unit.clone().or_else(|| {
        [("_seconds", "s"), ("_bytes", "bytes"), ("_ratio", "ratio"), ("_dollars", "USD")]
            .into_iter()
            .find(|(ending, _)| name.trim_end_matches("_total").ends_with(ending))
            .map(|(_, unit)| unit.to_owned())
    });
    let mut columns: Vec<Value> =
        labels.iter().map(|label| json!({ "name": label, "type": "text", "unit": null })).collect();
    columns.push(json!({ "name": "value", "type": "number", "unit": unit }));
    let mut text =
        labels.iter().map(|label| quoted(label)).chain(["value".to_owned()]).collect::<Vec<_>>().join(",")
            + "\r\n";
    let mut rows = Vec::new();
    for sample in &samples {
        let mut row: Vec<Value> = sample.labels.iter().map(|(_, value)| json!(value)).collect();
        row.push(json!(sample.value));
        rows.push(Value::Array(row));
        let cells = sample.labels.iter().map(|(_, value)| quoted(value)).chain([sample.value.to_string()]);
        text += &(cells.collect::<Vec<_>>().join(",") + "\r\n");
    }
    let help = samples.first().map(|sample| sample.help);
    Ok((
        json!({ "columns": columns, "rows": rows, "sections": {}, "object": null, "help": help }),
        Some(text),
    ))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
