//! `/pilot/enrol`, `/start`, `/pause`, `/resume`, `/advance`, `/rollback`, `/run`, and carrying one member over.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::pilot::cutover::LossBound;
use plimsoll_engine::pilot::carry::{Carried, Reach};
use plimsoll_engine::pilot::customer::CustomerParity;
use plimsoll_engine::pilot::drive::Driven;
use plimsoll_engine::pilot::enrol::{self, Enrolled, Wanted};
use plimsoll_engine::pilot::moves::{Move, Moved, Saying, say};
use plimsoll_engine::pilot::standing::{self, Waiting};
use serde::{Deserialize, Serialize};

use super::{Stages, pilot_of, said};
use crate::access::Caller;
use crate::body::{JsonBody, PathPart};
use crate::error::ApiError;
use crate::state::Server;

/// How long a caller of `/run` waits unless it says so, and at most: less than a request may take.
const PATIENCE_MS: (u64, u64) = (10_000, 25_000);
/// Passes at most.
const PASSES: u32 = 1_000;
/// How often one customer's changes are carried before it is compared.
const ROUNDS: u32 = 100;
/// The gate between stages, unless a request names another.
const GATE: &str = "luckygas/stage";

/// Who is to be enrolled.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolling {
    selection: Option<String>,
    #[serde(default)]
    customers: BTreeSet<String>,
    #[serde(default)]
    canary: BTreeSet<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

/// What came of an enrolment.
#[derive(Debug, Serialize)]
pub(crate) struct EnrolAnswer {
    /// What was done; none for a dry run.
    #[serde(flatten)]
    enrolled: Option<Enrolled>,
    /// Whom a dry run would enrol.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_enrol: Option<Vec<String>>,
    dry_run: bool,
    undo: Option<String>,
}

/// Makes customers of a selection members.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/enrol", request_body = Enrolling)]
pub(crate) async fn enrol(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Enrolling>,
) -> Result<Json<EnrolAnswer>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let wanted = Wanted { selection: body.selection, customers: body.customers, canary: body.canary };
    let plan = pilot.look(&caller, move |session, _| enrol::plan(session.store.as_mut(), &wanted)).await?;
    if body.dry_run {
        let codes = plan.customers.into_iter().map(|one| one.code).collect();
        return Ok(Json(EnrolAnswer { enrolled: None, would_enrol: Some(codes), dry_run: true, undo: None }));
    }
    let by = said(&caller, &body.reason)?;
    // Members first, then the flag, each in its own store; the same request again adds what a death left out.
    let (rules, of) = (Stages::default().rules(), plan.clone());
    let (new, why) = (by.clone(), by.reason);
    let enrolled = pilot
        .drive(&caller, rules, Reach::Members, move |driver| enrol::make_members(driver, &of, &new))
        .await?;
    let made = server
        .control
        .run(&caller.name, move |control| enrol::write_flag(control, &plan, enrolled, &why))
        .await?;
    let undo = Some("plimsoll pilot rollback --customer CODE --reason TEXT".to_owned());
    Ok(Json(EnrolAnswer { enrolled: Some(made), would_enrol: None, dry_run: false, undo }))
}

/// What a person says about members.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Moving {
    customer: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

/// What followed, and what takes it back.
#[derive(Debug, Serialize)]
pub(crate) struct MoveAnswer {
    #[serde(flatten)]
    moved: Moved,
    undo: Option<String>,
}

/// Members who wait begin.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/start", request_body = Moving)]
pub(crate) async fn start(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Moving>,
) -> Result<Json<MoveAnswer>, ApiError> {
    moved(&server, &caller, &system, body, Stages::default(), Move::Start, Some("rollback")).await
}

/// Members stop where they are; a handover under way comes to its end first.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/pause", request_body = Moving)]
pub(crate) async fn pause(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Moving>,
) -> Result<Json<MoveAnswer>, ApiError> {
    moved(&server, &caller, &system, body, Stages::default(), Move::Pause, Some("resume")).await
}

/// Paused members go on.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/resume", request_body = Moving)]
pub(crate) async fn resume(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Moving>,
) -> Result<Json<MoveAnswer>, ApiError> {
    moved(&server, &caller, &system, body, Stages::default(), Move::Resume, Some("pause")).await
}

/// Members go back, with everything that was written on the new side since.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/rollback", request_body = Moving)]
pub(crate) async fn rollback(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Moving>,
) -> Result<Json<MoveAnswer>, ApiError> {
    moved(&server, &caller, &system, body, Stages::default(), Move::Back, Some("start")).await
}

/// Lets the next wave on, or forces one member.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advancing {
    customer: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
    gate: Option<String>,
    #[serde(default)]
    stages: Stages,
    /// Go on without gate and evidence.
    force: Option<Forcing>,
}

/// The loss that a forced step may bring.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Forcing {
    writes: u64,
    what: String,
}

/// Lets members on, when their gate says so.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/advance", request_body = Advancing)]
pub(crate) async fn advance(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Advancing>,
) -> Result<Json<MoveAnswer>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let what = if let Some(force) = body.force {
        Move::Force(LossBound { writes: force.writes, what: force.what })
    } else {
        let gate = body.gate.unwrap_or_else(|| GATE.to_owned());
        let (ask, named) = (Arc::clone(&pilot.served.ask_gate), gate.clone());
        let actor = Arc::clone(&caller.name);
        let verdict = server.control.run(&caller.name, move |_| ask(&named, &actor)).await?;
        Move::Advance { gate, verdict }
    };
    let moving = Moving { customer: body.customer, reason: body.reason, dry_run: body.dry_run };
    moved(&server, &caller, &system, moving, body.stages, what, Some("rollback")).await
}

async fn moved(
    server: &Server,
    caller: &Caller,
    system: &str,
    body: Moving,
    stages: Stages,
    what: Move,
    back: Option<&str>,
) -> Result<Json<MoveAnswer>, ApiError> {
    let pilot = pilot_of(server, system)?;
    let by = said(caller, &body.reason)?;
    let whom = body.customer.as_deref().map(|code| format!(" --customer {code}")).unwrap_or_default();
    let saying = Saying { what, customer: body.customer, by, dry_run: body.dry_run };
    let moved =
        pilot.drive(caller, stages.rules(), Reach::Members, move |driver| say(driver, &saying)).await?;
    let undo = back
        .filter(|_| !moved.dry_run && !moved.moved.is_empty())
        .map(|verb| format!("plimsoll pilot {verb}{whom} --reason TEXT"));
    Ok(Json(MoveAnswer { moved, undo }))
}

/// How to carry and move.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Carrying)]
pub(crate) struct Running {
    #[serde(default)]
    stages: Stages,
    /// Carry every customer's changes, not the members' alone.
    #[serde(default)]
    everyone: bool,
    wait_ms: Option<u64>,
    #[serde(default)]
    dry_run: bool,
}

/// What was carried and moved, or would be.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum RunAnswer {
    /// What waits to be done.
    Waiting {
        /// The orders.
        orders: Vec<Waiting>,
        /// Always true.
        dry_run: bool,
    },
    /// What was done.
    Done {
        /// The last pass, and the sums.
        #[serde(flatten)]
        driven: Driven,
        /// Whether nothing was left to do by itself.
        finished: bool,
        /// Always false.
        dry_run: bool,
    },
}

/// Carries changes both ways and does what the stages order, for so long at most; what is left waits for the next call.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/run", request_body = Running)]
pub(crate) async fn run(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Running>,
) -> Result<Json<RunAnswer>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let reach = if body.everyone { Reach::Everyone } else { Reach::Members };
    let rules = body.stages.rules();
    if body.dry_run {
        let orders = pilot.drive(&caller, rules, reach, standing::waiting).await?;
        return Ok(Json(RunAnswer::Waiting { orders, dry_run: true }));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let work = pilot.drive(&caller, rules, reach, move |driver| {
        let driven = driver.run(&told, PASSES)?;
        Ok((driven, !told.load(Ordering::Relaxed)))
    });
    let patience = Duration::from_millis(body.wait_ms.unwrap_or(PATIENCE_MS.0).min(PATIENCE_MS.1));
    let mut ending = server.ending.subscribe();
    let watch = async {
        tokio::select! {
            () = tokio::time::sleep(patience) => {}
            _ = ending.wait_for(|ending| *ending) => {}
        }
        stop.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    };
    let (driven, finished) = tokio::select! {
        done = work => done?,
        () = watch => return Err(ApiError::busy("the server is ending")),
    };
    Ok(Json(RunAnswer::Done { driven, finished, dry_run: false }))
}

/// What came of carrying one member over.
#[derive(Debug, Serialize)]
pub(crate) struct Synced {
    customer: String,
    carried: Carried,
    parity: CustomerParity,
}

/// Carries everything of one member over now, and compares it.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/members/{customer}/sync")]
pub(crate) async fn sync(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, customer)): PathPart<(String, String)>,
) -> Result<Json<Synced>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let one = pilot.member(&caller, customer).await?;
    let rules = Stages::default().rules();
    let synced = pilot.drive(&caller, rules, Reach::Members, move |driver| {
        let (carried, parity) = driver.sync(&one, ROUNDS)?;
        Ok(Synced { customer: one.code, carried, parity })
    });
    Ok(Json(synced.await?))
}
