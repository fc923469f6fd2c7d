//! `/api/v1/openapi.json`: what the API takes and answers, for programs.

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use crate::error::ApiError;
use crate::openapi;
use crate::state::Server;

/// The document of the API in OpenAPI 3.1.
#[utoipa::path(get, path = "/api/v1/openapi.json")]
pub(crate) async fn show(State(server): State<Server>) -> Result<Json<Value>, ApiError> {
    let systems: Vec<_> = server.settings.systems.iter().map(|served| served.system).collect();
    Ok(Json(openapi::value(&systems)?))
}
