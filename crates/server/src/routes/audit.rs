//! `/api/v1/audit`: who asked for which change.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;

use super::page::{Page, Window};
use crate::access::Caller;
use crate::audit::{self, Entry};
use crate::body::Query;
use crate::error::ApiError;
use crate::state::Server;

/// Whose changes are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    actor: Option<String>,
}

/// Every request that may have changed something, newest first, refused ones included.
#[utoipa::path(get, path = "/api/v1/audit", params(Wanted, Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Entry>>, ApiError> {
    let read = move |session: &mut plimsoll_engine::Session| {
        audit::list(session, wanted.actor.as_deref(), window.limit(), window.offset())
    };
    let (entries, total) = server.control.run(&caller.name, read).await?;
    Ok(Json(window.page(entries, total)))
}
