//! `/pilot`, `/pilot/members` and certificates: looking.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::pilot::certificate::Signed;
use plimsoll_core::pilot::cutover::Stage;
use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::carry::Reach;
use plimsoll_engine::pilot::customer::CustomerParity;
use plimsoll_engine::pilot::drive::certificate;
use plimsoll_engine::pilot::member;
use plimsoll_engine::pilot::reads::Asked;
use plimsoll_engine::pilot::select::kept;
use plimsoll_engine::pilot::standing::{self, Line, Report, Standing};
use serde::{Deserialize, Serialize};

use super::{Stages, pilot_of};
use crate::access::Caller;
use crate::body::{PathPart, Query};
use crate::error::ApiError;
use crate::routes::page::{Page, Window};
use crate::state::Server;

/// What a pilot amounts to so far.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    /// Stages, reads, held records, links.
    report: Report,
    /// The newest selection.
    selection: Option<kept::SelectionLine>,
    /// The questions that members may be asked.
    questions: Vec<&'static str>,
    /// The stages, in order.
    stages: Vec<Stage>,
}

/// The pilot in figures.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot")]
pub(crate) async fn overview(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
) -> Result<Json<Overview>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let overview = pilot.look(&caller, |session, state| {
        let report = standing::report(session, state.served.pilot)?;
        let selection = kept::list(session.store.as_mut())?.into_iter().max_by_key(|line| line.number);
        let questions = state.served.pilot.questions().iter().map(|question| question.name).collect();
        Ok(Overview { report, selection, questions, stages: Stage::ALL.to_vec() })
    });
    Ok(Json(overview.await?))
}

/// Which members are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    #[param(value_type = Option<String>)]
    stage: Option<Stage>,
}

/// The members, by code.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/members", params(Wanted, Window, Stages))]
pub(crate) async fn members(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(wanted): Query<Wanted>,
    Query(window): Query<Window>,
    Query(stages): Query<Stages>,
) -> Result<Json<Page<Line>>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let rules = stages.rules().member;
    let mut found = pilot.look(&caller, move |session, _| standing::standing(session, &rules, None)).await?;
    found.members.retain(|line| wanted.stage.is_none_or(|stage| stage == line.stage));
    Ok(Json(window.cut(found.members)))
}

/// One member, with what happened to it and the records that cannot be carried.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/members/{customer}", params(Stages))]
pub(crate) async fn member(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, customer)): PathPart<(String, String)>,
    Query(stages): Query<Stages>,
) -> Result<Json<Standing>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let rules = stages.rules().member;
    let found = pilot.look(&caller, move |session, _| standing::standing(session, &rules, Some(&customer)));
    Ok(Json(found.await.map_err(ApiError::missing)?))
}

/// A certificate that was checked, as data and for print.
#[derive(Debug, Serialize)]
pub(crate) struct Certified {
    /// The signed document.
    signed: Signed,
    /// The same as a page.
    markdown: String,
}

/// The certificate of a member's last rollback, its signature checked.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/members/{customer}/certificate")]
pub(crate) async fn certificate_of(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, customer)): PathPart<(String, String)>,
) -> Result<Json<Certified>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let certified = pilot.look(&caller, move |session, state| {
        member::one(session.store.as_mut(), &customer)?;
        let document = certificate(session.store.as_mut(), &customer)?;
        let signed = Signed::verify(document.as_bytes(), &state.served.key.1)
            .map_err(|error| EngineError::integrity(error.to_string()))?;
        Ok(Certified { markdown: signed.to_markdown(), signed })
    });
    Ok(Json(certified.await.map_err(ApiError::missing)?))
}

/// The answer to a question about a member, from the side whose turn it is.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/members/{customer}/answers/{question}")]
pub(crate) async fn answer(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, customer, question)): PathPart<(String, String, String)>,
) -> Result<Json<Asked>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let one = pilot.member(&caller, customer).await?;
    let rules = Stages::default().rules();
    let asked = pilot.drive(&caller, rules, Reach::Members, move |driver| driver.read(&one.code, &question));
    Ok(Json(asked.await.map_err(ApiError::missing)?))
}

/// A member's records on both sides, compared now.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/members/{customer}/parity")]
pub(crate) async fn compare(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, customer)): PathPart<(String, String)>,
) -> Result<Json<CustomerParity>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let one = pilot.member(&caller, customer).await?;
    let rules = Stages::default().rules();
    let compared = pilot.drive(&caller, rules, Reach::Members, move |driver| driver.compare(&one));
    Ok(Json(compared.await?))
}
