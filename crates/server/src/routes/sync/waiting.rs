//! What waits: the queue, writes of unknown outcome, dead letters.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_engine::sync::decide;
use plimsoll_engine::sync::status::{self, Queued};
use serde::Deserialize;
use serde_json::{Value as Json_, json};

use super::super::page::{Page, Window};
use super::manner::{Dry, Manner};
use super::shape;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::state::Server;

/// What waits to be sent or read back, the next one first.
#[utoipa::path(get, path = "/api/v1/systems/{system}/queue", params(Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn queue(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(window): Query<Window>,
) -> Result<Json<Page<Queued>>, ApiError> {
    let page = server.link(&system)?.run(&caller, move |session, linked| {
        let (rows, total) =
            status::queue(session, linked.link, window.limit() as u64, window.offset() as u64)?;
        Ok(window.page(rows, usize::try_from(total).unwrap_or(usize::MAX)))
    });
    Ok(Json(page.await?))
}

/// Writes that were sent and whose outcome is not known.
#[utoipa::path(get, path = "/api/v1/systems/{system}/limbo", params(Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn limbo(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(window): Query<Window>,
) -> Result<Json<Page<Json_>>, ApiError> {
    let found = server.link(&system)?.run(&caller, |session, linked| status::limbo(session, linked.link));
    Ok(Json(window.cut(found.await?.iter().map(shape::waiting).collect())))
}

/// Operations that were refused or given up.
#[utoipa::path(get, path = "/api/v1/systems/{system}/dead-letters", params(Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn dead_letters(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(window): Query<Window>,
) -> Result<Json<Page<Json_>>, ApiError> {
    let found =
        server.link(&system)?.run(&caller, |session, linked| status::dead_letters(session, linked.link));
    Ok(Json(window.cut(found.await?.iter().map(shape::waiting).collect())))
}

/// Which dead letters.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Letters {
    key: Option<String>,
    /// Of every record.
    #[serde(default)]
    all: bool,
    #[serde(flatten)]
    manner: Manner,
}

/// Sends dead letters again.
#[utoipa::path(post, path = "/api/v1/systems/{system}/dead-letters/retry", params(Dry), request_body = Letters)]
pub(crate) async fn retry(
    server: State<Server>,
    caller: Extension<Caller>,
    system: PathPart,
    dry: Query<Dry>,
    body: JsonBody<Letters>,
) -> Result<Json<Json_>, ApiError> {
    decided(server, caller, system, dry, body, true).await
}

/// Drops dead letters; their values stay in the record's journal.
#[utoipa::path(post, path = "/api/v1/systems/{system}/dead-letters/drop", params(Dry), request_body = Letters)]
pub(crate) async fn drop_letters(
    server: State<Server>,
    caller: Extension<Caller>,
    system: PathPart,
    dry: Query<Dry>,
    body: JsonBody<Letters>,
) -> Result<Json<Json_>, ApiError> {
    decided(server, caller, system, dry, body, false).await
}

async fn decided(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<Letters>,
    again: bool,
) -> Result<Json<Json_>, ApiError> {
    if body.all == body.key.is_some() {
        return Err(ApiError::usage("either `key` or `\"all\": true` is wanted"));
    }
    let manner = body.manner.and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let mut waiting = status::dead_letters(session, linked.link)?;
        if let Some(key) = &body.key {
            waiting.retain(|waiting| waiting.key == *key);
            if waiting.is_empty() {
                return Ok(None);
            }
        }
        let decided = decide::dead_letters(session, linked.link, &waiting, again, manner.how())?;
        let items: Vec<Json_> = decided
            .iter()
            .map(|one| json!({ "operation": one.what, "key": one.key, "problem": one.problem }))
            .collect();
        Ok(Some(json!({ "items": items, "done": decide::done(&decided), "dry_run": manner.is_dry() })))
    });
    done.await?.map(Json).ok_or_else(|| ApiError::not_found("this record has no dead letter"))
}
