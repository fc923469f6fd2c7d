//! OFREP 0.3: flags for any OpenFeature provider, and the configuration that providers of 0.2 ask for.
//!
//! Owns the protocol's bodies, statuses and error codes (open-feature/protocol, `service/openapi.yaml`). Evaluation is the
//! engine's, on the snapshot in memory: no request waits for a store.
//!
//! Invariants: a request never names which flags it wants (ADR 0004); the entity tag of a bulk answer is made from its
//! bytes, so it changes exactly when the answer does, schedules included.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use plimsoll_engine::flag::{Evaluation, EvaluationContext, Reason};
use serde::Serialize;
use serde_json::{Value, json};

use crate::body::{self, PathPart};
use crate::etag;
use crate::state::Server;

/// Why a context cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refusal {
    code: &'static str,
    details: &'static str,
}

/// A flag that could not be evaluated.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    error_code: &'a str,
    error_details: &'a str,
}

/// A flag that was evaluated. Without a value the program uses its own default.
#[derive(Debug, Serialize)]
struct Success<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    metadata: Metadata,
}

/// Which version of the flag answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    flag_version: i64,
}

/// One flag for one context.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags/{flag}", request_body = serde_json::Value)]
pub(crate) async fn evaluate(
    State(server): State<Server>,
    PathPart(key): PathPart,
    request: Request,
) -> Response {
    let bytes = match body::read(request, &()).await {
        Ok(bytes) => bytes,
        Err(error) => return error.into_response(),
    };
    let context = match read_context(&bytes) {
        Ok(context) => context,
        Err(refusal) => return refuse(Some(&key), refusal),
    };
    server.metrics.evaluations.inc();
    let found = server.live.current().evaluate(&key, &context);
    match shape(&found) {
        _ if found.reason == Reason::Unknown => {
            let details = "there is no such flag";
            let failure = Failure { key: Some(&key), error_code: "FLAG_NOT_FOUND", error_details: details };
            answer(StatusCode::NOT_FOUND, &failure)
        }
        Ok(success) => answer(StatusCode::OK, &success),
        Err(refusal) => refuse(Some(&key), refusal),
    }
}

/// Every flag for one context.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags", request_body = serde_json::Value)]
pub(crate) async fn evaluate_all(State(server): State<Server>, request: Request) -> Response {
    let headers = request.headers().clone();
    let bytes = match body::read(request, &()).await {
        Ok(bytes) => bytes,
        Err(error) => return error.into_response(),
    };
    let context = match read_context(&bytes) {
        Ok(context) => context,
        Err(refusal) => return refuse(None, refusal),
    };
    let found = server.live.current().evaluate_all(&context);
    server.metrics.evaluations.inc_by(found.len() as u64);
    let flags: Vec<Value> = found
        .iter()
        .map(|found| match shape(found) {
            Ok(success) => json!(success),
            Err(Refusal { code, details }) => {
                json!(Failure { key: Some(&found.flag), error_code: code, error_details: details })
            }
        })
        .collect();
    let document = json!({ "flags": flags, "eventStreams": [event_stream()] });
    tagged(&headers, &document)
}

/// Where a provider hears that it should ask again, and after how many seconds of silence it may close the stream.
fn event_stream() -> Value {
    json!({
        "type": "sse",
        "endpoint": { "requestUri": "/ofrep/v1/events" },
        "inactivityDelaySec": 120,
    })
}

/// What providers of OFREP 0.1 and 0.2 ask before they start.
#[utoipa::path(get, path = "/ofrep/v1/configuration")]
pub(crate) async fn configuration(headers: HeaderMap) -> Response {
    let document = json!({
        "name": "plimsoll",
        "capabilities": {
            "cacheInvalidation": { "polling": { "enabled": true, "minPollingIntervalMs": 1_000 } },
            "flagEvaluation": { "supportedTypes": ["int", "float", "string", "boolean", "object"] },
            "caching": { "enabled": true, "ttl": 1_000 },
        },
    });
    tagged(&headers, &document)
}

fn tagged(headers: &HeaderMap, document: &Value) -> Response {
    let body = document.to_string();
    etag::answer(headers, &etag::of(body.as_bytes()), Bytes::from(body))
}

/// An evaluation as the protocol carries it.
fn shape(found: &Evaluation) -> Result<Success<'_>, Refusal> {
    if found.key_missing {
        let details = "the flag asks who it is by a field that the context does not have";
        return Err(Refusal { code: "TARGETING_KEY_MISSING", details });
    }
    if matches!(found.value, Some(Value::Array(_) | Value::Null)) {
        let details = "the flag's value is a list or nothing, which OFREP cannot carry";
        return Err(Refusal { code: "GENERAL", details });
    }
    Ok(Success {
        key: &found.flag,
        value: found.value.as_ref(),
        reason: found.reason.as_str(),
        variant: found.variant.as_deref(),
        metadata: Metadata { flag_version: found.version },
    })
}

fn refuse(key: Option<&str>, refusal: Refusal) -> Response {
    let failure = Failure { key, error_code: refusal.code, error_details: refusal.details };
    answer(StatusCode::BAD_REQUEST, &failure)
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => crate::error::ApiError::internal(error.to_string()).into_response(),
    }
}

/// The context of a request: an object with a targeting key.
fn read_context(bytes: &[u8]) -> Result<EvaluationContext, Refusal> {
    let refuse = |code, details| Err(Refusal { code, details });
    let Ok(Value::Object(mut body)) = serde_json::from_slice(bytes) else {
        return refuse("PARSE_ERROR", "the body is not a JSON object");
    };
    let context = match body.remove("context") {
        Some(Value::Object(context)) => context,
        Some(_) => return refuse("INVALID_CONTEXT", "`context` is not an object"),
        None => return refuse("INVALID_CONTEXT", "the body has no `context`"),
    };
    match context.get("targetingKey") {
        Some(Value::String(key)) if !key.is_empty() => Ok(EvaluationContext::from_json(&context)),
        Some(Value::String(_)) | None => {
            refuse("TARGETING_KEY_MISSING", "`context.targetingKey` says who asks, and it is not there")
        }
        Some(_) => refuse("INVALID_CONTEXT", "`context.targetingKey` is not text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_read_or_refused_with_the_code_that_the_protocol_names() {
        let code = |text: &str| read_context(text.as_bytes()).err().map(|refusal| refusal.code);
        assert_eq!(code(r#"{"context":{"targetingKey":"a","n":1}}"#), None);
        for (text, expected) in [
            ("", "PARSE_ERROR"),
            ("[]", "PARSE_ERROR"),
            ("{\"context\":", "PARSE_ERROR"),
            ("{}", "INVALID_CONTEXT"),
            (r#"{"context":[]}"#, "INVALID_CONTEXT"),
            (r#"{"context":null}"#, "INVALID_CONTEXT"),
            (r#"{"context":{"targetingKey":7}}"#, "INVALID_CONTEXT"),
            (r#"{"context":{}}"#, "TARGETING_KEY_MISSING"),
            (r#"{"context":{"targetingKey":""}}"#, "TARGETING_KEY_MISSING"),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }
}
