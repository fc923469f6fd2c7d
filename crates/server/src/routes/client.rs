//! Following the flags: the stream of events, who is connected, and acknowledgements.
//!
//! Owns `/ofrep/v1/events` (the OFREP stream of `refetchEvaluation` notices), `/api/v1/flag-clients` and
//! `/api/v1/flag-versions/{version}/arrival`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::body::{JsonBody, PathPart, Query};
use crate::clients::{Arrival, Client, Connection};
use crate::error::ApiError;
use crate::events;
use crate::state::Server;

/// How often a quiet stream shows that it is alive. Clients take it for broken after 120 s of silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a caller may wait for acknowledgements.
const MOST_PATIENCE: Duration = Duration::from_secs(10);

/// How a client connects.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Connecting {
    /// What it calls itself, for people.
    #[serde(default)]
    client: String,
    /// Whether it will acknowledge each version.
    #[serde(default)]
    acknowledge: bool,
    /// Where it stopped; for clients that cannot send `Last-Event-ID`.
    last_event_id: Option<u64>,
}

/// The stream of notices that the flags changed.
#[utoipa::path(get, path = "/ofrep/v1/events", params(Connecting))]
pub(crate) async fn events(
    State(server): State<Server>,
    Query(connecting): Query<Connecting>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, ApiError> {
    let sent = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let name: String = connecting.client.chars().filter(|sign| !sign.is_control()).take(64).collect();
    let last = sent.or(connecting.last_event_id);
    let connection = server
        .clients
        .connect(&name, connecting.acknowledge, last, server.clock.now())
        .ok_or_else(|| ApiError::busy("no further client can follow the flags"))?;
    let welcome = connecting.acknowledge.then(|| welcome(&server, &connection));
    let following = Following { welcome, connection, ending: server.ending.subscribe() };
    let stream = stream::unfold(following, Following::next);
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Following {
    welcome: Option<sse::Event>,
    connection: Connection,
    ending: watch::Receiver<bool>,
}

impl Following {
    async fn next(mut self) -> Option<(Result<sse::Event, Infallible>, Self)> {
        if let Some(welcome) = self.welcome.take() {
            return Some((Ok(welcome), self));
        }
        let event = tokio::select! {
            event = self.connection.subscription.next() => event?,
            _ = self.ending.wait_for(|ending| *ending) => return None,
        };
        Some((Ok(frame(&event)), self))
    }
}

fn frame(event: &events::Event) -> sse::Event {
    sse::Event::default().id(event.id.to_string()).event("message").data(&*event.data)
}

/// Tells a client that acknowledges its id and where to acknowledge. Its own kind of event, which OFREP's clients ignore.
fn welcome(server: &Server, connection: &Connection) -> sse::Event {
    let client = &connection.client;
    let data = json!({
        "type": "welcome",
        "client": client,
        "version": server.live.version(),
        "acknowledge": format!("/api/v1/flag-clients/{client}/acknowledge"),
    });
    sse::Event::default().event("plimsoll").data(data.to_string())
}

/// Everybody who follows the flags.
#[utoipa::path(get, path = "/api/v1/flag-clients")]
pub(crate) async fn list(State(server): State<Server>) -> Json<Vec<Client>> {
    Json(server.clients.list())
}

/// What a client acknowledges.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Acknowledgement {
    version: u64,
}

/// Notes that a client works with a version.
#[utoipa::path(post, path = "/api/v1/flag-clients/{client}/acknowledge", request_body = Acknowledgement)]
pub(crate) async fn acknowledge(
    State(server): State<Server>,
    PathPart(client): PathPart,
    JsonBody(body): JsonBody<Acknowledgement>,
) -> Result<Json<Value>, ApiError> {
    let current = server.live.version();
    if body.version > current {
        return Err(ApiError::usage(format!("version {} is not there yet; it is {current}", body.version)));
    }
    if !server.clients.acknowledge(&client, body.version) {
        return Err(ApiError::not_found(format!("no client `{client}` is connected"))
            .hint("connect to /ofrep/v1/events?acknowledge=true and use the id that the first event gives"));
    }
    Ok(Json(json!({ "client": client, "version": body.version })))
}

/// How long the caller waits for acknowledgements.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Patience {
    wait_ms: Option<u64>,
}

impl Patience {
    /// The time to wait: a second unless the caller says otherwise, and never too long.
    pub(crate) fn duration(self) -> Duration {
        Duration::from_millis(self.wait_ms.unwrap_or(1_000)).min(MOST_PATIENCE)
    }
}

/// How far a version has got with the clients that were connected when it was pushed.
#[utoipa::path(get, path = "/api/v1/flag-versions/{version}/arrival", params(Patience))]
pub(crate) async fn arrival(
    State(server): State<Server>,
    PathPart(version): PathPart,
    Query(patience): Query<Patience>,
) -> Result<Json<Arrival>, ApiError> {
    let version = version.parse().map_err(|_| ApiError::usage(format!("`{version}` is no version")))?;
    server.clients.wait(version, None, patience.duration()).await.map(Json).ok_or_else(|| {
        ApiError::not_found(format!("version {version} was not pushed by this server, or long ago"))
            .hint(format!("it pushes version {} now", server.live.version()))
    })
}
