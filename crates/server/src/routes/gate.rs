//! `/api/v1/gates`: may we go on, from evidence.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::gate::Judgement;
use plimsoll_engine::gate::{self, Catalog, Kind, Record};
use plimsoll_engine::{EngineError, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{AnyPage, Page, Window};
use super::planning::Because;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::state::Server;
use crate::work;

/// How many verdicts a gate's page shows.
const VERDICTS: u64 = 50;

fn catalog(server: &Server) -> Result<Catalog, EngineError> {
    Catalog::load(server.settings.library.gates, &server.settings.library.folder.join("gates"))
}

/// Every gate with its last verdict.
#[utoipa::path(get, path = "/api/v1/gates", params(Window), responses((status = 200, body = AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Value>>, ApiError> {
    Ok(Json(window.cut(lines(&server, &caller).await?)))
}

/// A line for each gate.
pub(super) async fn lines(server: &Server, caller: &Caller) -> Result<Vec<Value>, ApiError> {
    let shared = Server::clone(server);
    let read = move |session: &mut Session| {
        let mut lines = Vec::new();
        for (gate, from) in catalog(&shared)?.iter() {
            let last = gate::last(session, &gate.gate)?;
            lines.push(json!({
                "gate": gate.gate, "title": gate.title, "criteria": gate.criteria.len(), "from": from,
                "verdict": last.as_ref().map(|last| last.verdict.clone()), "at": last.as_ref().map(|last| last.at.clone()),
                "requirements": gate.requirements,
            }));
        }
        Ok(lines)
    };
    server.control.run(&caller.name, read).await
}

/// One gate: what it asks, the last judgement with evidence, blockers and score, and earlier verdicts.
#[utoipa::path(get, path = "/api/v1/gates/{gate}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
) -> Result<Json<Value>, ApiError> {
    let shared = Server::clone(&server);
    let read = move |session: &mut Session| {
        let catalog = catalog(&shared)?;
        let gate = catalog.find(&name)?;
        let verdicts = gate::history(session, &gate.gate, VERDICTS)?;
        let last: Option<Judgement> =
            verdicts.first().map(|last| serde_json::from_str(&last.document)).transpose()?;
        let history: Vec<Value> = verdicts
            .iter()
            .map(|one| json!({ "id": one.id, "at": one.at, "actor": one.actor, "verdict": one.verdict }))
            .collect();
        let report = last.as_ref().map(|judgement| gate::to_markdown(gate, judgement));
        let baselines = gate::baselines(session, &gate.gate)?;
        Ok(json!({
            "gate": gate, "judgement": last, "history": history, "baselines": baselines, "report": report,
        }))
    };
    server.control.run(&caller.name, read).await.map(Json).map_err(ApiError::missing)
}

/// Asks a gate's evidence now and keeps the verdict.
#[utoipa::path(post, path = "/api/v1/gates/{gate}/evaluate", request_body = Because)]
pub(crate) async fn evaluate(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(_): JsonBody<Because>,
) -> Result<Json<Value>, ApiError> {
    catalog(&server)?.find(&name).map_err(|error| ApiError::from(error).missing())?;
    // Evidence is in the stores of all systems; the command opens them, analytical ones included.
    server.desks.iter().for_each(|desk| desk.let_go());
    let words = ["gate", "evaluate", &name, "--json"].map(str::to_owned).to_vec();
    work::run_command(&server, &caller.name, words).await.map(Json)
}

/// A sign-off.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Attestation {
    /// The role that signs, as the gate names it.
    role: String,
    /// Take it back.
    #[serde(default)]
    withdraw: bool,
    /// When it ends, such as 2026-01-31T00:00:00Z.
    expires_at: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

/// Signs off, in the name of the caller. It is evidence, not a verdict.
#[utoipa::path(post, path = "/api/v1/gates/{gate}/attest", request_body = Attestation)]
pub(crate) async fn attest(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(body): JsonBody<Attestation>,
) -> Result<Json<Value>, ApiError> {
    catalog(&server)?.find(&name).map_err(|error| ApiError::from(error).missing())?;
    let by = caller.name.to_string();
    let work = move |session: &mut Session| {
        let evidence = json!({ "by": by, "signed": !body.withdraw });
        let mut record = Record::new(session, Kind::SignOff, &body.role, by.clone(), evidence);
        record.reason.clone_from(&body.reason);
        record.expires_at.clone_from(&body.expires_at);
        if !body.dry_run {
            gate::record(session, &record)?;
        }
        let undo = format!("plimsoll gate sign-off {} --by {by:?} --withdraw", body.role);
        Ok(
            json!({ "record": record, "dry_run": body.dry_run, "undo": (!body.withdraw && !body.dry_run).then_some(undo) }),
        )
    };
    server.control.run(&caller.name, work).await.map(Json)
}
