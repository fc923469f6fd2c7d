//! Requests and answers: which path means what, and how each answer looks.
//!
//! Owns the reading of paths and parameters, the order in which a request is judged (key, budget, fault,
//! answer), the error bodies, and the counters. What is offered comes from `listing`, when faults strike from
//! `faults`.
//!
//! Two kinds of errors look different, as they do at congress.gov. The gateway in front of the API answers
//! `{"error": {"code": .., "message": ..}}`: 403 for a key, 429 for the rate, and the passing 500 and 503.
//! The API itself answers `{"error": "..", "request": {..}}`: 404, 400, and the 500 of a meeting it cannot
//! show.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::faults::{Fault, Strikes};
use super::listing::{Catalog, Filter};
use super::stats::{Counters, Stats};
use crate::connection::Cut;

/// The number of entries of a page when the request does not say.
pub const DEFAULT_LIMIT: usize = 20;
/// The most entries of a page; a larger `limit` is taken as this.
pub const LARGEST_LIMIT: usize = 250;
/// The requests per hour that congress.gov grants a key.
pub const HOURLY_REQUESTS: u32 = 5_000;

/// How many requests are granted in which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestBudget {
    /// Requests granted per window.
    pub requests: u32,
    /// The length of a window; it begins with its first request.
    pub window: Duration,
}

/// Everything the handler needs.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `http://HOST:PORT`.
    pub(crate) address: String,
    pub(crate) catalog: Catalog,
    pub(crate) strikes: Strikes,
    pub(crate) slow_for: Duration,
    pub(crate) retry_after: u64,
    pub(crate) key: Option<String>,
    pub(crate) budget: Option<RequestBudget>,
    /// The manifest as JSON.
    pub(crate) manifest: Bytes,
    counters: Counters,
    window: Mutex<Option<(Instant, u32)>>,
}

/// What a [`Shared`] is made of.
pub(crate) struct Parts {
    pub(crate) address: String,
    pub(crate) catalog: Catalog,
    pub(crate) strikes: Strikes,
    pub(crate) slow_for: Duration,
    pub(crate) retry_after: u64,
    pub(crate) key: Option<String>,
    pub(crate) budget: Option<RequestBudget>,
    pub(crate) manifest: Bytes,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { address, catalog, strikes, slow_for, retry_after, key, budget, manifest } = parts;
        let (counters, window) = (Counters::default(), Mutex::new(None));
        Self { address, catalog, strikes, slow_for, retry_after, key, budget, manifest, counters, window }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.stats()
    }

    /// Takes one request from the budget: how many are left, or how long the client has to wait.
    fn spend(&self, budget: RequestBudget) -> Result<u32, Duration> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (begun, spent) = match *window {
            Some((begun, spent)) if now.duration_since(begun) < budget.window => (begun, spent),
            _ => (now, 0),
        };
        if spent >= budget.requests {
            return Err(budget.window.saturating_sub(now.duration_since(begun)));
        }
        *window = Some((begun, spent + 1));
        Ok(budget.requests - spent - 1)
    }

    /// True where the planted defect is that there is no item. Such a request is never struck by a passing
    /// fault as well: whatever the number of a client's attempts, the last one tells what the first one told.
    fn always_fails(&self, route: &Route<'_>) -> bool {
        let Route::Item { congress, chamber, event_id } = route else { return false };
        self.catalog.offer(*congress, chamber, event_id).is_some_and(|offer| offer.fails)
    }

    fn count(&self, counter: &AtomicU64) -> u64 {
        counter.fetch_add(1, Ordering::Relaxed)
    }
}

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
enum Route<'a> {
    List { congress: Option<i64>, chamber: Option<String> },
    Item { congress: i64, chamber: String, event_id: &'a str },
    Stats,
    Manifest,
    Unknown,
}

fn route(path: &str) -> Route<'_> {
    let path = path.trim_end_matches('/');
    match path {
        "/_simulator/stats" => return Route::Stats,
        "/_simulator/manifest" => return Route::Manifest,
        _ => {}
    }
    let path = path.strip_prefix("/v3").unwrap_or(path);
    let mut parts = path.trim_start_matches('/').split('/');
    if parts.next() != Some("committee-meeting") {
        return Route::Unknown;
    }
    let Some(congress) = parts.next() else { return Route::List { congress: None, chamber: None } };
    let Ok(congress) = congress.parse::<i64>() else { return Route::Unknown };
    let Some(chamber) = parts.next() else { return Route::List { congress: Some(congress), chamber: None } };
    let chamber = chamber.to_lowercase();
    if !["house", "senate", "joint", "nochamber"].contains(&chamber.as_str()) {
        return Route::Unknown;
    }
    match (parts.next(), parts.next()) {
        (None, _) => Route::List { congress: Some(congress), chamber: Some(chamber) },
        (Some(event_id), None) => Route::Item { congress, chamber, event_id },
        _ => Route::Unknown,
    }
}

/// Answers one request.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let counters = &shared.counters;
    let route = route(uri.path());
    match route {
        Route::Stats => return json_response(StatusCode::OK, Body::from(json!(shared.stats()).to_string())),
        Route::Manifest => return json_response(StatusCode::OK, Body::from(shared.manifest.clone())),
        _ => {}
    }
    let number = shared.count(&counters.requests);
    if method != Method::GET && method != Method::HEAD {
        shared.count(&counters.not_answered);
        return api_error(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered", None);
    }
    let parameters = parameters(&uri);
    if let Some(refusal) = refuse_key(&shared, &parameters, &headers) {
        shared.count(&counters.refused_keys);
        return refusal;
    }
    let (limit, left) = match shared.budget.map(|budget| (budget, shared.spend(budget))) {
        Some((budget, Ok(left))) => (budget.requests, left),
        Some((_, Err(wait))) => {
            shared.count(&counters.over_budget);
            // A client that waits the whole seconds it is told must be let in.
            return too_many(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        }
        // Nothing is enforced, so what is left never reaches nothing.
        None => (HOURLY_REQUESTS, HOURLY_REQUESTS - 1 - (number % u64::from(HOURLY_REQUESTS - 1)) as u32),
    };
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let fault = if shared.always_fails(&route) { None } else { shared.strikes.next(target) };
    match fault {
        Some(Fault::Drop) => {
            shared.count(&counters.dropped);
            cut.cut();
        }
        Some(Fault::RateLimited) => {
            shared.count(&counters.rate_limited);
            return too_many(shared.retry_after);
        }
        Some(Fault::ServerError(status)) => {
            shared.count(&counters.server_errors);
            return server_error(status);
        }
        Some(Fault::Slow) => {
            shared.count(&counters.slow);
            tokio::time::sleep(shared.slow_for).await;
        }
        None => {}
    }
    let mut response = match route {
        Route::List { congress, chamber } => list(&shared, congress, chamber, &parameters),
        Route::Item { congress, chamber, event_id } => item(&shared, congress, &chamber, event_id),
        _ => {
            shared.count(&counters.not_answered);
            api_error(StatusCode::NOT_FOUND, &format!("there is nothing at {}", uri.path()), None)
        }
    };
    response.headers_mut().insert("x-ratelimit-limit", HeaderValue::from(limit));
    response.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from(left));
    response
}

fn parameters(uri: &Uri) -> HashMap<String, String> {
    Query::<HashMap<String, String>>::try_from_uri(uri).map_or_else(|_| HashMap::new(), |Query(all)| all)
}

fn refuse_key(
    shared: &Shared,
    parameters: &HashMap<String, String>,
    headers: &HeaderMap,
) -> Option<Response> {
    let wanted = shared.key.as_deref()?;
    let in_header = headers.get("x-api-key").and_then(|value| value.to_str().ok());
    let (code, message) = match in_header.or_else(|| parameters.get("api_key").map(String::as_str)) {
        Some(given) if given == wanted => return None,
        Some(_) => ("API_KEY_INVALID", "the API key is not known"),
        None => ("API_KEY_MISSING", "no API key was given, neither as api_key nor as X-Api-Key"),
    };
    Some(gateway_error(StatusCode::FORBIDDEN, code, message))
}

fn list(
    shared: &Shared,
    congress: Option<i64>,
    chamber: Option<String>,
    parameters: &HashMap<String, String>,
) -> Response {
    let mut request = json!({ "contentType": "application/json", "format": "json" });
    if let Some(congress) = congress {
        request["congress"] = json!(congress.to_string());
    }
    if let Some(chamber) = &chamber {
        request["chamber"] = json!(chamber);
    }
    let refuse = |name: &str, form: &str| {
        shared.count(&shared.counters.not_answered);
        api_error(StatusCode::BAD_REQUEST, &format!("`{name}` must be {form}"), Some(&request))
    };
    if parameters.get("format").is_some_and(|format| format != "json") {
        return refuse("format", "json");
    }
    let number = |name: &str, otherwise: usize| {
        parameters.get(name).map_or(Some(otherwise), |text| text.parse::<usize>().ok())
    };
    let Some(offset) = number("offset", 0) else { return refuse("offset", "a whole number") };
    let Some(limit) = number("limit", DEFAULT_LIMIT) else { return refuse("limit", "a whole number") };
    let limit = limit.clamp(1, LARGEST_LIMIT);
    let instant = |name: &str| parameters.get(name).map(|text| text.parse::<Timestamp>()).transpose();
    let (Ok(from), Ok(to)) = (instant("fromDateTime"), instant("toDateTime")) else {
        return refuse("fromDateTime and toDateTime", "instants like 2025-10-01T00:00:00Z");
    };
    let filter = Filter { congress, chamber, from, to };
    let page = shared.catalog.page(&filter, offset, limit);
    shared.count(&shared.counters.list_pages);
    shared.counters.duplicated_pages.fetch_add(u64::from(page.repeats), Ordering::Relaxed);
    shared.counters.missing_items.fetch_add(page.left_out as u64, Ordering::Relaxed);

    let address = |offset: usize| {
        let mut address = format!("{}/v3/committee-meeting", shared.address);
        for part in filter.congress.map(|congress| congress.to_string()).iter().chain(&filter.chamber) {
            address.push('/');
            address.push_str(part);
        }
        address.push_str(&format!("?offset={offset}&limit={limit}&format=json"));
        for (name, instant) in [("fromDateTime", from), ("toDateTime", to)] {
            if let Some(instant) = instant {
                address.push_str(&format!("&{name}={instant}"));
            }
        }
        address
    };
    let mut pagination = json!({ "count": page.count });
    if offset.saturating_add(limit) < page.count {
        pagination["next"] = json!(address(offset + limit));
    }
    if offset > 0 {
        pagination["prev"] = json!(address(offset.saturating_sub(limit)));
    }
    let size: usize = page.entries.iter().map(|entry| entry.len() + 1).sum();
    let mut body = Vec::with_capacity(size + 512);
    body.extend_from_slice(b"{\"committeeMeetings\":[");
    for (place, entry) in page.entries.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(entry);
    }
    body.extend_from_slice(format!("],\"pagination\":{pagination},\"request\":{request}}}").as_bytes());
    json_response(StatusCode::OK, Body::from(body))
}

fn item(shared: &Shared, congress: i64, chamber: &str, event_id: &str) -> Response {
    let Some(offer) = shared.catalog.offer(congress, chamber, event_id) else {
        shared.count(&shared.counters.not_answered);
        let request = json!({
            "congress": congress.to_string(), "chamber": chamber, "eventId": event_id,
            "contentType": "application/json", "format": "json",
        });
        return api_error(StatusCode::NOT_FOUND, "no meeting has this event id here", Some(&request));
    };
    shared.count(if offer.fails { &shared.counters.failed_items } else { &shared.counters.items });
    let status = StatusCode::from_u16(offer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_response(status, Body::from(offer.item.clone()))
}

fn json_response(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn api_error(status: StatusCode, error: &str, request: Option<&Value>) -> Response {
    let mut body = json!({ "error": error });
    if let Some(request) = request {
        body["request"] = request.clone();
    }
    json_response(status, Body::from(body.to_string()))
}

fn gateway_error(status: StatusCode, code: &str, message: &str) -> Response {
    json_response(status, Body::from(json!({ "error": { "code": code, "message": message } }).to_string()))
}

fn too_many(retry_after: u64) -> Response {
    let mut response =
        gateway_error(StatusCode::TOO_MANY_REQUESTS, "OVER_RATE_LIMIT", "too many requests; try again later");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

/// A passing error: 500 from the gateway as JSON, 503 from whatever stands before it as plain text.
fn server_error(status: u16) -> Response {
    if status == 500 {
        return gateway_error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "try again");
    }
    let mut response = Response::new(Body::from("Service Unavailable\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_mean_what_the_api_says_with_and_without_the_version() {
        let list =
            |congress, chamber: Option<&str>| Route::List { congress, chamber: chamber.map(str::to_owned) };
        for prefix in ["", "/v3"] {
            let read = |rest: &str| format!("{prefix}/committee-meeting{rest}");
            assert_eq!(route(&read("")), list(None, None));
            assert_eq!(route(&read("/119")), list(Some(119), None));
            assert_eq!(route(&read("/119/House/")), list(Some(119), Some("house")));
            let path = read("/119/senate/336500");
            let item = Route::Item { congress: 119, chamber: "senate".to_owned(), event_id: "336500" };
            assert_eq!(route(&path), item);
            for rest in ["/house", "/119/lords", "/119/house/1/2"] {
                assert_eq!(route(&read(rest)), Route::Unknown, "{rest}");
            }
        }
        assert_eq!(route("/v3/bill/119"), Route::Unknown);
        assert_eq!(route("/_simulator/stats"), Route::Stats);
    }
}
