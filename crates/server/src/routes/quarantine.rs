//! `/api/v1/quarantine`: the items that runs could not take.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::id::Id;
use plimsoll_engine::change::quarantine::{self, Quarantined};
use plimsoll_engine::change::setup::Named;
use serde::Deserialize;

use super::page::{Page, Window};
use crate::access::Caller;
use crate::body::{PathPart, Query};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;

/// Which items are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    run: Option<String>,
    #[serde(default)]
    all: bool,
}

/// Items that wait, of all stores or of one run; with `all` also those that were replayed or dropped.
#[utoipa::path(get, path = "/api/v1/quarantine", params(Wanted, Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Quarantined>>, ApiError> {
    let read = |run: Option<Id>| {
        move |session: &mut plimsoll_engine::Session| {
            quarantine::list(session.store.as_mut(), run.as_ref(), wanted.all)
        }
    };
    let mut items = Vec::new();
    if let Some(prefix) = &wanted.run {
        let (store, id) = server.find(&caller, Role::Viewer, Named::Run, prefix).await?;
        items = store.run(&caller.name, read(Some(id))).await?;
    } else {
        for store in &server.stores {
            items.extend(store.run(&caller.name, read(None)).await?);
        }
    }
    items.retain(|item: &Quarantined| caller.sees(&item.system));
    Ok(Json(window.cut(items)))
}

/// One item with its record and rows.
#[utoipa::path(get, path = "/api/v1/quarantine/{item}")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
) -> Result<Json<Quarantined>, ApiError> {
    let (store, id) = server.find(&caller, Role::Viewer, Named::Quarantined, &prefix).await?;
    let item = store.run(&caller.name, move |session| quarantine::load(session.store.as_mut(), &id));
    Ok(Json(item.await?))
}
