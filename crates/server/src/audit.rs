//! The record of changes: who asked for what, when, why, and how it was answered.
//!
//! Owns one line for each request that may change something, refused ones included, in the control store. What a change
//! did to rows is in their journals; the request's id leads from there to here through the log.
//!
//! Invariants: lines are only added; no body and no secret is kept, only the member `reason`.

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use plimsoll_core::value::Value;
use plimsoll_engine::clock::new_id;
use plimsoll_engine::{EngineError, Session};
use serde::Serialize;

use crate::access::Caller;
use crate::error::ApiError;
use crate::request::RequestId;
use crate::state::Server;

/// How much of a reason is kept, in signs.
const REASON: usize = 1_000;

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Entry {
    at: String,
    actor: String,
    method: String,
    route: String,
    path: String,
    status: i64,
    request_id: String,
    reason: String,
}

impl Entry {
    /// The line of a request that just came.
    pub(crate) fn begin(caller: &Caller, request: &Request) -> Self {
        let parts = request.extensions();
        let query = request.uri().query().unwrap_or_default();
        Self {
            actor: caller.name.to_string(),
            method: request.method().to_string(),
            route: parts.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default(),
            path: request.uri().path().to_owned(),
            request_id: parts.get::<RequestId>().map(|id| id.0.to_string()).unwrap_or_default(),
            reason: in_query(query),
            ..Self::default()
        }
    }

    /// The same for logging in, which needs no caller.
    pub(crate) fn of_login(actor: &str, method: &str, id: Option<&RequestId>, status: StatusCode) -> Self {
        let path = "/api/v1/session".to_owned();
        let mut entry = Self {
            actor: actor.chars().take(64).collect(),
            method: method.to_owned(),
            route: path.clone(),
            path,
            request_id: id.map(|id| id.0.to_string()).unwrap_or_default(),
            ..Self::default()
        };
        entry.end(status, None);
        entry
    }

    /// Adds how it was answered.
    pub(crate) fn end(&mut self, status: StatusCode, reason: Option<String>) {
        self.status = i64::from(status.as_u16());
        if let Some(reason) = reason {
            self.reason = reason.chars().take(REASON).collect();
        }
    }
}

fn in_query(query: &str) -> String {
    axum::extract::Query::<std::collections::HashMap<String, String>>::try_from_uri(
        &format!("/?{query}").parse().unwrap_or_default(),
    )
    .ok()
    .and_then(|mut members| members.remove("reason"))
    .map(|reason| reason.chars().take(REASON).collect())
    .unwrap_or_default()
}

/// The request as it came, and the reason in its body of JSON.
///
/// # Errors
/// 413 when the body is too large.
pub(crate) async fn reason_of(request: Request, most: usize) -> Result<(Request, Option<String>), ApiError> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().ends_with("json") {
        return Ok((request, None));
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, most)
        .await
        .map_err(|_| ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large"))?;
    #[derive(serde::Deserialize)]
    struct Members {
        reason: Option<String>,
    }
    let reason = serde_json::from_slice::<Members>(&bytes).ok().and_then(|members| members.reason);
    Ok((Request::from_parts(parts, Body::from(bytes)), reason))
}

/// Keeps a line. What was done is done: a store that fails here is told in the log.
pub(crate) async fn keep(server: &Server, mut entry: Entry) {
    entry.at = server.clock.now();
    let line = entry.clone();
    let kept = server.control.run("server", move |session| write(session, &line)).await;
    if let Err(error) = kept {
        tracing::error!(?entry, detail = %error.detail, "a change is missing from the audit");
    }
}

fn write(session: &mut Session, entry: &Entry) -> Result<(), EngineError> {
    let sql = "INSERT INTO plimsoll_audit (id, at, actor, method, route, path, status, request_id, reason) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let text = |text: &str| Value::text(text);
    let row = [
        text(new_id().as_str()),
        text(&entry.at),
        text(&entry.actor),
        text(&entry.method),
        text(&entry.route),
        text(&entry.path),
        Value::Integer(entry.status),
        text(&entry.request_id),
        text(&entry.reason),
    ];
    session.store.execute(sql, &row)?;
    Ok(())
}

/// Lines, newest first, and how many there are; of one actor when named.
///
/// # Errors
/// When the store fails.
pub(crate) fn list(
    session: &mut Session,
    actor: Option<&str>,
    limit: usize,
    offset: usize,
) -> Result<(Vec<Entry>, usize), EngineError> {
    let number = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let wanted = Value::text(actor.unwrap_or_default());
    let of = "FROM plimsoll_audit WHERE ($1 = '' OR actor = $1)";
    let count = session.store.query(&format!("SELECT count(*) {of}"), std::slice::from_ref(&wanted))?;
    let count = count.first().and_then(|row| row.first()).and_then(Value::as_integer).unwrap_or(0);
    let sql = format!(
        "SELECT at, actor, method, route, path, status, request_id, reason {of} ORDER BY at DESC, id LIMIT $2 OFFSET $3"
    );
    let rows = session.store.query(&sql, &[wanted, number(limit), number(offset)])?;
    let entries = rows.iter().map(|row| {
        let text = |at: usize| row.get(at).and_then(Value::as_text).unwrap_or_default().to_owned();
        Entry {
            at: text(0),
            actor: text(1),
            method: text(2),
            route: text(3),
            path: text(4),
            status: row.get(5).and_then(Value::as_integer).unwrap_or(0),
            request_id: text(6),
            reason: text(7),
        }
    });
    Ok((entries.collect(), usize::try_from(count).unwrap_or(usize::MAX)))
}
