//! `/api/v1/runs`: runs with their reports and events.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_engine::Session;
use plimsoll_engine::change::listing;
use plimsoll_engine::change::report::{self, RunReport};
use plimsoll_engine::change::run::{self, Run};
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::event::{self, Event};
use serde::{Deserialize, Serialize};

use super::page::{Page, Window};
use super::plan::seen;
use crate::access::Caller;
use crate::body::{PathPart, Query};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;

/// Which runs are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    system: Option<String>,
    change: Option<String>,
    status: Option<String>,
    /// Of this plan.
    plan: Option<String>,
}

/// A run with what a person asks about it.
#[derive(Debug, Serialize)]
pub(crate) struct Detail {
    run: Run,
    report: RunReport,
    events: Vec<Event>,
}

/// Runs of all stores, newest first.
#[utoipa::path(get, path = "/api/v1/runs", params(Wanted, Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Run>>, ApiError> {
    let listed = listing::Wanted {
        change: wanted.change,
        status: wanted.status,
        plan: wanted.plan,
        ..seen(&server, &caller, wanted.system.as_deref())
    };
    let (mut runs, mut total) = (Vec::new(), 0);
    for store in &server.stores {
        let (listed, end) = (listed.clone(), window.end());
        let read = move |session: &mut Session| listing::runs(session.store.as_mut(), &listed, end);
        let (some, count) = store.run(&caller.name, read).await?;
        runs.extend(some);
        total += count;
    }
    runs.sort_by(|a, b| b.started_at.cmp(&a.started_at));
    Ok(Json(window.of(runs, total)))
}

/// One run, its report and its events.
#[utoipa::path(get, path = "/api/v1/runs/{run}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
) -> Result<Json<Detail>, ApiError> {
    let (store, id) = server.find(&caller, Role::Viewer, Named::Run, &prefix).await?;
    let detail = store.run(&caller.name, move |session| {
        let store = session.store.as_mut();
        let run = run::load(store, &id)?;
        let report = report::of_run(store, &run)?;
        let events = event::list(store, Some(id.as_str()))?;
        Ok(Detail { run, report, events })
    });
    Ok(Json(detail.await?))
}
