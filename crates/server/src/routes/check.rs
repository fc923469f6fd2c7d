//! `/api/v1/checks`: the rules about data, how they stand, and running them.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_engine::change::setup;
use plimsoll_engine::check::{Check, Checkup, Cohort, Report, history, incident};
use plimsoll_engine::clock::{MachineClock, new_id};
use plimsoll_engine::{EngineError, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{AnyPage, Page, Window};
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::role::Role;
use crate::settings::ServedSystem;
use crate::state::Server;
use crate::work;

/// How many results a trend has.
const TREND: u32 = 60;

/// Whose checks are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    system: Option<String>,
}

fn described(system: &str, check: &Check) -> Value {
    json!({
        "system": system,
        "check": check.name,
        "title": check.title,
        "severity": check.severity.as_str(),
        "dimension": check.dimension,
        "rule": check.rule.to_string(),
        "kind": check.kind.name(),
        "schedule": check.schedule,
        "hint": check.hint,
        "requirements": check.requirements,
    })
}

fn result(found: &history::StoredResult) -> Value {
    json!({
        "run": found.run,
        "checked_at": found.checked_at,
        "verdict": found.verdict.as_str(),
        "value": found.value,
        "unit": found.unit,
        "threshold": found.threshold,
        "sample_size": found.sample_size,
        "message": found.message,
    })
}

/// A report as the command prints it with `--json`.
fn told(report: &Report) -> Result<Value, ApiError> {
    serde_json::from_str(&report.to_json()).map_err(|error| ApiError::internal(error.to_string()))
}

fn with_results(system: &str, checks: &[Check], results: &[history::StoredResult]) -> Vec<Value> {
    checks
        .iter()
        .map(|check| {
            let mut line = described(system, check);
            line["last"] = results.iter().find(|found| found.check == check.name).map_or(Value::Null, result);
            line
        })
        .collect()
}

/// Checks of a system of rows, each with its last result.
pub(super) async fn of_rows(
    server: &Server,
    caller: &Caller,
    served: &ServedSystem,
) -> Result<Vec<Value>, ApiError> {
    let system = served.system;
    let read = move |session: &mut Session| {
        let checks = Check::parse_all(system.checks)?;
        let results = history::latest_of_all(session.store.as_mut(), system.name)?;
        Ok(with_results(system.name, &checks, &results))
    };
    server.store_of(served)?.run(&caller.name, read).await
}

/// Every check with its last result. An analytical store that is busy answers with its checks and no results.
#[utoipa::path(get, path = "/api/v1/checks", params(Wanted, Window), responses((status = 200, body = AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Value>>, ApiError> {
    let is_wanted =
        |name: &str| caller.sees(name) && wanted.system.as_deref().is_none_or(|wanted| wanted == name);
    let mut items = Vec::new();
    for served in server.settings.systems.iter().filter(|served| is_wanted(served.system.name)) {
        items.extend(of_rows(&server, &caller, served).await?);
    }
    for desk in server.desks.iter().filter(|desk| is_wanted(desk.system.name)) {
        let checks = Check::parse_all(desk.system.checks)?;
        let results = desk.ask(|store, _| history::latest_of_all_analytics(store)).await.unwrap_or_default();
        items.extend(with_results(desk.system.name, &checks, &results));
    }
    Ok(Json(window.cut(items)))
}

/// One check with its trend, newest first.
#[utoipa::path(get, path = "/api/v1/checks/{system}/{check}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, check)): PathPart<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let missing = || ApiError::not_found(format!("`{system}` has no check `{check}`"));
    let (mut line, trend) = if let Ok(desk) = server.desk(&system) {
        let checks = Check::parse_all(desk.system.checks)?;
        let line = checks.iter().find(|known| known.name == check).map(|known| described(&system, known));
        let name = check.clone();
        let trend = desk.ask(move |store, _| history::recent_analytics(store, &name, TREND)).await?;
        (line.ok_or_else(missing)?, trend)
    } else {
        let served = server.system(&system)?;
        let checks = Check::parse_all(served.system.checks)?;
        let line = checks.iter().find(|known| known.name == check).map(|known| described(&system, known));
        let line = line.ok_or_else(missing)?;
        let (system, name) = (system.clone(), check.clone());
        let read =
            move |session: &mut Session| history::recent(session.store.as_mut(), &system, &name, TREND);
        (line, server.store_of(served)?.run(&caller.name, read).await?)
    };
    line["last"] = trend.first().map_or(Value::Null, result);
    line["trend"] = trend.iter().map(result).collect();
    Ok(Json(line))
}

/// Whose rows a check is to look at.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Looking {
    /// Keys of members, with commas between them: they are held against everybody else.
    cohort: Option<String>,
}

/// So many rows that break a rule are shown.
const SAMPLES: usize = 100;

/// Asks a check now and keeps nothing: rows that break its rule, its numbers, and a cohort beside everybody else. A check that goes
/// by its own earlier results has none to go by here.
#[utoipa::path(get, path = "/api/v1/checks/{system}/{check}/look", params(Looking))]
pub(crate) async fn look(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, check)): PathPart<(String, String)>,
    Query(looking): Query<Looking>,
) -> Result<Json<Value>, ApiError> {
    let texts = match server.desk(&system) {
        Ok(desk) => desk.system.checks,
        Err(_) => server.system(&system)?.system.checks,
    };
    let mut checks = Check::parse_all(texts)?;
    checks.retain(|known| known.name == check);
    if checks.is_empty() {
        return Err(ApiError::not_found(format!("`{system}` has no check `{check}`")));
    }
    let cohort = looking
        .cohort
        .as_deref()
        .map(|keys| Cohort::new("members", keys.split(',').map(str::trim).filter(|key| !key.is_empty())));
    if cohort.as_ref().is_some_and(|cohort| cohort.keys.is_empty()) {
        return Err(ApiError::usage("the cohort has no key").hint("cohort=17,23,42"));
    }
    let name = system.clone();
    let with = move |ask: &mut dyn FnMut(&Checkup<'_>) -> Result<Report, EngineError>| {
        let (clock, run) = (MachineClock::new(), new_id());
        ask(&Checkup {
            cohort: cohort.as_ref(),
            samples: SAMPLES,
            ..Checkup::new(&name, &checks, &clock, run.as_str())
        })
    };
    let report = match server.desk(&system) {
        Ok(desk) => {
            let known = desk.system;
            desk.ask(move |store, views| {
                let derived = known.documents.derivations().iter().map(|derivation| derivation.table);
                let tables: Vec<_> = known.documents.tables().iter().copied().chain(derived).collect();
                with(&mut |checkup| Checkup { views, tables: &tables, ..*checkup }.look_at_figures(store))
            })
            .await?
        }
        Err(_) => {
            let work =
                move |session: &mut Session| with(&mut |checkup| checkup.look_at(session.store.as_mut()));
            server.store_of(server.system(&system)?)?.run(&caller.name, work).await?
        }
    };
    Ok(Json(told(&report)?["findings"][0].take()))
}

/// Which checks to run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Running {
    system: String,
    /// Only this one.
    check: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "it is in the record of changes; a result needs none")]
    reason: String,
}

/// Runs the checks of a system, or one of them, keeps the results and answers with the report.
#[utoipa::path(post, path = "/api/v1/checks/run", request_body = Running)]
pub(crate) async fn run(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<Running>,
) -> Result<Json<Value>, ApiError> {
    caller.must(Role::Operator, &body.system)?;
    if let Ok(desk) = server.desk(&body.system) {
        // The results are written into the store itself, which one process may have open for that.
        desk.let_go();
        let mut words = vec!["check".to_owned(), body.system.clone(), "--json".to_owned()];
        if let Some(check) = &body.check {
            words.insert(2, check.clone());
        }
        return work::run_command(&server, &caller.name, words).await.map(Json);
    }
    let served = server.system(&body.system)?;
    let system = served.system;
    let work = move |session: &mut Session| {
        let mut checks = Check::parse_all(system.checks)?;
        if let Some(wanted) = &body.check {
            checks.retain(|check| check.name == *wanted);
            if checks.is_empty() {
                return Err(EngineError::usage(format!("`{}` has no check `{wanted}`", system.name)));
            }
        }
        setup::prepare(session, Some(system))?;
        let clock = MachineClock::new();
        let run = new_id();
        Checkup::new(system.name, &checks, &clock, run.as_str()).run_on(session.store.as_mut())
    };
    let report = server.store_of(served)?.run(&caller.name, work).await?;
    let told = told(&report)?;
    let tell = move |session: &mut Session| incident::tell(session, &report).map(drop);
    server.control.run(&caller.name, tell).await?;
    Ok(Json(told))
}
