//! `/api/v1/playbooks` and `/api/v1/playbook-runs`: plan documents whose steps are executable.
//!
//! Owns the bodies of these routes. A run is a process of its own, this same program, so that a step that fails in any way
//! does not take the server with it.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use plimsoll_engine::playbook::{self, Document, PlaybookRun, PlaybookStatus, Playbooks};
use plimsoll_engine::{EngineError, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{AnyPage, Page, Window};
use super::planning::Because;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::state::Server;
use crate::work::{self, Begun};

fn playbooks(server: &Server) -> Result<Playbooks, EngineError> {
    Playbooks::load(server.settings.library.playbooks, &server.settings.library.folder.join("playbooks"))
}

/// A document by its name; a name that is a path finds nothing here.
fn document(server: &Server, name: &str) -> Result<Document, ApiError> {
    let known = playbooks(server)?;
    let found = known.iter().find(|(document, _)| document.front.playbook == name);
    found
        .map(|(document, _)| document.clone())
        .ok_or_else(|| ApiError::not_found(format!("there is no playbook `{name}`")))
}

/// Every playbook and plan document, with where it stands.
#[utoipa::path(get, path = "/api/v1/playbooks", params(Window), responses((status = 200, body = AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(window): Query<Window>,
) -> Result<Json<Page<playbook::Registered>>, ApiError> {
    let shared = Server::clone(&server);
    let read = move |session: &mut Session| playbook::registry(session, &playbooks(&shared)?);
    Ok(Json(window.cut(server.control.run(&caller.name, read).await?)))
}

/// One playbook: its steps, its text, its runs.
#[utoipa::path(get, path = "/api/v1/playbooks/{name}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
) -> Result<Json<Value>, ApiError> {
    let document = document(&server, &name)?;
    let read = move |session: &mut Session| {
        let runs = playbook::runs(session, Some(&document.front.playbook))?;
        let state = playbook::state(session, &document)?;
        Ok(json!({
            "front": document.front, "state": state, "steps": document.steps, "tasks": document.tasks, "runs": runs,
        }))
    };
    server.control.run(&caller.name, read).await.map(Json)
}

/// Runs of playbooks, newest first.
#[utoipa::path(get, path = "/api/v1/playbook-runs", params(Window), responses((status = 200, body = AnyPage)))]
pub(crate) async fn runs(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(window): Query<Window>,
) -> Result<Json<Page<PlaybookRun>>, ApiError> {
    let read = |session: &mut Session| playbook::runs(session, None);
    Ok(Json(window.cut(server.control.run(&caller.name, read).await?)))
}

/// One run with what was done of each step, and what would take it back.
#[utoipa::path(get, path = "/api/v1/playbook-runs/{run}")]
pub(crate) async fn run(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(run): PathPart,
) -> Result<Json<Value>, ApiError> {
    let read = move |session: &mut Session| {
        let run = playbook::find_run(session, &run)?;
        let document = Document::parse(&run.text)?;
        let (_, mut told) = playbook::run_report(session, &run)?;
        told["declared"] = serde_json::to_value(&document.steps)?;
        told["rollback"] = document
            .steps
            .iter()
            .rev()
            .flat_map(|step| step.rollback.iter().map(|line| json!({ "step": step.id, "line": line })))
            .collect();
        Ok(told)
    };
    server.control.run(&caller.name, read).await.map(Json).map_err(ApiError::missing)
}

/// How a playbook is started.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Starting {
    /// Values of its parameters.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    /// Rehearse: waits and watches take no time.
    #[serde(default)]
    simulated: bool,
    /// Leave what was done when a step fails.
    #[serde(default)]
    keep: bool,
    #[serde(default)]
    reason: String,
    /// Tell the steps only.
    #[serde(default)]
    dry_run: bool,
}

/// Starts a playbook. The answer comes when its run began.
#[utoipa::path(post, path = "/api/v1/playbooks/{name}/start", request_body = Starting)]
pub(crate) async fn start(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(body): JsonBody<Starting>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let document = document(&server, &name)?;
    if body.dry_run {
        return Ok((StatusCode::OK, Json(json!({ "dry_run": true, "steps": document.steps }))));
    }
    let mut words = vec!["playbook".to_owned(), "run".to_owned(), name.clone(), "--json".to_owned()];
    words.extend(["--reason".to_owned(), body.reason]);
    for (name, value) in body.parameters {
        words.extend(["--set".to_owned(), format!("{name}={value}")]);
    }
    words.extend(
        [(body.simulated, "--simulated-clock"), (body.keep, "--keep")]
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, word)| word.to_owned()),
    );
    server.desks.iter().for_each(|desk| desk.let_go());
    let of = name.clone();
    let before = server.control.run(&caller.name, move |session| playbook::runs(session, Some(&of))).await?;
    let before: Vec<_> = before.into_iter().map(|run| run.id).collect();
    let began = move |session: &mut Session| {
        let runs = playbook::runs(session, Some(&name))?;
        Ok(runs.into_iter().map(|run| run.id).find(|run| !before.contains(run)))
    };
    Ok(match work::start_command(&server, &caller, words, (), began).await? {
        Begun::Going(run) => {
            let undo = format!("plimsoll playbook rollback {}", run.short());
            (StatusCode::ACCEPTED, Json(json!({ "run": run, "undo": undo })))
        }
        Begun::Done(told) => (StatusCode::OK, Json(told)),
        Begun::Unknown => (StatusCode::ACCEPTED, Json(json!({ "run": null }))),
    })
}

/// Goes on with a run that waits or was paused.
#[utoipa::path(post, path = "/api/v1/playbook-runs/{run}/continue", request_body = Because)]
pub(crate) async fn go_on(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(run): PathPart,
    JsonBody(_): JsonBody<Because>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let found = find(&server, &caller, run).await?;
    let words = ["playbook", "resume", found.id.as_str(), "--json"].map(str::to_owned).to_vec();
    drive(&server, &caller, found, words).await
}

/// Lets a run stop after the step that it is doing.
#[utoipa::path(post, path = "/api/v1/playbook-runs/{run}/abort", request_body = Because)]
pub(crate) async fn abort(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(run): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let work = move |session: &mut Session| {
        let found = playbook::find_run(session, &run)?;
        playbook::request_pause(session, &found, &body.reason)?;
        Ok(json!({ "run": found.id, "undo": format!("plimsoll playbook resume {}", found.id.short()) }))
    };
    server.control.run(&caller.name, work).await.map(Json)
}

/// Takes a run back, step by step.
#[utoipa::path(post, path = "/api/v1/playbook-runs/{run}/rollback", request_body = Because)]
pub(crate) async fn roll_back(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(run): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let found = find(&server, &caller, run).await?;
    let mut words =
        ["playbook", "rollback", found.id.as_str(), "--json", "--reason"].map(str::to_owned).to_vec();
    words.push(body.reason);
    drive(&server, &caller, found, words).await
}

/// A step that a person approves.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Approving {
    step: String,
    #[serde(default)]
    reason: String,
}

/// Approves a step that waits for a person, in the name of the caller.
#[utoipa::path(post, path = "/api/v1/playbook-runs/{run}/approve", request_body = Approving)]
pub(crate) async fn approve(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(run): PathPart,
    JsonBody(body): JsonBody<Approving>,
) -> Result<Json<Value>, ApiError> {
    let by = caller.name.to_string();
    let work = move |session: &mut Session| {
        let found = playbook::find_run(session, &run)?;
        playbook::approve(session, &found, &body.step, &by, &body.reason)?;
        Ok(json!({ "run": found.id, "step": body.step, "by": by, "undo": null }))
    };
    server.control.run(&caller.name, work).await.map(Json)
}

async fn find(server: &Server, caller: &Caller, run: String) -> Result<PlaybookRun, ApiError> {
    let read = move |session: &mut Session| playbook::find_run(session, &run);
    server.control.run(&caller.name, read).await.map_err(ApiError::missing)
}

/// Runs a command that moves a run, until it is seen to move.
async fn drive(
    server: &Server,
    caller: &Caller,
    run: PlaybookRun,
    words: Vec<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    server.desks.iter().for_each(|desk| desk.let_go());
    let of = run.id.clone();
    let read = move |session: &mut Session| Ok(playbook::entries(session, &of)?.len());
    let before = server.control.run(&caller.name, read).await?;
    let (of, was) = (run.id.clone(), run.status);
    let began = move |session: &mut Session| {
        let now = playbook::find_run(session, of.as_str())?;
        let moved = playbook::entries(session, &of)?.len() > before
            || (now.status != was && now.status == PlaybookStatus::Running);
        Ok(moved.then_some(()))
    };
    Ok(match work::start_command(server, caller, words, (), began).await? {
        Begun::Done(told) => (StatusCode::OK, Json(told)),
        Begun::Going(()) | Begun::Unknown => (StatusCode::ACCEPTED, Json(json!({ "run": run.id }))),
    })
}
