//! `/sync`: how far the link is, and going a round now.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use plimsoll_engine::sync::round::Task;
use plimsoll_engine::sync::status;
use serde::Deserialize;
use serde_json::{Value as Json_, json};

use super::manner::{Dry, Manner};
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::state::Server;

/// How long a caller waits for the end of a round unless it says so, and at most: less than a request may take.
const PATIENCE_MS: (u64, u64) = (10_000, 25_000);
/// Workers of a round.
const WORKERS: usize = 4;

/// Lag, queue, conflicts, outcomes, pulls; and the rounds of this server.
#[utoipa::path(get, path = "/api/v1/systems/{system}/sync")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
) -> Result<Json<Json_>, ApiError> {
    let link = server.link(&system)?;
    let status = link.run(&caller, |session, linked| status::of(session, linked.link)).await?;
    Ok(Json(json!({
        "system": link.linked.system.name,
        "link": link.linked.link.name(),
        "scope_field": link.linked.link.mirror().scope,
        "fields": link.linked.link.mirror().fields,
        "remote_known": link.has_remote(),
        "status": status,
        "rounds": link.rounds(),
    })))
}

/// What a round is to do.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Going {
    #[serde(default = "yes")]
    pull: bool,
    #[serde(default = "yes")]
    send: bool,
    /// Pull everything instead of what changed, and find out what is gone.
    #[serde(default)]
    complete: bool,
    #[serde(default)]
    scopes: Vec<String>,
    wait_ms: Option<u64>,
    #[serde(flatten)]
    manner: Manner,
}

fn yes() -> bool {
    true
}

/// Goes a round: 200 with its report when it ends in time, 202 when it goes on.
#[utoipa::path(post, path = "/api/v1/systems/{system}/sync", params(Dry), request_body = Going)]
pub(crate) async fn go(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<Going>,
) -> Result<(StatusCode, Json<Json_>), ApiError> {
    let link = server.link(&system)?;
    if body.manner.and(dry).is_dry() {
        let status = link.run(&caller, |session, linked| status::of(session, linked.link)).await?;
        return Ok((StatusCode::OK, Json(json!({ "dry_run": true, "due": status.due, "status": status }))));
    }
    let task = Task {
        scopes: body.scopes,
        no_pull: !body.pull,
        complete: body.complete,
        no_send: !body.send,
        workers: WORKERS,
    };
    let patience = Duration::from_millis(body.wait_ms.unwrap_or(PATIENCE_MS.0).min(PATIENCE_MS.1));
    let ended = link.go(&caller, task, server.clock.now(), server.ending.subscribe(), patience).await?;
    Ok(match ended {
        Some(ended) => (StatusCode::OK, Json(json!({ "round": ended, "dry_run": false }))),
        None => (StatusCode::ACCEPTED, Json(json!({ "rounds": link.rounds(), "dry_run": false }))),
    })
}
