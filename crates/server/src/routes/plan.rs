//! `/api/v1/plans`: plans and what they would do, row by row.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::digest::Hashing;
use plimsoll_engine::change::exchange;
use plimsoll_engine::change::plan::{self, Plan, StoredItem};
use plimsoll_engine::change::setup::Named;
use serde_json::{Value, json};

use super::page::{Page, Window};
use crate::access::Caller;
use crate::body::{PathPart, Query};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;

/// Plans of all stores, newest first.
#[utoipa::path(get, path = "/api/v1/plans", params(Window), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(window): Query<Window>,
) -> Result<Json<Page<Plan>>, ApiError> {
    let mut plans: Vec<Plan> = Vec::new();
    for store in &server.stores {
        plans.extend(store.run(&caller.name, |session| plan::list(session.store.as_mut())).await?);
    }
    plans.retain(|plan| caller.sees(&plan.system));
    plans.sort_by(|a, b| b.created_at.cmp(&a.created_at));
    Ok(Json(window.cut(plans)))
}

/// One plan with a page of its items.
#[utoipa::path(get, path = "/api/v1/plans/{plan}", params(Window))]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
    Query(window): Query<Window>,
) -> Result<Json<Value>, ApiError> {
    let (store, id) = server.find(&caller, Role::Viewer, Named::Plan, &prefix).await?;
    let detail = store.run(&caller.name, move |session| {
        let store = session.store.as_mut();
        let plan = plan::load(store, &id)?;
        let first = (window.offset() as u64).min(plan.items);
        let end = first.saturating_add(window.limit() as u64).min(plan.items);
        let items = plan::read_items(store, &plan, first, end, &mut Hashing::new("show"))?;
        let total = usize::try_from(plan.items).unwrap_or(usize::MAX);
        let page = window.page(items.iter().map(describe).collect(), total);
        Ok(json!({ "plan": plan, "items": page }))
    });
    Ok(Json(detail.await?))
}

fn describe(stored: &StoredItem) -> Value {
    json!({
        "item": stored.number,
        "label": stored.name(),
        "refusal": stored.item.refusal,
        "changes": stored.item.changes.iter().map(exchange::describe).collect::<Vec<_>>(),
    })
}
