//! Plans made, assessed, approved, rejected and applied.
//!
//! Owns the bodies of these routes. A plan is applied by the routine of the command: backup, apply, verify, report.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use plimsoll_engine::change::plan::{self, Plan};
use plimsoll_engine::change::routine::{self, Routine};
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::change::{assess, listing, propose, request, retention};
use plimsoll_engine::source::SourceRequest;
use plimsoll_engine::system::ChangeKind;
use plimsoll_engine::{EngineError, Session, event};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::settings::AskedSettings;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;
use crate::user::in_write;
use crate::work::{self, Begun};

/// Why, in a body that says nothing else.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct Because {
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// How a plan is applied.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct Applying {
    #[serde(default)]
    reason: String,
    /// Settings of the run; what is left out is as the server's configuration says.
    #[serde(default)]
    settings: AskedSettings,
    /// Assess the plan and apply nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What to plan.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Planning {
    /// The change kind.
    change: String,
    /// Options of the change kind.
    #[serde(default)]
    #[schema(value_type = Object)]
    options: Map<String, Value>,
    /// Only records updated since this time.
    since: Option<String>,
    #[serde(default)]
    reason: String,
    /// Assess the plan and keep nothing.
    #[serde(default)]
    dry_run: bool,
}

impl Planning {
    /// What is asked of the change. The reason is a field of one that is made from its options alone; a change with a source
    /// has options of its own, and the reason is the record of changes'.
    fn request(&self, change: &dyn ChangeKind) -> SourceRequest {
        let mut options: Vec<(String, String)> = self
            .options
            .iter()
            .map(|(name, value)| {
                (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect();
        if !change.asks_source()
            && !self.reason.is_empty()
            && options.iter().all(|(name, _)| name != "reason")
        {
            options.push(("reason".to_owned(), self.reason.clone()));
        }
        SourceRequest { known_until: None, since: self.since.clone(), options }
    }
}

/// Makes a plan. A change that is made from its options alone is done at once, in one transaction.
#[utoipa::path(post, path = "/api/v1/systems/{system}/plans", request_body = Planning)]
pub(crate) async fn create(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Planning>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let served = server.system(&system)?;
    let (system, store) = (served.system, server.store_of(served)?);
    let change = system.change(&body.change).map_err(ApiError::from)?;
    let host = std::sync::Arc::clone(&server.settings.host);
    let work = move |session: &mut Session| {
        let asked = body.request(change);
        let mut source = host.source(system, change, session)?;
        if !change.asks_source() && !body.dry_run {
            return at_once(session, system, change, &asked, &body.reason);
        }
        let plan = propose::propose(session, system, change, source.fetch.as_mut(), &source.address, &asked)?;
        if body.dry_run {
            let found = assess::assess(session, &plan, Some(change))?;
            retention::discard(session, &plan.id)?;
            return Ok(json!({ "dry_run": true, "assessment": found }));
        }
        Ok(json!({ "plan": plan.id, "details": plan, "undo": null }))
    };
    // Reading a source may take longer than a request: the plan is in the list then.
    match work::start(store, &caller, work, |_| Ok(None::<()>)).await? {
        Begun::Done(done) => Ok((StatusCode::OK, Json(done))),
        Begun::Going(()) | Begun::Unknown => Ok((StatusCode::ACCEPTED, Json(json!({ "plan": null })))),
    }
}

fn at_once(
    session: &mut Session,
    system: &'static plimsoll_engine::system::System,
    change: &'static dyn ChangeKind,
    asked: &SourceRequest,
    reason: &str,
) -> Result<Value, EngineError> {
    match request::run(session, system, change, asked, reason)? {
        request::Answer::Done { run, changes } => {
            Ok(json!({ "run": run, "rows": changes.len(), "undo": format!("plimsoll undo {}", run.short()) }))
        }
        request::Answer::Unchanged => Ok(json!({ "run": null, "rows": 0, "undo": null })),
        request::Answer::Refused(refusal) => Err(EngineError::refused(refusal.reason)),
    }
}

/// Tries a canary batch of a plan and rolls it back: what it would do.
#[utoipa::path(get, path = "/api/v1/plans/{plan}/assessment")]
pub(crate) async fn assessment(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Viewer, Named::Plan, &prefix).await?;
    let shared = Server::clone(&server);
    let found = store.run(&caller.name, move |session| {
        let plan = plan::load(session.store.as_mut(), &id)?;
        let (_, change) = shared.declared(&plan.system, &plan.change)?;
        Ok(serde_json::to_value(assess::assess(session, &plan, change)?)?)
    });
    Ok(Json(found.await?))
}

/// Approves a plan as it is: the approval is bound to its digest.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/approve", request_body = Because)]
pub(crate) async fn approve(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Approver, Named::Plan, &prefix).await?;
    let approved = store.run(&caller.name, move |session| {
        let plan = plan::load(session.store.as_mut(), &id)?;
        let plan = if body.dry_run { plan } else { plan::approve(session, &id, &body.reason)? };
        Ok(json!({ "plan": plan, "dry_run": body.dry_run, "undo": null }))
    });
    Ok(Json(approved.await?))
}

/// Rejects a plan: it is discarded, and the event says who did so and why.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/reject", request_body = Because)]
pub(crate) async fn reject(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Approver, Named::Plan, &prefix).await?;
    let rejected = store.run(&caller.name, move |session| {
        let plan = plan::load(session.store.as_mut(), &id)?;
        if !listing::of_plan(session.store.as_mut(), &id)?.is_empty() {
            return Err(EngineError::refused("the plan was applied; what it did can be undone"));
        }
        if !body.dry_run {
            retention::discard(session, &id)?;
            in_write(session, |session| {
                let detail = json!({ "digest": plan.digest, "change": plan.change });
                event::record(session, "plan.rejected", id.as_str(), &body.reason, &detail)
            })?;
        }
        Ok(json!({ "rejected": plan.id, "dry_run": body.dry_run, "undo": null }))
    });
    Ok(Json(rejected.await?))
}

/// Applies a plan: backs up where needed, applies in batches, verifies. The answer comes when the run began.
#[utoipa::path(post, path = "/api/v1/plans/{plan}/apply", request_body = Applying)]
pub(crate) async fn apply(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    JsonBody(body): JsonBody<Applying>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let (store, id) = server.find(&caller, Role::Operator, Named::Plan, &prefix).await?;
    let known = {
        let id = id.clone();
        store.run(&caller.name, move |session| plan::load(session.store.as_mut(), &id)).await?
    };
    if body.dry_run {
        let found = assessment(State(Server::clone(&server)), Extension(caller), PathPart(prefix)).await?;
        return Ok((StatusCode::OK, Json(json!({ "dry_run": true, "assessment": found.0 }))));
    }
    let routine = Routine {
        settings: body.settings.over(&server.settings.host.run_settings(&known.system, &known.change)?),
        backups: server.settings.host.backups(store.url()),
        approval_required: server.settings.host.approval_required(),
        reason: body.reason,
    };
    let of = id.clone();
    let before =
        store.run(&caller.name, move |session| listing::of_plan(session.store.as_mut(), &of)).await?;
    let shared = Server::clone(&server);
    let (plan, shown) = (known.clone(), id.clone());
    let work = move |session: &mut Session| apply_plan(session, &shared, &plan, &routine);
    let began = move |session: &mut Session| {
        let runs = listing::of_plan(session.store.as_mut(), &id)?;
        Ok(runs.into_iter().find(|run| !before.contains(run)))
    };
    Ok(match work::start(store, &caller, work, began).await? {
        Begun::Going(run) => {
            let undo = format!("plimsoll undo {}", run.short());
            (StatusCode::ACCEPTED, Json(json!({ "run": run, "plan": shown, "undo": undo })))
        }
        Begun::Done(report) => (StatusCode::OK, Json(report)),
        Begun::Unknown => (StatusCode::ACCEPTED, Json(json!({ "run": null, "plan": shown }))),
    })
}

fn apply_plan(
    session: &mut Session,
    server: &Server,
    plan: &Plan,
    routine: &Routine,
) -> Result<Value, EngineError> {
    let (system, change) = server.declared(&plan.system, &plan.change)?;
    let backup = change.is_none_or(ChangeKind::needs_backup);
    Ok(serde_json::to_value(routine::apply_plan(session, system, change, plan, routine, backup)?)?)
}
