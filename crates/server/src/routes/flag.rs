//! `/api/v1/flags`: what flags there are, who gets them and why, and changing them.
//!
//! Owns the bodies of these routes. Every change is the engine's (`flag::change`), with its audit, its analysis and its
//! refusal to swap a live pilot; afterwards everybody who follows the flags is told.

use std::collections::BTreeSet;
use std::time::Instant;

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::flag::{Flag, Percent};
use plimsoll_engine::flag::explain::{self, Explanation};
use plimsoll_engine::flag::{Changed, EvaluationContext, How, StoredFlag, change, moment, store};
use plimsoll_engine::{EngineError, Session};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::Patience;
use super::page::{Page, Window};
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::clients::Arrival;
use crate::edit;
use crate::error::ApiError;
use crate::live;
use crate::state::Server;

/// How a change is made: members of every changing body.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[schema(as = FlagManner)]
pub(crate) struct Manner {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    override_swap: bool,
}

impl Manner {
    fn how(&self) -> How<'_> {
        How { dry_run: self.dry_run, override_swap: self.override_swap, ..How::because(&self.reason) }
    }
}

/// What a change did, and how far it has got.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    #[serde(flatten)]
    changed: Changed,
    /// The command that takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<String>,
    /// Clients that have acknowledged it; absent when nothing was pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrival: Option<Arrival>,
}

/// Which flags are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    #[serde(default)]
    archived: bool,
}

/// The flags by name.
#[utoipa::path(get, path = "/api/v1/flags", params(Wanted, Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    Query(window): Query<Window>,
) -> Result<Json<Page<StoredFlag>>, ApiError> {
    let read = move |session: &mut Session| store::list(session.store.as_mut(), wanted.archived);
    Ok(Json(window.cut(server.control.run(&caller.name, read).await?)))
}

/// One flag.
#[utoipa::path(get, path = "/api/v1/flags/{flag}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
) -> Result<Json<StoredFlag>, ApiError> {
    let read = move |session: &mut Session| store::find(session.store.as_mut(), &name);
    server.control.run(&caller.name, read).await.map(Json).map_err(ApiError::missing)
}

/// Every change of a flag, oldest first.
#[utoipa::path(get, path = "/api/v1/flags/{flag}/history")]
pub(crate) async fn history(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
) -> Result<Json<Vec<explain::Entry>>, ApiError> {
    let read = move |session: &mut Session| explain::history(session, &name);
    server.control.run(&caller.name, read).await.map(Json).map_err(ApiError::missing)
}

/// Who asks, and as of when.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Question {
    #[schema(value_type = Object)]
    context: Map<String, Value>,
    at: Option<String>,
}

/// Who gets a flag and why, now or at a past time.
#[utoipa::path(post, path = "/api/v1/flags/{flag}/explain", request_body = Question)]
pub(crate) async fn explain(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(question): JsonBody<Question>,
) -> Result<Json<Explanation>, ApiError> {
    let ask = move |session: &mut Session| {
        let now = session.clock.now();
        let at = question.at.as_deref().map(|at| moment::parse(at, &now)).transpose()?;
        explain::explain(session, &name, &EvaluationContext::from_json(&question.context), at.as_deref())
    };
    Ok(Json(server.control.run(&caller.name, ask).await?))
}

/// A new flag: its definition, and how.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Creation {
    name: String,
    #[schema(value_type = Object)]
    #[serde(default)]
    definition: Map<String, Value>,
    #[serde(flatten)]
    manner: Manner,
}

/// Creates a flag; it is off unless its definition says otherwise.
#[utoipa::path(post, path = "/api/v1/flags", request_body = Creation)]
pub(crate) async fn create(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<Creation>,
) -> Result<Json<Done>, ApiError> {
    let Creation { name, definition, manner } = body;
    let work = move |session: &mut Session| {
        let mut flag = Flag::new(name);
        edit::merge(&mut flag, definition)?;
        change::create(session, flag, &manner.how())
    };
    make(&server, &caller, work).await
}

/// What to change about a flag.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Setting {
    /// Members of the definition, merged into it (RFC 7396).
    #[schema(value_type = Object)]
    #[serde(default)]
    definition: Map<String, Value>,
    /// The percentage that gets it; turns it on, unless it was killed.
    #[schema(value_type = Option<f64>)]
    percent: Option<Percent>,
    #[serde(flatten)]
    manner: Manner,
}

/// Changes a flag's definition.
#[utoipa::path(post, path = "/api/v1/flags/{flag}/set", request_body = Setting)]
pub(crate) async fn set(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(body): JsonBody<Setting>,
) -> Result<Json<Done>, ApiError> {
    let Setting { definition, percent, manner } = body;
    let work = move |session: &mut Session| {
        let now = session.clock.now();
        change::update(session, &name, "flag.changed", &manner.how(), |flag| {
            edit::merge(flag, definition)?;
            percent.map_or(Ok(()), |percent| edit::set_percent(flag, percent, &now))
        })
    };
    make(&server, &caller, work).await
}

/// Whom to put on a list, or take off it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Listing {
    keys: BTreeSet<String>,
    #[serde(default)]
    remove: bool,
    /// The variant that they get (allow list).
    variant: Option<String>,
    #[serde(flatten)]
    manner: Manner,
}

/// Puts keys on the allow list.
#[utoipa::path(post, path = "/api/v1/flags/{flag}/allow", request_body = Listing)]
pub(crate) async fn allow(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(body): JsonBody<Listing>,
) -> Result<Json<Done>, ApiError> {
    let Listing { keys, remove, variant, manner } = body;
    let work = move |session: &mut Session| {
        change::update(session, &name, "flag.allowed", &manner.how(), |flag| {
            flag.allow.retain(|key, _| !keys.contains(key));
            if !remove {
                flag.allow.extend(keys.into_iter().map(|key| (key, variant.clone())));
            }
            Ok(())
        })
    };
    make(&server, &caller, work).await
}

/// Puts keys on the deny list.
#[utoipa::path(post, path = "/api/v1/flags/{flag}/deny", request_body = Listing)]
pub(crate) async fn deny(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(body): JsonBody<Listing>,
) -> Result<Json<Done>, ApiError> {
    let Listing { keys, remove, manner, .. } = body;
    let work = move |session: &mut Session| {
        change::update(session, &name, "flag.denied", &manner.how(), |flag| {
            flag.deny.retain(|key| !keys.contains(key));
            if !remove {
                flag.deny.extend(keys);
            }
            Ok(())
        })
    };
    make(&server, &caller, work).await
}

/// Turns a flag off for everybody and waits for the clients to say that it has arrived.
#[utoipa::path(post, path = "/api/v1/flags/{flag}/kill", params(Patience), request_body = Manner)]
pub(crate) async fn kill(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    Query(patience): Query<Patience>,
    JsonBody(manner): JsonBody<Manner>,
) -> Result<Json<Done>, ApiError> {
    let started = Instant::now();
    let work = move |session: &mut Session| change::kill(session, &name, &manner.how());
    let Json(mut done) = make(&server, &caller, work).await?;
    if !done.changed.dry_run
        && let Ok(version) = u64::try_from(done.changed.version)
    {
        done.arrival = server.clients.wait(version, Some(started), patience.duration()).await;
    }
    Ok(Json(done))
}

/// Runs a change in the control store and tells everybody who follows the flags before answering.
async fn make(
    server: &Server,
    caller: &Caller,
    work: impl FnOnce(&mut Session) -> Result<Changed, EngineError> + Send + 'static,
) -> Result<Json<Done>, ApiError> {
    let shared = Server::clone(server);
    let both = move |session: &mut Session| {
        let changed = work(session)?;
        if !changed.dry_run {
            live::refresh(&shared, session)?;
        }
        Ok(changed)
    };
    let changed = server.control.run(&caller.name, both).await?;
    Ok(Json(Done { undo: undo(&changed), changed, arrival: None }))
}

/// The command that takes a change back.
fn undo(changed: &Changed) -> Option<String> {
    let name = &changed.after.flag.name;
    let written = !changed.dry_run && !changed.is_noop();
    written.then(|| match &changed.before {
        Some(before) => format!("plimsoll flag set {name} --to-version {} --reason ..", before.version),
        None => format!("plimsoll flag delete {name} --reason .."),
    })
}
