//! `/api/v1/plans`: plans and what they would do, row by row.

use axum::extract::State;
use axum::{Extension, Json};
use plimsoll_core::digest::Hashing;
use plimsoll_engine::Session;
use plimsoll_engine::change::listing::AppliedBy;
use plimsoll_engine::change::plan::{self, Plan, StoredItem};
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::change::{exchange, listing};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::page::{Page, Window};
use crate::access::Caller;
use crate::body::{PathPart, Query};
use crate::error::ApiError;
use crate::role::Role;
use crate::state::Server;

/// Which plans to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    system: Option<String>,
    change: Option<String>,
    status: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
}

/// A plan of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    #[serde(flatten)]
    plan: Plan,
    run: Option<AppliedBy>,
}

/// Plans of all stores, newest first, each with the newest `run` that applied it.
#[utoipa::path(get, path = "/api/v1/plans", params(Wanted), responses((status = 200, body = crate::routes::page::AnyPage)))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Line>>, ApiError> {
    let window = Window::new(wanted.limit, wanted.offset);
    let listed = listing::Wanted {
        change: wanted.change,
        status: wanted.status,
        ..seen(&server, &caller, wanted.system.as_deref())
    };
    let (mut plans, mut total) = (Vec::new(), 0);
    for store in &server.stores {
        let (listed, end) = (listed.clone(), window.end());
        let read = move |session: &mut Session| {
            let (plans, count) = listing::plans(session.store.as_mut(), &listed, end)?;
            let mut runs = listing::applied_by(session.store.as_mut(), &plans)?;
            let lines = plans.into_iter().map(|plan| {
                let run = runs.remove(plan.id.as_str());
                Line { plan, run }
            });
            Ok((lines.collect::<Vec<_>>(), count))
        };
        let (some, count) = store.run(&caller.name, read).await?;
        plans.extend(some);
        total += count;
    }
    plans.sort_by(|a: &Line, b| b.plan.created_at.cmp(&a.plan.created_at));
    Ok(Json(window.of(plans, total)))
}

/// What a caller may see: everything of their systems, or of the one that they name.
pub(super) fn seen(server: &Server, caller: &Caller, system: Option<&str>) -> listing::Wanted {
    let systems = server.settings.systems.iter().map(|served| served.system.name);
    listing::Wanted::of(
        systems.filter(|name| caller.sees(name) && system.is_none_or(|system| system == *name)),
    )
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
