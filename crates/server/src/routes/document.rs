//! `/api/v1/openapi.json`: what the API takes and answers, for programs.

use axum::Json;
use serde_json::Value;

use crate::error::ApiError;
use crate::openapi;

/// The document of the API in OpenAPI 3.1.
#[utoipa::path(get, path = "/api/v1/openapi.json")]
pub(crate) async fn show() -> Result<Json<Value>, ApiError> {
    openapi::value().map(Json).map_err(|error| ApiError::internal(error.to_string()))
}
