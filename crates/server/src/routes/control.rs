//! Runs paused, cancelled, gone on with and taken back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use plimsoll_core::undo::UndoMode;
use plimsoll_engine::change::run::{self, RunSettings};
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::change::{control, listing, report, retention, undo as taking_back, verify};
use plimsoll_engine::{EngineError, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use super::planning::Because;
use super::settings::AskedSettings;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;
use crate::work::{self, Begun};

/// Lets a run stop after its current batch.
#[utoipa::path(post, path = "/api/v1/runs/{run}/pause", request_body = Because)]
pub(crate) async fn pause(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Operator, Named::Run, &prefix).await?;
    let paused = store.run(&caller.name, move |session| control::pause(session, &id, &body.reason)).await?;
    let undo = format!("plimsoll resume {}", paused.id.short());
    Ok(Json(json!({ "run": paused, "undo": undo })))
}

/// Ends a run after its current batch; what it applied stays and can be undone.
#[utoipa::path(post, path = "/api/v1/runs/{run}/cancel", request_body = Because)]
pub(crate) async fn cancel(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Operator, Named::Run, &prefix).await?;
    let ended = store.run(&caller.name, move |session| control::cancel(session, &id, &body.reason)).await?;
    let undo = format!("plimsoll undo {}", ended.id.short());
    Ok(Json(json!({ "run": ended, "undo": undo })))
}

/// How a run goes on.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct Resuming {
    #[serde(default)]
    #[expect(dead_code, reason = "it is in the record of changes; the engine keeps none for this")]
    reason: String,
    /// Settings from here on; what is left out stays as the run has it.
    #[serde(default)]
    settings: AskedSettings,
}

/// Goes on with a run.
#[utoipa::path(post, path = "/api/v1/runs/{run}/resume", request_body = Resuming)]
pub(crate) async fn resume(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Resuming>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    body.settings.of_begun()?;
    let (store, id) = server.find(&caller, Role::Operator, Named::Run, &prefix).await?;
    let shared = Server::clone(&server);
    let of = id.clone();
    let epoch =
        store.run(&caller.name, move |session| Ok(run::load(session.store.as_mut(), &of)?.epoch)).await?;
    let (of, seen) = (id.clone(), id.clone());
    let work = move |session: &mut Session| {
        let known = run::load(session.store.as_mut(), &of)?;
        let (_, change) = shared.declared(&known.system, &known.change)?;
        let run = control::resume(session, &of, change, &|settings| {
            *settings = body.settings.over(settings);
        })?;
        Ok(serde_json::to_value(report::of_run(session.store.as_mut(), &run)?)?)
    };
    let began = move |session: &mut Session| {
        let known = run::load(session.store.as_mut(), &seen)?;
        Ok((known.epoch > epoch).then_some(()))
    };
    work::start(store, &caller, work, began).await?;
    let undo = format!("plimsoll pause {}", id.short());
    Ok((StatusCode::ACCEPTED, Json(json!({ "run": id, "undo": undo }))))
}

/// How a run is taken back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Undoing {
    /// `refuse`, `skip`, `merge`, `cascade` or `force`; `skip` unless said.
    mode: Option<String>,
    #[serde(default)]
    reason: String,
    /// Settings of the run that takes it back.
    #[serde(default)]
    settings: AskedSettings,
    /// Tell what it would do.
    #[serde(default)]
    dry_run: bool,
}

fn mode_of(word: Option<&str>) -> Result<UndoMode, ApiError> {
    let Some(word) = word else { return Ok(UndoMode::default()) };
    UndoMode::ALL.into_iter().find(|mode| mode.to_string() == word).ok_or_else(|| {
        let words: Vec<String> = UndoMode::ALL.iter().map(ToString::to_string).collect();
        ApiError::usage(format!("`{word}` is no mode")).hint(format!("the modes are {}", words.join(", ")))
    })
}

/// Takes a run back, or tells what that would do.
#[utoipa::path(post, path = "/api/v1/runs/{run}/undo", request_body = Undoing)]
pub(crate) async fn undo(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Undoing>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let mode = mode_of(body.mode.as_deref())?;
    let (store, id) = server.find(&caller, Role::Operator, Named::Run, &prefix).await?;
    if body.dry_run {
        let previewed = store.run(&caller.name, move |session| preview(session, &id, mode)).await?;
        return Ok((StatusCode::OK, Json(previewed)));
    }
    let before = {
        let id = id.clone();
        store.run(&caller.name, move |session| listing::undoing(session.store.as_mut(), &id)).await?
    };
    let (of, seen) = (id.clone(), id.clone());
    let work = move |session: &mut Session| {
        let settings = body.settings.over(&RunSettings::default());
        let mut reports = Vec::new();
        for run in taking_back::undo(session, &of, mode, &settings, &body.reason)? {
            let mut report = report::of_run(session.store.as_mut(), &run)?;
            report.verified = Some(verify::verify(session, &run.id)?.ok);
            reports.push(report);
        }
        if reports.is_empty() {
            return Err(EngineError::usage(format!("run {} has nothing to undo", of.short())));
        }
        Ok(json!({ "runs": reports }))
    };
    let began = move |session: &mut Session| {
        Ok(listing::undoing(session.store.as_mut(), &seen)?.into_iter().find(|run| !before.contains(run)))
    };
    Ok(match work::start(store, &caller, work, began).await? {
        Begun::Going(run) => {
            let back = format!("plimsoll redo {}", run.short());
            (StatusCode::ACCEPTED, Json(json!({ "run": run, "undoes": id, "undo": back })))
        }
        Begun::Done(done) => (StatusCode::OK, Json(done)),
        Begun::Unknown => (StatusCode::ACCEPTED, Json(json!({ "run": null, "undoes": id }))),
    })
}

fn preview(session: &mut Session, id: &plimsoll_core::id::Id, mode: UndoMode) -> Result<Value, EngineError> {
    let (plan, preview) = taking_back::plan_undo(session, id, mode)?;
    retention::discard(session, &plan.id)?;
    Ok(json!({ "dry_run": true, "preview": preview }))
}

/// What each of the five modes would do to a run; a mode that refuses says why.
#[utoipa::path(get, path = "/api/v1/runs/{run}/undo-modes")]
pub(crate) async fn modes(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Viewer, Named::Run, &prefix).await?;
    let mut items = Vec::new();
    for mode in UndoMode::ALL {
        let of = id.clone();
        // Each on a session of its own: one that refused is not used again.
        let found = store.run(&caller.name, move |session| preview(session, &of, mode)).await;
        items.push(match found {
            Ok(found) => json!({ "mode": mode.to_string(), "preview": found["preview"], "refusal": null }),
            Err(error) if error.status.is_server_error() => return Err(error),
            Err(error) => json!({ "mode": mode.to_string(), "preview": null, "refusal": error.detail }),
        });
    }
    Ok(Json(json!({ "run": id, "items": items })))
}
