//! `/parity`: whether both sides say the same, and a plan that makes them.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::pilot::cutover::Side;
use plimsoll_engine::change::assess::{self, Assessment};
use plimsoll_engine::change::plan::Plan;
use plimsoll_engine::change::retention;
use plimsoll_engine::pilot::examine::{Examine, Examined, examine, prepare, refuse_deletes, through};
use plimsoll_engine::pilot::record::SideStore;
use plimsoll_engine::pilot::repair::{Repair, plan_repair};
use plimsoll_engine::{EngineError, Session};
use serde::{Deserialize, Serialize};

use super::{pilot_of, said};
use crate::access::Caller;
use crate::body::{JsonBody, PathPart};
use crate::error::ApiError;
use crate::pilots::PilotState;
use crate::state::Server;

/// Differing records of each entity that are told, unless a request says otherwise.
const SHOWN: usize = 20;

/// How both sides are to be compared.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Comparing {
    /// Compute all sums anew.
    #[serde(default)]
    build: bool,
    #[serde(default)]
    entities: BTreeSet<String>,
    shown: Option<usize>,
}

/// Compares both sides now. Sums are kept by both, so that the cost is that of what changed.
#[utoipa::path(post, path = "/api/v1/systems/{system}/parity", request_body = Comparing)]
pub(crate) async fn compare(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Comparing>,
) -> Result<Json<Examined>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let how = Examine { build: body.build, entities: body.entities, shown: body.shown.unwrap_or(SHOWN) };
    let found =
        pilot.look(&caller, move |session, state| examined(session, state, &how).map(|found| found.2));
    Ok(Json(found.await?))
}

fn examined(
    session: &mut Session,
    state: &PilotState,
    how: &Examine,
) -> Result<(Session, Session, Examined), EngineError> {
    let url = &state.served.legacy.store;
    let mut legacy = Session::new(plimsoll_store::open(url)?, session.actor.clone());
    legacy.request.clone_from(&session.request);
    let mut new = session.fork()?;
    prepare(&mut legacy)?;
    prepare(&mut new)?;
    let pilot = state.served.pilot;
    let found = examine(&mut legacy, &mut new, pilot, &mut |legacy, new| through(legacy, new, pilot), how)?;
    Ok((legacy, new, found))
}

/// Which side is to be made like the other.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repairing {
    /// `legacy` or `new`.
    #[schema(value_type = String, pattern = "^(legacy|new)$")]
    target: Side,
    #[serde(default)]
    entities: BTreeSet<String>,
    /// A repair that deletes more is refused.
    #[serde(default)]
    max_deletes: u64,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

/// A repair, planned.
#[derive(Debug, Serialize)]
pub(crate) struct Planned {
    found: Examined,
    /// None where nothing differs.
    plan: Option<Plan>,
    assessment: Option<Assessment>,
    dry_run: bool,
    /// What applies it.
    next: Option<String>,
}

/// Plans a repair. It is approved and applied like any other plan; a dry run discards it.
#[utoipa::path(post, path = "/api/v1/systems/{system}/parity/repair", request_body = Repairing)]
pub(crate) async fn repair(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Repairing>,
) -> Result<Json<Planned>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    if !body.dry_run {
        said(&caller, &body.reason)?;
    }
    let planned = pilot.look(&caller, move |session, state| {
        let dry_run = body.dry_run;
        // What is not read cannot be repaired.
        let how = Examine { build: false, entities: body.entities, shown: usize::MAX };
        let (mut legacy, mut new, found) = examined(session, state, &how)?;
        if found.equal {
            return Ok(Planned { found, plan: None, assessment: None, dry_run, next: None });
        }
        if !dry_run {
            refuse_deletes(body.target, &found.entities, body.max_deletes)?;
        }
        let (served, pilot) = (&state.served, state.served.pilot);
        let (system, target, other) = match body.target {
            Side::Legacy => (served.legacy.system.name, &mut legacy, &mut new),
            Side::New => (served.new.system.name, &mut new, &mut legacy),
        };
        let with = Repair { target: body.target, system, pilot };
        let mut truth = SideStore { side: body.target.other(), store: other.store.as_mut(), pilot };
        let plan = plan_repair(target, with, &mut truth, &found.entities)?;
        let assessment = Some(assess::assess(target, &plan, None)?);
        let next = format!("plimsoll apply {}", plan.id.short());
        if dry_run {
            retention::discard(target, &plan.id)?;
        }
        Ok(Planned { found, plan: Some(plan), assessment, dry_run, next: (!dry_run).then_some(next) })
    });
    Ok(Json(planned.await?))
}
