//! The inbox of conflicts: list, show, decide one or many, take an answer back, and rules that answer again.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::sync::conflict::Pick;
use plimsoll_core::sync::merge::Side;
use plimsoll_engine::sync::conflicts::{self as inbox, ConflictFilter, RuleLine};
use plimsoll_engine::sync::edit::{self, How, Wanted};
use plimsoll_engine::sync::{Link, history};
use plimsoll_engine::{EngineError, Session};
use serde::Deserialize;
use serde_json::{Map, Value as Json_, json};

use super::super::page::{Page, Window};
use super::super::person::Why;
use super::manner::{self, Dry, Manner};
use super::shape;
use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::state::Server;

/// Which conflicts are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WantedConflicts {
    /// Also those that are over.
    #[serde(default)]
    all: bool,
    key: Option<String>,
}

/// Conflicts, the oldest question first.
#[utoipa::path(get, path = "/api/v1/systems/{system}/conflicts", params(WantedConflicts, Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(wanted): Query<WantedConflicts>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Json_>>, ApiError> {
    let page = server.link(&system)?.run(&caller, move |session, linked| {
        let filter = ConflictFilter {
            closed: wanted.all,
            key: wanted.key.as_deref(),
            limit: window.limit() as u64,
            offset: window.offset() as u64,
        };
        let total = usize::try_from(inbox::count(session, linked.link, filter)?).unwrap_or(usize::MAX);
        let lines = inbox::list(session, linked.link, filter)?;
        Ok(window.page(lines.iter().map(shape::conflict).collect(), total))
    });
    Ok(Json(page.await?))
}

/// The open conflict of a record.
#[utoipa::path(get, path = "/api/v1/systems/{system}/conflicts/{key}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key)): PathPart<(String, String)>,
) -> Result<Json<Json_>, ApiError> {
    let found = server
        .link(&system)?
        .run(&caller, move |session, linked| Ok(shape::conflict(&inbox::open(session, linked.link, &key)?)));
    found.await.map(Json).map_err(ApiError::missing)
}

/// A side of a conflict.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Take {
    Mine,
    Theirs,
}

impl Take {
    fn pick(self) -> Pick {
        match self {
            Self::Mine => Pick::Mine,
            Self::Theirs => Pick::Theirs,
        }
    }

    fn side(self) -> Side {
        match self {
            Self::Mine => Side::Mine,
            Self::Theirs => Side::Theirs,
        }
    }
}

/// An answer to one conflict.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Answering {
    /// The side for every field that is not named.
    take: Option<Take>,
    /// For single fields: `"mine"`, `"theirs"`, or `{"value": ..}`.
    #[schema(value_type = Object)]
    #[serde(default)]
    fields: Map<String, Json_>,
    /// The revision that was shown; the open one unless said.
    revision: Option<u64>,
    /// Give the same answer again for the fields that one side wins.
    #[serde(default)]
    remember: bool,
    #[serde(flatten)]
    manner: Manner,
}

fn picks(link: &dyn Link, fields: &Map<String, Json_>) -> Result<BTreeMap<String, Pick>, EngineError> {
    fields
        .iter()
        .map(|(name, answer)| {
            let pick = match (answer.as_str(), answer.get("value")) {
                (Some("mine"), _) => Pick::Mine,
                (Some("theirs"), _) => Pick::Theirs,
                (None, Some(value)) => {
                    let text = manner::text(name, value)?;
                    let value = link
                        .parse(name, &text)
                        .map_err(|why| EngineError::usage(format!("{name}: {why}")))?;
                    Pick::Value(value)
                }
                _ => {
                    return Err(EngineError::usage(format!(
                        "{name}: `\"mine\"`, `\"theirs\"` or `{{\"value\": ..}}` is wanted"
                    )));
                }
            };
            Ok((name.clone(), pick))
        })
        .collect()
}

/// Answers the open conflict of a record; with `dry_run` tells what the record would be.
#[utoipa::path(post, path = "/api/v1/systems/{system}/conflicts/{key}/resolve", params(Dry), request_body = Answering)]
pub(crate) async fn resolve(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key)): PathPart<(String, String)>,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<Answering>,
) -> Result<Json<Json_>, ApiError> {
    let manner = body.manner.and(dry);
    let work = move |session: &mut Session, linked: &'static plimsoll_engine::sync::LinkedSystem| {
        let link = linked.link;
        let conflict = inbox::open(session, link, &key)?;
        let answer =
            inbox::answer(&conflict, body.revision, body.take.map(Take::pick), picks(link, &body.fields)?)?;
        let taken = inbox::resolve_how(session, link, &key, &answer, manner.how())?;
        let mut remembered = Vec::new();
        if body.remember && !manner.is_dry() {
            for name in conflict.question.fields.keys() {
                let side = match answer.fields.get(name).unwrap_or(&answer.otherwise) {
                    Pick::Mine => Side::Mine,
                    Pick::Theirs => Side::Theirs,
                    Pick::Value(_) => continue,
                };
                inbox::set_rule(session, link, name, Some(side), manner.reason())?;
                remembered.push(name.clone());
            }
        }
        Ok(json!({
            "key": key,
            "revision": answer.shown,
            "becomes": shape::row_or_null(taken.record.view().as_ref()),
            "remembered": remembered,
            "dry_run": manner.is_dry(),
            "undo": manner.undo(|| {
                format!("plimsoll conflicts undo {} {key} {}", linked.system.name, answer.shown)
            }),
        }))
    };
    Ok(Json(server.link(&system)?.run(&caller, work).await?))
}

/// A conflict as it was shown.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Shown {
    key: String,
    revision: u64,
}

/// One answer to many conflicts.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct AnsweringMany {
    take: Take,
    /// These, as they were shown.
    #[serde(default)]
    conflicts: Vec<Shown>,
    /// Every one that is open now.
    #[serde(default)]
    all: bool,
    #[serde(flatten)]
    manner: Manner,
}

/// Answers many conflicts with one side; with `dry_run` tells which, and which not.
#[utoipa::path(post, path = "/api/v1/systems/{system}/conflicts", params(Dry), request_body = AnsweringMany)]
pub(crate) async fn resolve_many(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<AnsweringMany>,
) -> Result<Json<Json_>, ApiError> {
    if body.all != body.conflicts.is_empty() {
        return Err(ApiError::usage("either `conflicts` or `\"all\": true` is wanted"));
    }
    let manner = body.manner.and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let link = linked.link;
        let mut shown: Vec<(String, u64)> =
            body.conflicts.into_iter().map(|shown| (shown.key, shown.revision)).collect();
        if body.all {
            let filter = ConflictFilter { limit: u64::from(u32::MAX), ..ConflictFilter::default() };
            let open = inbox::list(session, link, filter)?;
            shown = open.into_iter().map(|line| (line.key, line.revision)).collect();
        }
        let decided = inbox::resolve_shown(session, link, &shown, &body.take.pick(), manner.how())?;
        let done = decided.iter().filter(|(_, outcome)| outcome.is_ok()).count();
        let items: Vec<Json_> = decided
            .iter()
            .zip(&shown)
            .map(|((key, outcome), (_, revision))| {
                let back = outcome.as_ref().ok().and_then(|()| {
                    manner.undo(|| format!("plimsoll conflicts undo {} {key} {revision}", linked.system.name))
                });
                json!({ "key": key, "revision": revision, "problem": outcome.as_ref().err(), "undo": back })
            })
            .collect();
        Ok(json!({ "items": items, "done": done, "dry_run": manner.is_dry() }))
    });
    Ok(Json(done.await?))
}

/// Which answer to take back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = UndoingAnswer)]
pub(crate) struct Undoing {
    revision: u64,
    #[serde(flatten)]
    manner: Manner,
}

/// Takes an answer back: what it gave up is edited again.
#[utoipa::path(post, path = "/api/v1/systems/{system}/conflicts/{key}/undo", params(Dry), request_body = Undoing)]
pub(crate) async fn undo(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key)): PathPart<(String, String)>,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<Undoing>,
) -> Result<Json<Json_>, ApiError> {
    let manner = body.manner.and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let link = linked.link;
        let fields = inbox::given_up(session, link, &key, body.revision)?;
        let before = history::newest(session, link, &key)?;
        let wanted = Wanted { key: &key, scope: None, fields: Some(&fields) };
        let why = if manner.reason().is_empty() { "a decision was taken back" } else { manner.reason() };
        let (edit, _) = edit::at_once(session, link, wanted, How { why, dry_run: manner.is_dry() })?;
        Ok(json!({
            "key": key,
            "edit": Some(edit).filter(|_| !manner.is_dry()),
            "fields": shape::fields(&fields),
            "dry_run": manner.is_dry(),
            "undo": manner.undo(|| format!("plimsoll versions {} {key} --restore {before}", linked.system.name)),
        }))
    });
    Ok(Json(done.await?))
}

/// The rules that answer again.
#[utoipa::path(get, path = "/api/v1/systems/{system}/conflict-rules")]
pub(crate) async fn rules(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
) -> Result<Json<Vec<RuleLine>>, ApiError> {
    let found = server.link(&system)?.run(&caller, |session, linked| inbox::rules(session, linked.link));
    Ok(Json(found.await?))
}

/// A rule for one field.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Ruling {
    take: Take,
    #[serde(flatten)]
    manner: Manner,
}

/// Sets a rule; with `dry_run` tells what it would have made of the conflicts so far.
#[utoipa::path(put, path = "/api/v1/systems/{system}/conflict-rules/{field}", params(Dry), request_body = Ruling)]
pub(crate) async fn set_rule(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, field)): PathPart<(String, String)>,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<Ruling>,
) -> Result<Json<Json_>, ApiError> {
    let manner = body.manner.and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let link = linked.link;
        if manner.is_dry() {
            let run = inbox::dry_run(session, link, &field, body.take.side())?;
            let lost: Vec<Json_> = run
                .lost
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": shape::value(value) }))
                .collect();
            return Ok(json!({
                "field": field, "asked": run.asked, "same": run.same, "other": run.other, "lost": lost,
                "dry_run": true,
            }));
        }
        inbox::set_rule(session, link, &field, Some(body.take.side()), manner.reason())?;
        let undo = format!("plimsoll conflicts rule {} {field}", linked.system.name);
        Ok(json!({ "field": field, "dry_run": false, "undo": undo }))
    });
    Ok(Json(done.await?))
}

/// Takes a rule away: a person decides again.
#[utoipa::path(delete, path = "/api/v1/systems/{system}/conflict-rules/{field}", params(Dry, Why))]
pub(crate) async fn drop_rule(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, field)): PathPart<(String, String)>,
    Query(dry): Query<Dry>,
    Query(why): Query<Why>,
) -> Result<Json<Json_>, ApiError> {
    let manner = Manner::default().and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let rule = inbox::rules(session, linked.link)?.into_iter().find(|rule| rule.field == field);
        let Some(rule) = rule else { return Ok(None) };
        if !manner.is_dry() {
            inbox::set_rule(session, linked.link, &field, None, &why.reason)?;
        }
        let undo = manner
            .undo(|| format!("plimsoll conflicts rule {} {field} --take {}", linked.system.name, rule.take));
        Ok(Some(json!({ "dropped": rule, "dry_run": manner.is_dry(), "undo": undo })))
    });
    done.await?.map(Json).ok_or_else(|| ApiError::not_found("there is no rule for this field"))
}
