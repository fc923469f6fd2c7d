//! Quarantined items repaired, tried, replayed and given up; and the history of any row.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value as Cell;
use plimsoll_engine::change::context::PlanMemory;
use plimsoll_engine::change::quarantine::{self, Quarantined};
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::change::{exchange, history, propose, report, run};
use plimsoll_engine::source::SourceRecord;
use plimsoll_engine::system::ChangeKind;
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::Access;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::planning::Because;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;

/// How an item is repaired: single members, or the whole record.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Repair {
    /// The whole record, repaired.
    body: Option<Value>,
    /// Members of the record by path, such as `meeting.title`.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    #[serde(default)]
    reason: String,
}

/// Repairs an item. It is tried when it is replayed.
#[utoipa::path(post, path = "/api/v1/quarantine/{item}/repair", request_body = Repair)]
pub(crate) async fn repair(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Repair>,
) -> Result<Json<Quarantined>, ApiError> {
    let (store, id) = server.find(&caller, Role::Operator, Named::Quarantined, &prefix).await?;
    let repaired = store.run(&caller.name, move |session| match body.body {
        Some(record) => quarantine::replace(session, &id, &record, &body.reason),
        None if body.fields.is_empty() => {
            Err(EngineError::usage("nothing to repair\nhint: `body` or `fields`"))
        }
        None => {
            let settings: Vec<(String, String)> =
                body.fields.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
            quarantine::edit(session, &id, &settings, &body.reason)
        }
    });
    Ok(Json(repaired.await?))
}

/// Plans an item's repaired record again, as a replay would, and writes nothing: what it would change, or why not.
#[utoipa::path(post, path = "/api/v1/quarantine/{item}/validate", request_body = Because)]
pub(crate) async fn validate(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(_): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Operator, Named::Quarantined, &prefix).await?;
    let shared = Server::clone(&server);
    let found = store.run(&caller.name, move |session| {
        let item = quarantine::load(session.store.as_mut(), &id)?;
        let header = run::load(session.store.as_mut(), &item.run)?;
        let (_, change) = shared.declared(&header.system, &header.change)?;
        plan_again(session, &item, change)
    });
    Ok(Json(found.await?))
}

/// Plans the repaired record against the rows as they are, in a transaction that is taken back.
fn plan_again(
    session: &mut Session,
    item: &Quarantined,
    change: Option<&'static dyn ChangeKind>,
) -> Result<Value, EngineError> {
    let Some((change, body)) = change.zip(item.edited.clone().or_else(|| item.record.clone())) else {
        return Err(EngineError::usage(
            "this item has no source record to plan from\nhint: replay it: it is tried row by row",
        ));
    };
    let record = SourceRecord { label: item.label.clone(), body: Ok(body) };
    let now = plimsoll_core::value::canonical_timestamp(&session.clock.now());
    let mut memory = PlanMemory::of(session);
    session.store.begin(Access::ReadWrite)?;
    let planned = propose::plan_record(session.store.as_mut(), change, &record, &mut memory, &now);
    session.store.rollback()?;
    let Some(planned) = planned? else {
        return Ok(json!({ "ok": true, "changes": [], "refusal": null, "problems": [] }));
    };
    let problems: Vec<String> =
        change.validate(std::slice::from_ref(&planned)).into_iter().map(|(_, problem)| problem).collect();
    let changes: Vec<Value> = planned.changes.iter().map(exchange::describe).collect();
    let ok = planned.refusal.is_none() && problems.is_empty();
    Ok(json!({ "ok": ok, "changes": changes, "refusal": planned.refusal, "problems": problems }))
}

/// Applies an item again, as a further batch of the run that refused it.
#[utoipa::path(post, path = "/api/v1/quarantine/{item}/replay", request_body = Because)]
pub(crate) async fn replay(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Operator, Named::Quarantined, &prefix).await?;
    let shared = Server::clone(&server);
    let done = store.run(&caller.name, move |session| {
        let item = quarantine::load(session.store.as_mut(), &id)?;
        let header = run::load(session.store.as_mut(), &item.run)?;
        let (_, change) = shared.declared(&header.system, &header.change)?;
        let run = quarantine::replay(session, std::slice::from_ref(&id), change, &body.reason)?;
        let report = report::of_run(session.store.as_mut(), &run)?;
        let item = quarantine::load(session.store.as_mut(), &id)?;
        Ok(json!({ "item": item, "report": report, "undo": format!("plimsoll undo {}", run.id.short()) }))
    });
    Ok(Json(done.await?))
}

/// Gives an item up: it stays listed and is not asked about again.
#[utoipa::path(post, path = "/api/v1/quarantine/{item}/discard", request_body = Because)]
pub(crate) async fn discard(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Quarantined>, ApiError> {
    let (store, id) = server.find(&caller, Role::Operator, Named::Quarantined, &prefix).await?;
    let dropped = store.run(&caller.name, move |session| match body.dry_run {
        true => quarantine::load(session.store.as_mut(), &id),
        false => quarantine::drop_item(session, &id, &body.reason),
    });
    Ok(Json(dropped.await?))
}

/// Which row.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Row {
    table: String,
    /// The parts of its key, separated by `/`.
    key: String,
}

/// What runs did to a row, oldest first.
#[utoipa::path(get, path = "/api/v1/systems/{system}/history", params(Row))]
pub(crate) async fn of_row(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(row): Query<Row>,
) -> Result<Json<Value>, ApiError> {
    let served = server.system(&system)?;
    if !served.system.tables.contains(&row.table.as_str()) {
        return Err(ApiError::not_found(format!("`{system}` has no table `{}`", row.table))
            .hint(format!("it has {}", served.system.tables.join(", "))));
    }
    let found = server.store_of(served)?.run(&caller.name, move |session| {
        let mut entries = Vec::new();
        // A key part is the number that it looks like, or text; a table knows only one of the two.
        for key in key_texts(&row.key) {
            entries.extend(history::of_row(session.store.as_mut(), &row.table, &key)?);
        }
        let total = entries.len();
        Ok(json!({ "items": entries, "total": total, "offset": 0, "limit": total }))
    });
    Ok(Json(found.await?))
}

fn key_texts(key: &str) -> Vec<String> {
    let numbers: Option<Vec<Cell>> =
        key.split('/').map(|part| part.parse().ok().map(Cell::Integer)).collect();
    let texts: Vec<Cell> = key.split('/').map(Cell::text).collect();
    numbers.into_iter().chain([texts]).map(|values| RowKey(values).to_text()).collect()
}
