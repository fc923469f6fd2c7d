//! `/records`: merged rows, one record with all its sides, its history, and going back.
//!
//! Owns the query of the list. Every parameter that is not one of its own is a field: `?model=Crane`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::IF_NONE_MATCH;
use axum::response::Response;
use axum::{Extension, Json};
use plimsoll_core::value::Value;
use plimsoll_engine::sync::cached::{self, Answer, Question};
use plimsoll_engine::sync::read::{self, Filter};
use plimsoll_engine::sync::{Link, edit, history, status};
use plimsoll_engine::{EngineError, Session};
use serde::Deserialize;
use serde_json::{Value as Json_, json};

use super::manner::{Dry, Manner};
use super::shape;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::etag;
use crate::state::Server;

/// How many rows a page holds unless the caller says so, and at most.
const ROWS: (u64, u64) = (100, 1_000);

/// What the query asks for.
struct Asked {
    filter: Filter,
    /// Whether the rows are counted.
    count: bool,
}

/// The query of a list, as the document of the API describes it. Every other member is a field and its value.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its shape is used")]
struct Known {
    scope: Option<String>,
    state: Option<String>,
    /// A field, or `key`; `-` before it sorts the other way round.
    sort: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    limit: Option<u64>,
    /// `false`: the rows are not counted.
    total: Option<bool>,
}

/// Reads the query of a list: `scope`, `state`, `sort` (`-` before a field sorts it the other way round), `after`,
/// `limit`, `total`, and fields. `field.NAME` is a field whatever it is called.
///
/// # Errors
/// Usage, with what is wrong.
fn asked(link: &dyn Link, query: &[(String, String)]) -> Result<Asked, EngineError> {
    let mut filter = Filter { limit: ROWS.0, ..Filter::default() };
    let (mut count, mut after) = (true, None);
    for (name, text) in query {
        match name.as_str() {
            "scope" => filter.scope = Some(text.clone()),
            "state" => filter.state = Some(text.clone()),
            "sort" => {
                let field = text.strip_prefix('-').unwrap_or(text);
                filter.sort.descending = text.starts_with('-');
                filter.sort.field = Some(field.to_owned()).filter(|field| field != "key");
            }
            "after" => after = Some(text),
            "limit" => {
                let limit: u64 =
                    text.parse().map_err(|_| EngineError::usage(format!("limit: `{text}` is no number")))?;
                filter.limit = limit.clamp(1, ROWS.1);
            }
            "total" => count = text != "false",
            name => {
                let name = name.strip_prefix("field.").unwrap_or(name);
                filter.equal.extend(edit::written(link, [(name, text.as_str())])?);
            }
        }
    }
    match (after, &filter.sort.field) {
        (None, _) => {}
        (Some(after), None) => filter.after = Some(after.clone()),
        (Some(after), Some(_)) => {
            let (value, key): (Value, String) = serde_json::from_str(after).map_err(|_| {
                EngineError::usage("after: this is no place\nhint: it is `next` of the page before")
            })?;
            (filter.after_value, filter.after) = (value, Some(key));
        }
    }
    Ok(Asked { filter, count })
}

/// A page of records as the caller sees them, or 304.
#[utoipa::path(get, path = "/api/v1/systems/{system}/records", params(Known))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let link = server.link(&system)?;
    let (cache, known) = (link.cache(), headers.clone());
    let found = link.run(&caller, move |session, linked| {
        let Asked { filter, count } = asked(linked.link, &query)?;
        let reader = session.actor.clone();
        let question = Question { reader: &reader, filter: &filter, count, form: "page" };
        if let Some(tag) = same(session, linked.link, &question, &known)? {
            return Ok((tag, Vec::new()));
        }
        let answer = cached::answer(session, linked.link, cache.as_deref(), &question, |page| {
            Ok(serde_json::to_vec(&shape::page(linked.link, &filter, page)?)?)
        })?;
        Ok((tag(&answer), answer.bytes))
    });
    let (tag, bytes) = found.await?;
    Ok(etag::answer(&headers, &tag, bytes.into()))
}

/// The tag of what the caller has, when it is still the answer.
fn same(
    session: &mut Session,
    link: &dyn Link,
    question: &Question<'_>,
    headers: &HeaderMap,
) -> Result<Option<String>, EngineError> {
    if !headers.contains_key(IF_NONE_MATCH) {
        return Ok(None);
    }
    let tag = cached::state(session, link, question)?.map(|state| tag_of(&state));
    Ok(tag.filter(|tag| etag::matches(headers, tag)))
}

/// The tag of a state: of the same rows, another version of the program may make another answer.
fn tag_of(state: &str) -> String {
    etag::of(format!("{} {state}", env!("CARGO_PKG_VERSION")).as_bytes())
}

/// The tag of an answer: that of the rows' state, and while nothing was ever stamped one made from its bytes.
fn tag(answer: &Answer) -> String {
    answer.state.as_deref().map_or_else(|| etag::of(&answer.bytes), tag_of)
}

/// The answer with a tag made from it, or 304 when the caller has it.
fn tagged(headers: &HeaderMap, answer: &Json_) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(answer).map_err(|error| ApiError::internal(error.to_string()))?;
    let tag = etag::of(&body);
    Ok(etag::answer(headers, &tag, body.into()))
}

fn no_record(system: &str, key: &str) -> ApiError {
    ApiError::not_found(format!("there is no record `{key}` of `{system}`"))
        .hint(format!("`plimsoll sync {system}` pulls what is new"))
}

/// One record with base, mine and theirs, or 304.
#[utoipa::path(get, path = "/api/v1/systems/{system}/records/{key}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key)): PathPart<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let wanted = key.clone();
    let found = server.link(&system)?.run(&caller, move |session, linked| {
        let reader = session.actor.clone();
        let Some(sides) = read::sides(session, linked.link, &reader, &wanted)? else { return Ok(None) };
        let version = history::newest(session, linked.link, &wanted)?;
        Ok(Some(shape::sides(linked.link, &sides, version)))
    });
    match found.await? {
        Some(found) => tagged(&headers, &found),
        None => Err(no_record(&system, &key)),
    }
}

/// The figures of the rows that the query asks for, or 304.
#[utoipa::path(get, path = "/api/v1/systems/{system}/figures", params(Known))]
pub(crate) async fn figures(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let link = server.link(&system)?;
    let (cache, known) = (link.cache(), headers.clone());
    let found = link.run(&caller, move |session, linked| {
        let filter = Filter { limit: 0, after: None, ..asked(linked.link, &query)?.filter };
        let reader = session.actor.clone();
        let question = Question { reader: &reader, filter: &filter, count: false, form: "figures" };
        if let Some(tag) = same(session, linked.link, &question, &known)? {
            return Ok((tag, Vec::new()));
        }
        let answer = cached::figures(session, linked, cache.as_deref(), &reader, &filter)?;
        Ok((tag(&answer), answer.bytes))
    });
    let (tag, bytes) = found.await?;
    Ok(etag::answer(&headers, &tag, bytes.into()))
}

/// Every version of a record, and what happened on the way.
#[utoipa::path(get, path = "/api/v1/systems/{system}/records/{key}/versions")]
pub(crate) async fn versions(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key)): PathPart<(String, String)>,
) -> Result<Json<Json_>, ApiError> {
    let found = server.link(&system)?.run(&caller, move |session, linked| {
        let history = history::of(session, linked.link, &key)?;
        let happened = status::happenings(session, linked.link, &key)?;
        let steps: Vec<Json_> = history.steps.iter().map(shape::step).collect();
        let newest = shape::row_or_null(history.newest.as_ref());
        Ok(json!({ "key": key, "newest": newest, "steps": steps, "happenings": happened }))
    });
    Ok(Json(found.await?))
}

/// A record as it was in a version.
#[utoipa::path(get, path = "/api/v1/systems/{system}/records/{key}/versions/{version}")]
pub(crate) async fn version(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key, version)): PathPart<(String, String, String)>,
) -> Result<Json<Json_>, ApiError> {
    let number: u64 = version.parse().map_err(|_| ApiError::usage(format!("`{version}` is no version")))?;
    let found = server.link(&system)?.run(&caller, move |session, linked| {
        let row = history::of(session, linked.link, &key)?.version(number)?;
        Ok(json!({ "key": key, "version": number, "fields": shape::row_or_null(row.as_ref()) }))
    });
    found.await.map(Json).map_err(ApiError::missing)
}

/// Which version to go back to.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Back {
    version: u64,
    #[serde(flatten)]
    manner: Manner,
}

/// Goes back to a version: its values are edited again and committed.
#[utoipa::path(post, path = "/api/v1/systems/{system}/records/{key}/restore", params(Dry), request_body = Back)]
pub(crate) async fn restore(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key)): PathPart<(String, String)>,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<Back>,
) -> Result<Json<Json_>, ApiError> {
    let manner = body.manner.and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let link = linked.link;
        let before = history::newest(session, link, &key)?;
        let fields = history::difference_to(session, link, &key, body.version)?;
        let edit = history::restore_how(session, link, &key, body.version, manner.how())?;
        let undo = edit.as_ref().and_then(|_| {
            manner.undo(|| format!("plimsoll versions {} {key} --restore {before}", linked.system.name))
        });
        Ok(json!({
            "key": key,
            "version": body.version,
            "edit": edit.filter(|_| !manner.is_dry()),
            "fields": shape::fields(&fields),
            "dry_run": manner.is_dry(),
            "undo": undo,
        }))
    });
    Ok(Json(done.await?))
}
