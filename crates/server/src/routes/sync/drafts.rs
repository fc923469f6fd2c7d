//! Drafts and edits: put a draft, commit, discard, list, and edits from a file.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::{Extension, Json};
use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_engine::sync::decide::{self, Chosen, Decided, Decision};
use plimsoll_engine::sync::edit::{self, EditFilter, Wanted};
use plimsoll_engine::sync::{history, import};
use plimsoll_engine::{EngineError, Session};
use serde::Deserialize;
use serde_json::{Map, Value as Json_, json};

use super::super::page::{Page, Window};
use super::manner::{self, Dry, Manner};
use super::shape;
use crate::access::Caller;
use crate::body::{self, JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::state::Server;

/// Which edits are wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WantedEdits {
    state: Option<String>,
    author: Option<String>,
    key: Option<String>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    everybody: bool,
}

/// Edits with their states, newest first.
#[utoipa::path(get, path = "/api/v1/systems/{system}/edits", params(WantedEdits, Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn edits(
    server: State<Server>,
    caller: Extension<Caller>,
    system: PathPart,
    Query(wanted): Query<WantedEdits>,
    window: Query<Window>,
) -> Result<Json<Page<Json_>>, ApiError> {
    listed(server, caller, system, wanted, window).await
}

/// The caller's drafts, or everybody's.
#[utoipa::path(get, path = "/api/v1/systems/{system}/drafts", params(WantedEdits, Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn drafts(
    server: State<Server>,
    caller: Extension<Caller>,
    system: PathPart,
    Query(mut wanted): Query<WantedEdits>,
    window: Query<Window>,
) -> Result<Json<Page<Json_>>, ApiError> {
    wanted.state = Some(OutboxState::Draft.as_str().to_owned());
    if !wanted.everybody {
        wanted.author.get_or_insert_with(|| caller.name.to_string());
    }
    listed(server, caller, system, wanted, window).await
}

async fn listed(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    wanted: WantedEdits,
    Query(window): Query<Window>,
) -> Result<Json<Page<Json_>>, ApiError> {
    let state = match &wanted.state {
        None => None,
        Some(word) => {
            Some(OutboxState::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
                let words: Vec<_> = OutboxState::ALL.iter().map(|state| state.as_str()).collect();
                ApiError::usage(format!("`{word}` is no state"))
                    .hint(format!("the states are {}", words.join(", ")))
            })?)
        }
    };
    let page = server.link(&system)?.run(&caller, move |session, linked| {
        let filter = EditFilter {
            author: wanted.author.as_deref(),
            state,
            key: wanted.key.as_deref(),
            open: wanted.open,
            limit: window.limit() as u64,
            offset: window.offset() as u64,
        };
        let total = edit::count(session, linked.link, filter)?;
        let lines = edit::list(session, linked.link, filter)?;
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        Ok(window.page(lines.iter().map(shape::edit).collect(), total))
    });
    Ok(Json(page.await?))
}

/// What a draft says.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Draft {
    #[schema(value_type = Object)]
    #[serde(default)]
    fields: Map<String, Json_>,
    /// Delete the record instead.
    #[serde(default)]
    delete: bool,
    /// What a new record belongs to.
    scope: Option<String>,
    /// Commit at once.
    #[serde(default)]
    commit: bool,
    #[serde(flatten)]
    manner: Manner,
}

/// Begins the caller's draft of a record, or goes on with it.
#[utoipa::path(put, path = "/api/v1/systems/{system}/records/{key}/draft", params(Dry), request_body = Draft)]
pub(crate) async fn put(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key)): PathPart<(String, String)>,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<Draft>,
) -> Result<Json<Json_>, ApiError> {
    if body.delete != body.fields.is_empty() {
        return Err(ApiError::usage("either `fields` or `\"delete\": true` is wanted"));
    }
    let manner = body.manner.and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let (link, name) = (linked.link, linked.system.name);
        let fields = (!body.delete).then(|| manner::fields(link, &body.fields)).transpose()?;
        let wanted = Wanted { key: &key, scope: body.scope.as_deref(), fields: fields.as_ref() };
        let before = history::newest(session, link, &key)?;
        let (edit, state) = if body.commit {
            (edit::at_once(session, link, wanted, manner.how())?.0, "committed")
        } else {
            (edit::draft_how(session, link, wanted, manner.how())?.0, "draft")
        };
        let undo = manner.undo(|| match body.commit {
            true => format!("plimsoll versions {name} {key} --restore {before}"),
            false => format!("plimsoll discard {name} {edit}"),
        });
        Ok(json!({
            "key": key,
            "edit": Some(&edit).filter(|_| !manner.is_dry()),
            "state": state,
            "fields": shape::row_or_null(fields.as_ref()),
            "dry_run": manner.is_dry(),
            "undo": undo,
        }))
    });
    Ok(Json(done.await?))
}

/// Drops the caller's draft of a record.
#[utoipa::path(delete, path = "/api/v1/systems/{system}/records/{key}/draft", params(Dry))]
pub(crate) async fn drop_draft(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart((system, key)): PathPart<(String, String)>,
    Query(dry): Query<Dry>,
) -> Result<Json<Json_>, ApiError> {
    let manner = Manner::default().and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let author = session.actor.clone();
        let filter = EditFilter {
            author: Some(&author),
            state: Some(OutboxState::Draft),
            key: Some(&key),
            limit: 1,
            ..EditFilter::default()
        };
        let Some(draft) = edit::list(session, linked.link, filter)?.pop() else { return Ok(None) };
        edit::discard_how(session, linked.link, &draft.edit, manner.how())?;
        Ok(Some(json!({ "discarded": shape::edit(&draft), "dry_run": manner.is_dry() })))
    });
    done.await?.map(Json).ok_or_else(|| ApiError::not_found("you have no draft of this record"))
}

/// Which drafts to decide on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Decision_ {
    #[serde(default)]
    edits: Vec<String>,
    /// Every draft of the caller.
    #[serde(default)]
    all: bool,
    #[serde(flatten)]
    manner: Manner,
}

/// Commits drafts.
#[utoipa::path(post, path = "/api/v1/systems/{system}/drafts/commit", params(Dry), request_body = Decision_)]
pub(crate) async fn commit(
    server: State<Server>,
    caller: Extension<Caller>,
    system: PathPart,
    dry: Query<Dry>,
    body: JsonBody<Decision_>,
) -> Result<Json<Json_>, ApiError> {
    decided(server, caller, system, dry, body, Decision::Commit).await
}

/// Discards drafts.
#[utoipa::path(post, path = "/api/v1/systems/{system}/drafts/discard", params(Dry), request_body = Decision_)]
pub(crate) async fn discard(
    server: State<Server>,
    caller: Extension<Caller>,
    system: PathPart,
    dry: Query<Dry>,
    body: JsonBody<Decision_>,
) -> Result<Json<Json_>, ApiError> {
    decided(server, caller, system, dry, body, Decision::Discard).await
}

async fn decided(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(dry): Query<Dry>,
    JsonBody(body): JsonBody<Decision_>,
    decision: Decision,
) -> Result<Json<Json_>, ApiError> {
    if body.all != body.edits.is_empty() {
        return Err(ApiError::usage("either `edits` or `\"all\": true` is wanted"));
    }
    let manner = body.manner.and(dry);
    let done = server.link(&system)?.run(&caller, move |session, linked| {
        let chosen = if body.all { Chosen::All } else { Chosen::Edits(body.edits) };
        let edits = decide::chosen(session, linked.link, &chosen)?;
        let decided = decide::drafts(session, linked.link, &edits, decision, manner.how())?;
        Ok(report(linked.system.name, &decided, &manner))
    });
    Ok(Json(done.await?))
}

/// What came of decisions on drafts, each with the command that takes it back.
fn report(system: &str, decided: &[Decided], manner: &Manner) -> Json_ {
    let items: Vec<Json_> = decided
        .iter()
        .map(|one| {
            let back = one.version_before.and_then(|version| {
                manner.undo(|| format!("plimsoll versions {system} {} --restore {version}", one.key))
            });
            json!({ "edit": one.what, "key": one.key, "problem": one.problem, "undo": back })
        })
        .collect();
    json!({ "items": items, "done": decide::done(decided), "dry_run": manner.is_dry() })
}

/// How a file is imported.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Importing {
    #[serde(default)]
    commit: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

/// Edits from a CSV file in the body. Good lines become edits, bad ones are told with line, column and reason.
#[utoipa::path(post, path = "/api/v1/systems/{system}/import", params(Importing), request_body(content = String, content_type = "text/csv"))]
pub(crate) async fn import(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(system): PathPart,
    Query(asked): Query<Importing>,
    request: Request,
) -> Result<Json<Json_>, ApiError> {
    let link = std::sync::Arc::clone(server.link(&system)?);
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if kind.split(';').next().unwrap_or("").trim() != "text/csv" {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the body must be CSV",
        )
        .hint("send `Content-Type: text/csv`"));
    }
    let bytes: Bytes = body::read(request, &()).await?;
    let work = move |session: &mut Session, linked: &'static plimsoll_engine::sync::LinkedSystem| {
        let why = if asked.reason.is_empty() { "import" } else { &asked.reason };
        let how = edit::How { why, dry_run: asked.dry_run };
        let report = import::take(session, linked, &bytes, asked.commit, how)?;
        let drafts = !asked.commit && !report.edits.is_empty() && report.edits.len() <= 50;
        let undo =
            drafts.then(|| format!("plimsoll discard {} {}", linked.system.name, report.edits.join(" ")));
        let mut done = serde_json::to_value(&report)?;
        done["undo"] = json!(undo);
        Ok::<_, EngineError>(done)
    };
    Ok(Json(link.run(&caller, work).await?))
}
