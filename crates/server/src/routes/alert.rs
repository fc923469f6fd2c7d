//! `/api/v1/alerts`, `/api/v1/incidents` and `/api/v1/schedules`: what is wrong, and what runs by itself.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_engine::{Session, alert, schedule};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{AnyPage, Page, Window};
use super::planning::Because;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::state::Server;
use crate::work;

/// Which incidents are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Also those that are over.
    #[serde(default)]
    all: bool,
}

/// Incidents, what each severity asks of people, and the notices that wait.
#[utoipa::path(get, path = "/api/v1/alerts", params(Wanted))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, ApiError> {
    let read = move |session: &mut Session| {
        let incidents = alert::list(session, wanted.all)?;
        let notices = alert::notices(session, None)?;
        let responses: Vec<Value> = alert::Severity::ALL
            .iter()
            .map(|severity| json!({ "severity": severity.as_str(), "response": severity.response() }))
            .collect();
        Ok(json!({ "incidents": incidents, "severities": responses, "waiting_notices": notices }))
    };
    server.control.run(&caller.name, read).await.map(Json)
}

/// One incident with its notices.
#[utoipa::path(get, path = "/api/v1/incidents/{incident}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(which): PathPart,
) -> Result<Json<Value>, ApiError> {
    let read = move |session: &mut Session| {
        let incident = alert::find(session, &which)?;
        let notices = alert::notices(session, Some(&incident.id))?;
        let response = incident.severity.response();
        Ok(json!({ "incident": incident, "response": response, "notices": notices }))
    };
    server.control.run(&caller.name, read).await.map(Json).map_err(ApiError::missing)
}

/// Takes an incident: no reminders until it gets worse or is over.
#[utoipa::path(post, path = "/api/v1/incidents/{incident}/acknowledge", request_body = Because)]
pub(crate) async fn acknowledge(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(which): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let work = move |session: &mut Session| {
        let incident = match body.dry_run {
            true => alert::find(session, &which)?,
            false => alert::acknowledge(session, &which, &body.reason)?,
        };
        Ok(json!({ "incident": incident, "dry_run": body.dry_run, "undo": null }))
    };
    server.control.run(&caller.name, work).await.map(Json)
}

/// Says that an incident is over; when its cause still holds, the next signal opens it again.
#[utoipa::path(post, path = "/api/v1/incidents/{incident}/resolve", request_body = Because)]
pub(crate) async fn resolve(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(which): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let work = move |session: &mut Session| {
        let incident = match body.dry_run {
            true => alert::find(session, &which)?,
            false => alert::resolve(session, &which, &body.reason)?,
        };
        Ok(json!({ "incident": incident, "dry_run": body.dry_run, "undo": null }))
    };
    server.control.run(&caller.name, work).await.map(Json)
}

/// What runs by itself, each with when, in words, and its latest runs.
#[utoipa::path(get, path = "/api/v1/schedules", params(Window), responses((status = 200, body = AnyPage)))]
pub(crate) async fn schedules(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Value>>, ApiError> {
    let read = |session: &mut Session| {
        let mut items = Vec::new();
        for known in schedule::list(session)? {
            let words = known.timetable().map(|timetable| timetable.in_words()).unwrap_or_default();
            let history = schedule::history(session, Some(&known.name), 10)?;
            items.push(json!({ "schedule": known, "in_words": words, "runs": history }));
        }
        Ok(items)
    };
    Ok(Json(window.cut(server.control.run(&caller.name, read).await?)))
}

/// Runs a schedule's command now.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/run", request_body = Because)]
pub(crate) async fn run(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(_): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let known = name.clone();
    let find = move |session: &mut Session| schedule::find(session, &known);
    server.control.run(&caller.name, find).await.map_err(ApiError::missing)?;
    server.desks.iter().for_each(|desk| desk.let_go());
    let words = ["schedule", "run", &name, "--json"].map(str::to_owned).to_vec();
    work::run_command(&server, &caller.name, words).await.map(Json)
}

/// Lets a schedule rest.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/pause", request_body = Because)]
pub(crate) async fn pause(
    server: State<Server>,
    caller: Extension<Caller>,
    name: PathPart,
    body: JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    switch(server, caller, name, body, false).await
}

/// Lets a schedule run again.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/resume", request_body = Because)]
pub(crate) async fn resume(
    server: State<Server>,
    caller: Extension<Caller>,
    name: PathPart,
    body: JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    switch(server, caller, name, body, true).await
}

async fn switch(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(body): JsonBody<Because>,
    on: bool,
) -> Result<Json<Value>, ApiError> {
    let work = move |session: &mut Session| {
        let known = match body.dry_run {
            true => schedule::find(session, &name)?,
            false => schedule::set_enabled(session, &name, on, &body.reason)?,
        };
        let back = if on { "disable" } else { "enable" };
        Ok(
            json!({ "schedule": known, "dry_run": body.dry_run, "undo": format!("plimsoll schedule {back} {name} --reason ..") }),
        )
    };
    server.control.run(&caller.name, work).await.map(Json)
}
