//! `/api/v1/systems`: the systems and what they can do.

use axum::Json;
use axum::extract::State;
use plimsoll_engine::alias::Field;
use serde_json::{Value as Json_, json};

use crate::body::PathPart;
use crate::error::ApiError;
use crate::routes::alias;
use crate::settings::ServedSystem;
use crate::state::Server;

/// Every system.
#[utoipa::path(get, path = "/api/v1/systems")]
pub(crate) async fn list(State(server): State<Server>) -> Json<Vec<Json_>> {
    Json(server.settings.systems.iter().map(describe).collect())
}

/// One system, with what its changes and views take and the routes that it declares.
#[utoipa::path(get, path = "/api/v1/systems/{system}")]
pub(crate) async fn show(
    State(server): State<Server>,
    PathPart(name): PathPart,
) -> Result<Json<Json_>, ApiError> {
    let served = server.system(&name)?;
    let system = served.system;
    let mut whole = describe(served);
    let views = system
        .views
        .iter()
        .map(|view| json!({ "name": view.name, "title": view.title, "fields": fields(view.fields) }));
    whole["views"] = views.collect();
    let flags = system
        .flags
        .iter()
        .map(|flag| json!({ "name": flag.name, "default": flag.default, "help": flag.help }));
    whole["flags"] = flags.collect();
    whole["routes"] = Json_::from(alias::described(system)?);
    Ok(Json(whole))
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

fn fields(fields: &[Field]) -> Vec<Json_> {
    let one = |field: &Field| json!({ "name": field.name, "wanted": field.kind.wanted(), "required": field.required, "help": field.help });
    fields.iter().map(one).collect()
}
