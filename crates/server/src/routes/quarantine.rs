//! `/api/v1/quarantine`: the items that runs could not take.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_engine::Session;
use plimsoll_engine::change::listing;
use plimsoll_engine::change::quarantine::{self, OPEN, Quarantined};
use plimsoll_engine::change::setup::Named;
use serde::Deserialize;

use super::page::{Page, Window};
use super::plan::seen;
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
    let status = (!wanted.all).then(|| OPEN.to_owned());
    let mut listed = listing::Wanted { status, ..seen(&server, &caller, None) };
    let mut stores = server.stores.clone();
    if let Some(prefix) = &wanted.run {
        let (store, id) = server.find(&caller, Role::Viewer, Named::Run, prefix).await?;
        (stores, listed.run) = (vec![store.clone()], Some(id.as_str().to_owned()));
    }
    let (mut items, mut total) = (Vec::new(), 0);
    for store in stores {
        let (listed, end) = (listed.clone(), window.end());
        let read = move |session: &mut Session| listing::quarantined(session.store.as_mut(), &listed, end);
        let (some, count) = store.run(&caller.name, read).await?;
        items.extend(some);
        total += count;
    }
    Ok(Json(window.of(items, total)))
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
