//! `/api/v1/systems`: the systems and what they can do.

use axum::Json;
use axum::extract::State;
use serde_json::{Value as Json_, json};

use crate::body::PathPart;
use crate::error::ApiError;
use crate::settings::ServedSystem;
use crate::state::Server;

/// Every system.
#[utoipa::path(get, path = "/api/v1/systems")]
pub(crate) async fn list(State(server): State<Server>) -> Json<Vec<Json_>> {
    Json(server.settings.systems.iter().map(describe).collect())
}

/// One system.
#[utoipa::path(get, path = "/api/v1/systems/{system}")]
pub(crate) async fn show(
    State(server): State<Server>,
    PathPart(name): PathPart,
) -> Result<Json<Json_>, ApiError> {
    Ok(Json(describe(server.system(&name)?)))
}

fn describe(served: &ServedSystem) -> Json_ {
    let system = served.system;
    let changes: Vec<_> = system
        .changes
        .iter()
        .map(|change| {
            json!({ "name": change.name(), "help": change.help(), "needs_backup": change.needs_backup() })
        })
        .collect();
    json!({
        "name": system.name,
        "title": system.title,
        "tables": system.tables,
        "changes": changes,
        "store": served.store.to_string(),
        "link": served.link.as_ref().map(|link| link.linked.link.name()),
    })
}
