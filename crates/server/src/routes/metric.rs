//! `/healthz` and `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use plimsoll_engine::metric::render_open_metrics;

use crate::error::ApiError;
use crate::metric;
use crate::state::Server;

/// Says that the server answers. Needs no token, for whoever watches from outside.
#[utoipa::path(get, path = "/healthz")]
pub(crate) async fn health() -> &'static str {
    "ok"
}

/// Every figure, as OpenMetrics text: the stores' first, then the server's own, which end the document.
#[expect(clippy::disallowed_methods, reason = "collecting opens every store once, on sessions of its own")]
#[utoipa::path(get, path = "/metrics")]
pub(crate) async fn show(State(server): State<Server>) -> Result<Response, ApiError> {
    let own = server.metrics.write().map_err(|error| ApiError::internal(error.to_string()))?;
    let collect = Arc::clone(&server.settings.collect);
    let samples = tokio::task::spawn_blocking(move || collect())
        .await
        .map_err(|error| ApiError::internal(error.to_string()))?;
    let text = render_open_metrics(&samples) + &own;
    Ok(([(CONTENT_TYPE, metric::CONTENT_TYPE)], text).into_response())
}
