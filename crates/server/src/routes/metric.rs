//! `/healthz` and `/metrics`.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::metric;
use crate::state::Server;

/// Says that the server answers. Needs no token, for whoever watches from outside.
pub(crate) async fn health() -> &'static str {
    "ok"
}

/// Every figure, as OpenMetrics text.
pub(crate) async fn show(State(server): State<Server>) -> Result<Response, ApiError> {
    let text = server.metrics.write().map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, metric::CONTENT_TYPE)], text).into_response())
}
