//! `/pilot/selections`: choosing customers, and what was chosen and why.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use plimsoll_core::flag::Percent;
use plimsoll_core::pilot::selection::{Explanation, Selection, Size};
use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::enrol;
use plimsoll_engine::pilot::select::candidates::Listed;
use plimsoll_engine::pilot::select::document::SelectionDocument;
use plimsoll_engine::pilot::select::{Ask, export, kept, select};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json_};

use super::{pilot_of, said};
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::routes::page::{Page, Window};
use crate::state::Server;

/// The selections, newest first.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/selections", params(Window))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(window): Query<Window>,
) -> Result<Json<Page<kept::SelectionLine>>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let mut lines = pilot.look(&caller, |session, _| kept::list(session.store.as_mut())).await?;
    lines.sort_by_key(|line| std::cmp::Reverse(line.number));
    Ok(Json(window.cut(lines)))
}

/// What is asked for: `percent` or `count`, and the criteria of a selection.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Selecting {
    /// A share of the eligible customers, above 0 and at most 100.
    #[schema(value_type = Option<f64>)]
    percent: Option<Percent>,
    count: Option<u64>,
    #[serde(default = "one")]
    best_of: u32,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
    /// The criteria, as `Selection` reads them.
    #[serde(flatten)]
    #[schema(value_type = Criteria)]
    criteria: Map<String, Json_>,
}

/// The criteria of a selection, as the document of the API describes them; each may be left out.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its shape is used")]
struct Criteria {
    /// Another salt draws others; the earlier members stay.
    salt: Option<String>,
    minimum_orders: Option<u64>,
    regions: Option<Vec<String>>,
    customer_types: Option<Vec<String>>,
    required_marks: Option<Vec<String>>,
    refused_marks: Option<Vec<String>>,
}

/// Salts that are tried at most.
const BEST_OF_AT_MOST: u32 = 1_000;

fn one() -> u32 {
    1
}

impl Selecting {
    fn selection(&mut self) -> Result<Selection, ApiError> {
        let size = match (self.percent, self.count) {
            (Some(percent), None) => Size::Percent(percent),
            (None, Some(count)) => Size::Count(count),
            _ => return Err(ApiError::usage("either `percent` or `count` is wanted")),
        };
        let mut members = std::mem::take(&mut self.criteria);
        members.entry("salt").or_insert_with(|| Json_::String(String::new()));
        let size = serde_json::to_value(size).map_err(|error| ApiError::internal(error.to_string()))?;
        members.insert("size".into(), size);
        serde_json::from_value(Json_::Object(members))
            .map_err(|error| ApiError::usage(format!("the criteria are not what a selection takes: {error}")))
    }
}

/// Chooses members: a dry run tells who would be, with strata and balance.
#[utoipa::path(post, path = "/api/v1/systems/{system}/pilot/selections", request_body = Selecting)]
pub(crate) async fn choose(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    JsonBody(mut body): JsonBody<Selecting>,
) -> Result<Json<Json_>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    if !body.dry_run {
        said(&caller, &body.reason)?;
    }
    if body.best_of == 0 || body.best_of > BEST_OF_AT_MOST {
        return Err(ApiError::usage(format!("`best_of` is 1 to {BEST_OF_AT_MOST}")));
    }
    let selection = body.selection()?;
    let document = pilot.look(&caller, move |session, state| {
        let mut legacy = state.legacy_to_read()?;
        let ask = Ask { selection, best_of: body.best_of, reason: &body.reason, dry_run: body.dry_run };
        let made = select(session, legacy.as_mut(), state.served.pilot, &ask)?;
        Ok(serde_json::to_value(SelectionDocument::of(&made, ask.dry_run))?)
    });
    Ok(Json(document.await?))
}

/// A selection: strata, balance, members.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/selections/{selection}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, selection)): PathPart<(String, String)>,
) -> Result<Json<Json_>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let document = pilot.look(&caller, move |session, _| {
        let made = enrol::selection(session.store.as_mut(), named(&selection))?;
        Ok(serde_json::to_value(SelectionDocument::of(&made, false))?)
    });
    Ok(Json(document.await.map_err(ApiError::missing)?))
}

/// Every customer with why it is in or out, as CSV.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/selections/{selection}/export")]
pub(crate) async fn export(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, selection)): PathPart<(String, String)>,
) -> Result<Response, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let csv = pilot.look(&caller, move |session, _| {
        Ok(export::to_csv(&enrol::selection(session.store.as_mut(), named(&selection))?))
    });
    let csv = csv.await.map_err(ApiError::missing)?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"selection.csv\""),
    ];
    Ok((headers, csv).into_response())
}

/// What is said about one customer.
#[derive(Debug, Serialize)]
pub(crate) struct Explained {
    customer: Listed,
    is_in: bool,
    why: Explanation,
    sentence: String,
}

/// Why a customer is in or out. A code that several rows have is told about each.
#[utoipa::path(get, path = "/api/v1/systems/{system}/pilot/selections/{selection}/customers/{customer}")]
pub(crate) async fn explain(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, selection, customer)): PathPart<(String, String, String)>,
) -> Result<Json<Vec<Explained>>, ApiError> {
    let pilot = pilot_of(&server, &system)?;
    let found = pilot.look(&caller, move |session, _| {
        let made = enrol::selection(session.store.as_mut(), named(&selection))?;
        let about: Vec<Explained> = made
            .about(&customer)
            .into_iter()
            .map(|(one, why)| Explained {
                customer: one.clone(),
                is_in: why.is_in(),
                why: why.clone(),
                sentence: why.to_string(),
            })
            .collect();
        if about.is_empty() {
            let number = made.number;
            return Err(EngineError::usage(format!("selection {number} knows no customer `{customer}`")));
        }
        Ok(about)
    });
    Ok(Json(found.await.map_err(ApiError::missing)?))
}

/// `latest` stands for the newest one.
fn named(selection: &str) -> Option<&str> {
    Some(selection).filter(|name| *name != "latest")
}
