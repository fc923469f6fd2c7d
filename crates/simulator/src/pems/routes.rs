//! Requests and answers of the simulated PEMS: which path means what, and in which order a request is judged.
//!
//! Owns that order (token, token bucket, lost request, rate, error, slowness, what others do meanwhile, the
//! request itself, lost acknowledgement), the reading of parameters and bodies, and the counters. What a
//! request does to rows is decided in `remote` and `grid`; what is below `/control` in `control`.
//!
//! Invariant: a request is judged under one lock, so that an outcome depends on the order of requests and on
//! nothing else. Only the token bucket asks how much time has passed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bucket::Bucket;
use super::control::control;
use super::faults::FaultKind;
use super::grid::GridRequest;
use super::ledger::{Author, Writer};
use super::refusal::Refusal;
use super::remote::Remote;
use crate::connection::Cut;

/// The rows of a page when the request does not say.
pub const DEFAULT_LIMIT: usize = 100;
/// The most rows of a page; a larger `limit` is taken as this.
pub const LARGEST_LIMIT: usize = 500;

/// What was answered so far, requests below `/control` left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests.
    pub requests: u64,
    /// POST, PUT and DELETE among them.
    pub writes: u64,
    /// Answers 401 and 403.
    pub refused_tokens: u64,
    /// Answers 429 by the token bucket.
    pub over_limit: u64,
    /// Answers 409 whose code is `conflict`.
    pub conflicts: u64,
    /// Other answers from 400 to 499.
    pub refused: u64,
}

/// Who may ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    pub(crate) token: Option<String>,
    pub(crate) read_only_token: Option<String>,
}

/// What requests change.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) remote: Remote,
    pub(crate) counters: Counters,
    pub(crate) bucket: Option<Bucket>,
}

/// Everything the handler needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) access: Access,
    pub(crate) held: Mutex<Held>,
}

impl Shared {
    /// The state, also after a handler panicked: a simulator that answers nothing tells less.
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was read.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    pub(crate) segments: Vec<&'a str>,
    pub(crate) parameters: BTreeMap<String, String>,
    token: Option<&'a str>,
    operation: Option<String>,
    body: &'a [u8],
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) struct Outcome {
    status: u16,
    body: Option<Value>,
    retry_after: Option<u64>,
    delay: Duration,
    cut: bool,
}

impl Outcome {
    /// An answer; without a body 204 is meant.
    pub(crate) fn of(status: u16, body: Option<Value>) -> Self {
        Self { status, body, retry_after: None, delay: Duration::ZERO, cut: false }
    }

    fn refused(refusal: &Refusal) -> Self {
        Self::of(refusal.status, Some(refusal.envelope()))
    }

    fn too_many(retry_after: u64) -> Self {
        let refusal = Refusal::new(429, "rate_limited", "too many requests; wait as Retry-After says");
        Self { retry_after: Some(retry_after), ..Self::refused(&refusal) }
    }

    /// The connection closes.
    fn cut() -> Self {
        Self { cut: true, ..Self::of(500, None) }
    }
}

impl From<Result<Self, Refusal>> for Outcome {
    fn from(result: Result<Self, Refusal>) -> Self {
        result.unwrap_or_else(|refusal| Self::refused(&refusal))
    }
}

/// Answers one request.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Cut>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let parameters = Query::<BTreeMap<String, String>>::try_from_uri(&uri);
    let request = Request {
        method: &method,
        segments: uri.path().split('/').filter(|segment| !segment.is_empty()).collect(),
        parameters: parameters.map_or_else(|_| BTreeMap::new(), |Query(parameters)| parameters),
        token: text("authorization").and_then(|value| value.strip_prefix("Bearer ")),
        operation: text("x-operation-id").map(str::to_owned),
        body: &body,
    };
    let outcome = if request.segments.first() == Some(&"control") {
        Outcome::from(control(&mut shared.held(), &request))
    } else {
        judge(&shared, &request)
    };
    if outcome.cut {
        connection.cut();
    }
    if !outcome.delay.is_zero() {
        tokio::time::sleep(outcome.delay).await;
    }
    let mut response = Response::new(outcome.body.map_or_else(Body::empty, |body| body.to_string().into()));
    *response.status_mut() =
        StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = outcome.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Judges a request of the API.
fn judge(shared: &Shared, request: &Request<'_>) -> Outcome {
    let held = &mut *shared.held();
    let writes = !matches!(*request.method, Method::GET | Method::HEAD);
    held.counters.requests += 1;
    held.counters.writes += u64::from(writes);
    if let Some(refusal) = shared.access.refuse(request.token, writes) {
        held.counters.refused_tokens += 1;
        return Outcome::refused(&refusal);
    }
    if let Some(wait) = held.bucket.as_mut().and_then(|bucket| bucket.take().err()) {
        held.counters.over_limit += 1;
        // A client that waits the whole seconds it is told must be let in.
        return Outcome::too_many(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
    }
    let remote = &mut held.remote;
    remote.clock.request();
    if remote.strikes.strikes(FaultKind::LostRequest) {
        return Outcome::cut();
    }
    if remote.strikes.strikes(FaultKind::RateLimited) {
        return Outcome::too_many(remote.strikes.faults.retry_after);
    }
    if remote.strikes.strikes(FaultKind::ServerError) {
        let status = *remote.strikes.random(FaultKind::ServerError).pick(&[500, 502, 503]);
        return Outcome::refused(&Refusal::new(status, "server_error", "something went wrong; try again"));
    }
    let slow = remote.strikes.strikes(FaultKind::Slow);
    remote.let_schema_drift();
    remote.let_rows_vanish(request.row_id());
    let result = act(remote, request);
    let done = result.is_ok();
    match &result {
        Err(refusal) if refusal.code == "conflict" => held.counters.conflicts += 1,
        Err(_) => held.counters.refused += 1,
        Ok(_) => {}
    }
    let mut outcome = Outcome::from(result);
    if slow {
        outcome.delay = remote.strikes.faults.slow_for;
    }
    outcome.cut = writes && done && remote.strikes.strikes(FaultKind::LostAcknowledgement);
    outcome
}

/// Does what the request asks for.
fn act(remote: &mut Remote, request: &Request<'_>) -> Result<Outcome, Refusal> {
    let Some(path) = request.segments.strip_prefix(&["api", "pems"]) else { return Err(nothing_there()) };
    match (request.method.as_str(), path) {
        ("GET", ["schema"]) => Ok(Outcome::of(200, Some(remote.schema.describe()))),
        ("GET", ["pfa"]) => keyset_page(remote, request),
        ("GET", ["grids", "pfa"]) => {
            let page = remote.grid_page(&GridRequest {
                session: request.parameter("session").unwrap_or("default"),
                organization: request.parameter("organization"),
                grid: request.number("grid")?,
                offset: request.number("offset")?.unwrap_or(0) as usize,
                limit: request.limit()?,
            })?;
            Ok(Outcome::of(200, Some(page)))
        }
        ("GET", ["pfa", id]) => {
            let mut row = remote.served(id)?;
            if remote.remembers_operations {
                row["last_operation"] = json!(remote.row(id).and_then(|row| row.last_operation.as_deref()));
            }
            Ok(Outcome::of(200, Some(row)))
        }
        ("PUT", ["pfa", id]) => put(remote, request, id),
        ("POST", ["pfa"]) => {
            let body = request.object()?;
            let fields = remote.schema.accept(object_in(&body, "fields")?)?;
            let id = text_in(&body, "id")?;
            remote.create(id, text_in(&body, "organization")?, &fields, &request.writer())?;
            Ok(Outcome::of(201, Some(remote.served(id)?)))
        }
        ("DELETE", ["pfa", id]) => {
            let version = request.number("version")?;
            let version = version.ok_or_else(|| Refusal::malformed("a deletion needs `version`"))?;
            remote.delete(id, Some(version), &request.writer())?;
            Ok(Outcome::of(204, None))
        }
        (_, ["schema" | "pfa"] | ["grids", "pfa"] | ["pfa", _]) => {
            let message = format!("{} is not answered here", request.method);
            Err(Refusal::new(405, "method_not_allowed", message))
        }
        _ => Err(nothing_there()),
    }
}

fn keyset_page(remote: &mut Remote, request: &Request<'_>) -> Result<Outcome, Refusal> {
    let organization = request.parameter("organization");
    let limit = request.limit()?;
    let since = match request.parameter("since") {
        Some(text) => {
            let instant = text.parse::<Timestamp>().map_err(|_| {
                Refusal::malformed("`since` must be an instant like 2026-01-05T06:00:00.000000Z")
            })?;
            Some((instant, request.parameter("since_id").unwrap_or_default().to_owned()))
        }
        None if request.parameter("since_id").is_some() => {
            return Err(Refusal::malformed("`since_id` means nothing without `since`"));
        }
        None => None,
    };
    let (rows, mut more) = remote.behind(organization, since, limit);
    let mut rows: Vec<Value> = rows.into_iter().map(|row| remote.schema.render(row)).collect();
    // A page of one row cannot be cut short and still lead on.
    if rows.len() > 1 && remote.strikes.strikes(FaultKind::PartialPage) {
        let kept = remote.strikes.random(FaultKind::PartialPage).between(1, rows.len() - 1);
        rows.truncate(kept);
        more = true;
    }
    Ok(Outcome::of(200, Some(json!({ "rows": rows, "more": more }))))
}

fn put(remote: &mut Remote, request: &Request<'_>, id: &str) -> Result<Outcome, Refusal> {
    let body = request.object()?;
    let version = body.get("version").and_then(Value::as_u64);
    let version = version.ok_or_else(|| Refusal::malformed("a PUT needs `version`, a whole number"))?;
    // A missing row is told first: its fields may be right for all that anybody knows.
    remote.served(id)?;
    let fields = remote.schema.accept(object_in(&body, "fields")?)?;
    if remote.strikes.strikes(FaultKind::ConcurrentEdit) {
        remote.edited_meanwhile(id, &fields);
    }
    remote.update(id, Some(version), &fields, &request.writer())?;
    let row = remote.served(id)?;
    if remote.strikes.strikes(FaultKind::DuplicateDelivery) {
        // It is judged like the first, and refused because the first has raised the version; the client never
        // sees the second answer.
        let _ = remote.update(id, Some(version), &fields, &request.writer());
    }
    Ok(Outcome::of(200, Some(row)))
}

impl Access {
    fn refuse(&self, given: Option<&str>, writes: bool) -> Option<Refusal> {
        if self.token.is_none() && self.read_only_token.is_none() {
            return None;
        }
        if given.is_some() && given == self.token.as_deref() {
            return None;
        }
        if given.is_some() && given == self.read_only_token.as_deref() {
            let refusal = || Refusal::new(403, "forbidden", "this token may only read");
            return writes.then(refusal);
        }
        let message = "a known token is needed, as `Authorization: Bearer TOKEN`";
        Some(Refusal::new(401, "unauthorized", message))
    }
}

impl Request<'_> {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let parse = |text: &str| {
            text.parse::<u64>().map_err(|_| Refusal::malformed(format!("`{name}` must be a whole number")))
        };
        self.parameter(name).map(parse).transpose()
    }

    fn limit(&self) -> Result<usize, Refusal> {
        Ok(self.number("limit")?.map_or(DEFAULT_LIMIT, |limit| limit.clamp(1, LARGEST_LIMIT as u64) as usize))
    }

    /// The body, which must be a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        serde_json::from_slice(self.body)
            .map_err(|error| Refusal::malformed(format!("the body must be a JSON object: {error}")))
    }

    fn writer(&self) -> Writer {
        Writer { author: Author::Client, operation: self.operation.clone() }
    }

    /// The id of the row that the path names.
    fn row_id(&self) -> Option<&str> {
        match self.segments[..] {
            ["api", "pems", "pfa", id] => Some(id),
            _ => None,
        }
    }
}

/// The text under `name`.
pub(crate) fn text_in<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let text = body.get(name).and_then(Value::as_str);
    text.ok_or_else(|| Refusal::malformed(format!("the body needs `{name}`, a text")))
}

/// The object under `name`.
pub(crate) fn object_in<'a>(
    body: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Map<String, Value>, Refusal> {
    let object = body.get(name).and_then(Value::as_object);
    object.ok_or_else(|| Refusal::malformed(format!("the body needs `{name}`, an object")))
}

/// The path means nothing.
pub(crate) fn nothing_there() -> Refusal {
    Refusal::new(404, "no_such_path", "there is nothing at this path")
}
