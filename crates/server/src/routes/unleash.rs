//! What Unleash's own clients ask: the features, their registration, their counts.
//!
//! Owns the three routes below `/api/client`. The features are written by the engine in Unleash's format; a program that
//! uses an Unleash client evaluates them itself. Counts that clients send are added to the server's figures.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use crate::body;
use crate::error::ApiError;
use crate::etag;
use crate::state::Server;

/// Every feature, or 304.
#[utoipa::path(get, path = "/api/client/features")]
pub(crate) async fn features(State(server): State<Server>, headers: HeaderMap) -> Result<Response, ApiError> {
    let feed = server.live.feed()?;
    Ok(etag::answer(&headers, &feed.tag, Bytes::clone(&feed.body)))
}

/// A client says that it starts. Nothing is kept of it: it may send any members.
#[utoipa::path(post, path = "/api/client/register", request_body = serde_json::Value)]
pub(crate) async fn register(request: Request) -> Result<StatusCode, ApiError> {
    #[derive(Debug, Deserialize)]
    struct Registration {
        #[serde(rename = "appName")]
        app_name: String,
    }
    let registration: Registration = read(request).await?;
    tracing::info!(app = registration.app_name, "an Unleash client registered");
    Ok(StatusCode::ACCEPTED)
}

/// A client says how often each flag was on and off.
#[utoipa::path(post, path = "/api/client/metrics", request_body = serde_json::Value)]
pub(crate) async fn metrics(State(server): State<Server>, request: Request) -> Result<StatusCode, ApiError> {
    #[derive(Debug, Deserialize)]
    struct Report {
        bucket: Option<Bucket>,
    }
    #[derive(Debug, Deserialize)]
    struct Bucket {
        #[serde(default)]
        toggles: std::collections::HashMap<String, Counts>,
    }
    #[derive(Debug, Deserialize)]
    struct Counts {
        #[serde(default)]
        yes: u64,
        #[serde(default)]
        no: u64,
    }
    let report: Report = read(request).await?;
    let toggles = report.bucket.map(|bucket| bucket.toggles).unwrap_or_default();
    let current = server.live.current();
    for (flag, counts) in toggles {
        // A name that is no flag of ours would let a client make figures without end.
        if current.flag(&flag).is_some() {
            server.metrics.client_evaluations(&flag, counts.yes, counts.no);
        }
    }
    Ok(StatusCode::ACCEPTED)
}

async fn read<T: serde::de::DeserializeOwned>(request: Request) -> Result<T, ApiError> {
    let bytes = body::read(request, &()).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::usage(format!("the body is not what an Unleash client sends: {error}")))
}
