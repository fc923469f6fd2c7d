//! What happens to every request before and after its handler.
//!
//! Owns request ids, the log line, the figures, the security headers, and the limits of time and of requests at once.
//! Who may call is `access`'s.
//!
//! Invariants: every answer carries `x-request-id`, the same id as its log line; a handler that panics is an answer
//! 500, not a lost connection.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::header::{HeaderName, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use crate::error::{ApiError, Private};
use crate::state::Server;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, for its handler.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

tokio::task_local! {
    /// The id of the request that this task works for.
    static CURRENT: Arc<str>;
}

/// The id of the request that the calling task works for.
pub(crate) fn current() -> Option<Arc<str>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Work that goes on in a task of its own, for the request that the calling task works for.
pub(crate) fn spawn<F>(work: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    match current() {
        Some(id) => tokio::spawn(CURRENT.scope(id, work)),
        None => tokio::spawn(work),
    }
}

/// Makes ids of requests: the server's own prefix and a number.
#[derive(Debug)]
pub(crate) struct RequestIds {
    prefix: String,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        let prefix = plimsoll_engine::clock::new_id().as_str().chars().take(8).collect();
        Self { prefix, next: AtomicU64::new(1) }
    }

    /// The caller's id when it sends a plain one, so that one id follows a request through several programs.
    fn of(&self, headers: &HeaderMap) -> Arc<str> {
        let sent = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let plain = |id: &&str| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|sign| sign.is_ascii_alphanumeric() || b"-_.".contains(&sign))
        };
        match sent.filter(plain) {
            Some(id) => id.into(),
            None => format!("{}-{:x}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed)).into(),
        }
    }
}

/// Answers a request: id, limits, handler, figures, log line, headers.
pub(crate) async fn around(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = server.request_ids.of(request.headers());
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let method = method_name(request.method());
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().into(),
        None => Arc::clone(&server.no_route),
    };
    // Whatever the engine logs on the way carries the id; at the level of errors, so that no filter loses it.
    let span = tracing::error_span!("request", request.id = &*id);
    let handled = CURRENT.scope(Arc::clone(&id), limited(&server, request, next));
    let mut response = handled.instrument(span).await;
    let took = started.elapsed();
    server.metrics.answered(method, &route, response.status().as_u16(), took);
    log(&id, method, &route, &mut response, took);
    add_headers(&id, response.headers_mut());
    response
}

/// The handler's answer, within the limits.
async fn limited(server: &Server, request: Request, next: Next) -> Response {
    let handled = async {
        match server.places.acquire().await {
            Ok(_place) => next.run(request).await,
            Err(_) => ApiError::busy("the server is ending").into_response(),
        }
    };
    let limit = server.settings.limits.request_timeout;
    match AssertUnwindSafe(tokio::time::timeout(limit, handled)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => ApiError::new(
            StatusCode::GATEWAY_TIMEOUT,
            "timeout",
            format!("the answer took longer than {} s", limit.as_secs()),
        )
        .into_response(),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            ApiError::internal(text.unwrap_or_else(|| "a panic without a text".to_owned())).into_response()
        }
    }
}

fn log(id: &str, method: &str, route: &str, response: &mut Response, took: Duration) {
    let status = response.status().as_u16();
    let duration_ms = took.as_secs_f64() * 1e3;
    if let Some(Private(error)) = response.extensions_mut().remove::<Private>() {
        tracing::error!(request.id = id, method, route, status, duration_ms, error, "request failed");
    } else {
        tracing::debug!(request.id = id, method, route, status, duration_ms, "request answered");
    }
}

fn add_headers(id: &str, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_id_is_kept_and_anything_else_replaced() {
        let ids = RequestIds::new();
        let with = |text: &'static str| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(text))]);
        assert_eq!(&*ids.of(&with("a-1_b.2")), "a-1_b.2");
        for text in ["", "with space", "<script>", &"x".repeat(65)] {
            let text: &'static str = text.to_owned().leak();
            assert_ne!(&*ids.of(&with(text)), text);
        }
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    }
}
