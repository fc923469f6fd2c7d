//! `/events`: what happens at a link, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream;
use serde::Deserialize;

use crate::access::Caller;
use crate::body::{PathPart, Query};
use crate::error::ApiError;
use crate::state::Server;

/// How often a quiet stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where a client stopped, when it cannot send `Last-Event-ID`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Resuming {
    last_event_id: Option<String>,
}

/// Follows a link.
#[utoipa::path(get, path = "/api/v1/systems/{system}/events", params(Resuming))]
pub(crate) async fn follow(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(resuming): Query<Resuming>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, ApiError> {
    let link = server.link(&system)?;
    let sent = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let last = sent.or(resuming.last_event_id).filter(|id| !id.is_empty());
    let room = Arc::clone(&server.event_places).try_acquire_owned();
    let room = room.map_err(|_| ApiError::busy("no further client can follow the events"))?;
    let following = link.follow(&caller, last, server.ending.subscribe(), room).await?;
    let stream = stream::unfold(following, |mut following| async move {
        let notice = following.next().await?;
        Some((Ok(notice.frame()), following))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}
