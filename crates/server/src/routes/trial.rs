//! `/api/v1/trials`: what became of a change on scratch copies, and the decision.
//!
//! Owns the list and starting a trial, which is a command line of this program. What is tried and how it is judged is
//! [`plimsoll_engine::trial`]'s; a trial on record is the evidence that gates read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use plimsoll_core::id::Id;
use plimsoll_engine::clock::new_id;
use plimsoll_engine::gate::{self, Kind, Record};
use plimsoll_engine::{EngineError, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{AnyPage, Page, Window};
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;
use crate::work::{self, Begun};

/// How long an answer waits for a refusal. A trial takes minutes; what stops it at once is told to the caller.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which trials to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    system: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
}

/// Trials on record, newest first, each with its verdict.
#[utoipa::path(get, path = "/api/v1/trials", params(Wanted), responses((status = 200, body = AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Value>>, ApiError> {
    let window = Window::new(wanted.limit, wanted.offset);
    let who = caller.clone();
    let read = move |session: &mut Session| {
        let mut known = gate::names(session, Kind::Trial)?;
        known.retain(|(_, name)| {
            let (system, _) = subject(name);
            who.sees(system) && wanted.system.as_deref().is_none_or(|wanted| wanted == system)
        });
        let total = known.len();
        let shown = known.into_iter().skip(window.offset()).take(window.limit());
        let items = shown.map(|(id, _)| Ok(line(&gate::find_record(session, Kind::Trial, &id)?)));
        Ok((items.collect::<Result<Vec<_>, EngineError>>()?, total))
    };
    let (items, total) = server.control.run(&caller.name, read).await?;
    Ok(Json(window.page(items, total)))
}

/// System and change of a trial.
fn subject(name: &str) -> (&str, &str) {
    name.split_once(' ').unwrap_or((name, ""))
}

fn line(record: &Record) -> Value {
    let (system, change) = subject(&record.name);
    let decision = &record.body["decision"];
    json!({
        "id": record.id, "system": system, "change": change, "at": record.at, "actor": record.actor,
        "reason": record.reason, "verdict": decision["verdict"], "met": decision["met"],
        "not_met": decision["not_met"], "unknown": decision["unknown"], "items": record.body["about"]["items"],
        "duration_ms": record.body["about"]["duration_ms"],
    })
}

/// One trial: the decision with every criterion, what was validated, and what was measured.
#[utoipa::path(get, path = "/api/v1/trials/{trial}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(trial): PathPart,
) -> Result<Json<Value>, ApiError> {
    let read = move |session: &mut Session| gate::find_record(session, Kind::Trial, &Id(trial));
    let record = server.control.run(&caller.name, read).await.map_err(ApiError::missing)?;
    caller.must(Role::Viewer, subject(&record.name).0)?;
    let mut shown = line(&record);
    shown["folder"] = json!(record.source);
    shown["report"] = record.body;
    Ok(Json(shown))
}

/// What to try.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trying {
    /// The change kind.
    change: String,
    /// Batch sizes to measure; 25, 50 and 100 unless said.
    #[serde(default)]
    #[schema(max_items = 8)]
    sizes: Vec<u64>,
    /// Rounds in which every size is measured once; 5 unless said.
    #[schema(minimum = 1, maximum = 100)]
    rounds: Option<u32>,
    #[serde(default)]
    reason: String,
    /// Tell what would be run.
    #[serde(default)]
    dry_run: bool,
}

/// Tries a change on scratch copies; the store is only read. The trial is in the list when it ended.
#[utoipa::path(post, path = "/api/v1/systems/{system}/trials", request_body = Trying)]
pub(crate) async fn start(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(body): JsonBody<Trying>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let served = server.system(&system)?;
    caller.must(Role::Operator, served.system.name)?;
    let change = served.system.change(&body.change).map_err(ApiError::from)?;
    if !(1..=100).contains(&body.rounds.unwrap_or(1)) || body.sizes.len() > 8 || body.sizes.contains(&0) {
        return Err(ApiError::usage("a trial has 1 to 100 rounds over at most 8 batch sizes of at least 1"));
    }
    let folder = server.settings.library.folder.join("trials").join(new_id().as_str());
    let mut words = ["trial", served.system.name, change.name(), "--quiet", "--json", "--out"]
        .map(str::to_owned)
        .to_vec();
    words.push(folder.display().to_string());
    if !body.sizes.is_empty() {
        let sizes: Vec<String> = body.sizes.iter().map(u64::to_string).collect();
        words.push(format!("--sizes={}", sizes.join(",")));
    }
    words.extend(body.rounds.map(|rounds| format!("--rounds={rounds}")));
    words.push(format!("--reason={}", body.reason));
    if body.dry_run {
        return Ok((StatusCode::OK, Json(json!({ "dry_run": true, "words": words, "undo": null }))));
    }
    let held = Arc::clone(&server.trials).try_acquire_owned().map_err(|_| {
        ApiError::from(EngineError::refused(
            "a trial is under way, and two at once would measure each other\nhint: ask again when it is in the list",
        ))
    })?;
    let asked = Instant::now();
    let began = move |_: &mut Session| Ok((asked.elapsed() >= PATIENCE).then_some(()));
    Ok(match work::start_command(&server, &caller, words, held, began).await? {
        Begun::Done(decision) => (StatusCode::OK, Json(json!({ "decision": decision, "undo": null }))),
        Begun::Going(()) | Begun::Unknown => {
            (StatusCode::ACCEPTED, Json(json!({ "decision": null, "undo": null })))
        }
    })
}
