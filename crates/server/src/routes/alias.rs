//! The routes that systems declare: their operations and views in the words of their own domain.
//!
//! Owns turning a declaration into a route, reading what a caller sent into what the declaration asks for, and the status
//! of a refusal. It knows no system: what a route takes, does and answers is declared ([`plimsoll_engine::alias`]).
//!
//! Invariants: a view answers from one snapshot; a change is one request of the engine in one transaction; every reason of
//! a refusal is an error of its own, with its rule; changes of one store wait for their turn in the order of arrival.

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post, put};
use axum::{Extension, Json};
use plimsoll_engine::EngineError;
use plimsoll_engine::alias::{self, Alias, Answered, Asked, DRY_RUN, Does, Field, Method, REASON, StoreView};
use plimsoll_engine::change::request::{self, Answer};
use plimsoll_engine::source::SourceRecord;
use plimsoll_engine::system::{ChangeKind, System};
use serde_json::{Map, Value, json};

use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;

/// The declared routes that need a role, of every served system. The handler asks for it in that system.
pub(crate) fn routes(server: &Server, role: Role) -> Router<Server> {
    let mut router = Router::new();
    for served in &server.settings.systems {
        for alias in served.system.aliases.iter().filter(|alias| role_of(alias) == role) {
            router = router.route(&format!("/api/v1{}", alias.path), method(served.system, alias));
        }
    }
    router
}

/// Views are for viewers, changes for operators.
fn role_of(alias: &Alias) -> Role {
    match alias.does {
        Does::View(_) => Role::Viewer,
        Does::Change { .. } => Role::Operator,
    }
}

fn method(system: &'static System, alias: &'static Alias) -> MethodRouter<Server> {
    let handler =
        move |State(server): State<Server>, Extension(caller): Extension<Caller>, request: Request| {
            answer(server, caller, system, alias, request)
        };
    match alias.method {
        Method::Get => get(handler),
        Method::Post => post(handler),
        Method::Put => put(handler),
    }
}

async fn answer(
    server: Server,
    caller: Caller,
    system: &'static System,
    alias: &'static Alias,
    request: Request,
) -> Result<Response, ApiError> {
    caller.must(role_of(alias), system.name)?;
    let fields = sent(alias, request).await?;
    match alias.does {
        Does::View(view) => look(&server, &caller, system, view, fields).await,
        Does::Change { change, tells } => {
            let change = system.change(change)?;
            let (dry_run, body) = perform(&server, &caller, system, change, fields, tells).await?;
            let status = if alias.method == Method::Post && !dry_run && change.name().starts_with("create") {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            Ok((status, Json(body)).into_response())
        }
    }
}

/// Everything that the caller sent: the path's parts, the query, and the body's members. The path wins: what it names
/// cannot be said again otherwise.
async fn sent(alias: &Alias, request: Request) -> Result<Map<String, Value>, ApiError> {
    let (mut parts, body) = request.into_parts();
    let PathPart(path) = PathPart::<Vec<(String, String)>>::from_request_parts(&mut parts, &()).await?;
    let Query(query) = Query::<Vec<(String, String)>>::from_request_parts(&mut parts, &()).await?;
    let mut fields = if alias.method == Method::Get {
        Map::new()
    } else {
        use axum::extract::FromRequest as _;
        let request = Request::from_parts(parts, body);
        let JsonBody(fields) = JsonBody::<Map<String, Value>>::from_request(request, &()).await?;
        fields
    };
    for (name, value) in query.into_iter().chain(path) {
        if let Some(said) = fields.get(&name).filter(|said| said.as_str() != Some(&value)) {
            return Err(ApiError::usage(format!(
                "`{name}` is `{value}` in the address and {said} elsewhere"
            )));
        }
        fields.insert(name, Value::from(value));
    }
    Ok(fields)
}

fn read(fields: Map<String, Value>, declared: &[Field]) -> Result<Asked, ApiError> {
    Asked::read(fields, declared).map_err(|faults| {
        ApiError::several(
            StatusCode::BAD_REQUEST,
            "usage",
            faults.into_iter().map(|(field, detail)| json!({ "detail": detail, "field": field })).collect(),
        )
    })
}

async fn look(
    server: &Server,
    caller: &Caller,
    system: &'static System,
    view: &'static StoreView,
    fields: Map<String, Value>,
) -> Result<Response, ApiError> {
    let asked = read(fields, view.fields)?;
    let store = server.store(system)?;
    match store.run(&caller.name, move |session| alias::ask(session, view, &asked)).await? {
        Answered::Json(document) => Ok(Json(document).into_response()),
        Answered::File { kind, name, body } => {
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            let disposition = format!("attachment; filename=\"{}\"", name.replace(['"', '\\'], "_"));
            if let Ok(disposition) = HeaderValue::from_str(&disposition) {
                response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
            }
            Ok(response)
        }
        Answered::Missing(what) => {
            let (detail, hint) = match what.split_once("\nhint: ") {
                Some((detail, hint)) => (detail.to_owned(), Some(hint.to_owned())),
                None => (what, None),
            };
            let error = ApiError::not_found(detail);
            Err(match hint {
                Some(hint) => error.hint(hint),
                None => error,
            })
        }
    }
}

async fn perform(
    server: &Server,
    caller: &Caller,
    system: &'static System,
    change: &'static dyn ChangeKind,
    fields: Map<String, Value>,
    tells: fn(&[plimsoll_core::change::Change]) -> Map<String, Value>,
) -> Result<(bool, Value), ApiError> {
    let mut declared = change.fields();
    declared.extend([REASON, DRY_RUN]);
    let asked = read(fields, &declared)?;
    let (dry_run, reason) = (asked.truth(DRY_RUN.name), asked.text(REASON.name).unwrap_or_default());
    let mut fields = asked.into_fields();
    fields.remove(DRY_RUN.name);
    let store = server.store(system)?;
    let done = store.run_in_turn(&caller.name, move |session| {
        let record = SourceRecord { label: label(change.name(), &fields), body: Ok(Value::Object(fields)) };
        if dry_run {
            return request::rehearse(session, system, change, &record, &reason);
        }
        request::perform(session, system, change, &record, &reason)
    });
    match done.await? {
        Answer::Done { run, changes } => {
            let mut told = tells(&changes);
            told.insert("run".into(), if dry_run { Value::Null } else { json!(run) });
            told.insert("rows".into(), json!(changes.len()));
            told.insert("dry_run".into(), json!(dry_run));
            Ok((dry_run, Value::Object(told)))
        }
        Answer::Unchanged => Ok((true, json!({ "run": null, "rows": 0, "dry_run": dry_run }))),
        Answer::Refused(refusal) => Err(refused(&refusal.reason)),
    }
}

fn label(change: &str, fields: &Map<String, Value>) -> String {
    let named = ["set", "serial", "go", "id", "batch"].iter().find_map(|field| fields.get(*field)?.as_str());
    format!("{change} {}", named.unwrap_or_default()).trim().to_owned()
}

/// Every reason of a refusal. Rules that say that the caller may not, named nothing that there is, or asked wrongly have
/// the same names in every system: `actor` and `role`, `unknown`, `field`.
fn refused(text: &str) -> ApiError {
    let reasons = alias::reasons(text);
    let all = |rules: &[&str]| {
        reasons.iter().all(|reason| reason.rule.as_deref().is_some_and(|rule| rules.contains(&rule)))
    };
    let (status, code) = if all(&["actor", "role"]) {
        (StatusCode::FORBIDDEN, "forbidden")
    } else if all(&["unknown"]) {
        (StatusCode::NOT_FOUND, "not_found")
    } else if all(&["field", "unknown", "reason"]) {
        (StatusCode::BAD_REQUEST, "usage")
    } else {
        (StatusCode::CONFLICT, "refused")
    };
    let errors =
        reasons.into_iter().map(|reason| json!({ "detail": reason.text, "rule": reason.rule })).collect();
    ApiError::several(status, code, errors)
}

/// The declared routes as data, for a description of the API: method, path below the root, summary, role, and each field
/// with its place, kind, need and meaning.
///
/// # Errors
/// When a system declares a route for a change that it does not have.
pub(crate) fn described(system: &'static System) -> Result<Vec<Value>, EngineError> {
    let one = |alias: &'static Alias| -> Result<Value, EngineError> {
        let fields: Vec<Value> = alias
            .fields(system)?
            .into_iter()
            .map(|(field, place)| {
                let place = match (place, alias.method) {
                    (alias::Placed::Path, _) => "path",
                    (alias::Placed::Query, Method::Get) => "query",
                    _ => "body",
                };
                json!({ "name": field.name, "in": place, "kind": format!("{:?}", field.kind).to_lowercase(),
                    "required": field.required, "help": field.help })
            })
            .collect();
        Ok(
            json!({ "method": alias.method.as_str(), "path": format!("/api/v1{}", alias.path), "summary": alias.summary,
            "role": role_of(alias).as_str(), "fields": fields }),
        )
    };
    system.aliases.iter().map(one).collect()
}
