//! The whole API on a page.
//!
//! Owns every path, its method, its handler and the scope that it needs; systems add theirs by declaring them
//! ([`crate::routes::alias`]). What the routes take and answer is in `docs/guide/server.md`.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};

use crate::access::{Scope, require};
use crate::error::ApiError;
use crate::request;
use crate::routes::sync::{conflicts, drafts, events, records, rounds, waiting};
use crate::routes::{alias, client, flag, metric, ofrep, plan, quarantine, run, system, unleash};
use crate::state::Server;

/// Every route with its layers.
pub(crate) fn router(server: Server) -> Router {
    let limit = DefaultBodyLimit::max(server.settings.limits.body_bytes);
    let scoped = |routes: Router<Server>, scope| {
        // No system may have declared any.
        if !routes.has_routes() {
            return routes;
        }
        routes.route_layer(from_fn_with_state((Server::clone(&server), scope), require))
    };
    Router::new()
        .route("/healthz", get(metric::health))
        .merge(scoped(read(), Scope::Read))
        .merge(scoped(operate(), Scope::Operate))
        .merge(scoped(look_at_records(), Scope::Read))
        .merge(scoped(change_records(), Scope::Operate))
        .merge(scoped(alias::routes(&server, Scope::Read), Scope::Read))
        .merge(scoped(alias::routes(&server, Scope::Operate), Scope::Operate))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(limit)
        .layer(from_fn_with_state(Server::clone(&server), request::around))
        .with_state(server)
}

/// What looks, evaluates and follows.
fn read() -> Router<Server> {
    Router::new()
        .route("/metrics", get(metric::show))
        .route("/api/v1/systems", get(system::list))
        .route("/api/v1/systems/{system}", get(system::show))
        .route("/api/v1/runs", get(run::list))
        .route("/api/v1/runs/{run}", get(run::show))
        .route("/api/v1/plans", get(plan::list))
        .route("/api/v1/plans/{plan}", get(plan::show))
        .route("/api/v1/quarantine", get(quarantine::list))
        .route("/api/v1/quarantine/{item}", get(quarantine::show))
        .route("/api/v1/flags", get(flag::list))
        .route("/api/v1/flags/{flag}", get(flag::show))
        .route("/api/v1/flags/{flag}/history", get(flag::history))
        .route("/api/v1/flags/{flag}/explain", post(flag::explain))
        .route("/api/v1/flag-clients", get(client::list))
        .route("/api/v1/flag-clients/{client}/acknowledge", post(client::acknowledge))
        .route("/api/v1/flag-versions/{version}/arrival", get(client::arrival))
        // OFREP 0.3, and the configuration of 0.2.
        .route("/ofrep/v1/evaluate/flags", post(ofrep::evaluate_all))
        .route("/ofrep/v1/evaluate/flags/{flag}", post(ofrep::evaluate))
        .route("/ofrep/v1/configuration", get(ofrep::configuration))
        .route("/ofrep/v1/events", get(client::events))
        // What Unleash's own clients ask.
        .route("/api/client/features", get(unleash::features))
        .route("/api/client/register", post(unleash::register))
        .route("/api/client/metrics", post(unleash::metrics))
}

/// What changes flags.
fn operate() -> Router<Server> {
    Router::new()
        .route("/api/v1/flags", post(flag::create))
        .route("/api/v1/flags/{flag}/set", post(flag::set))
        .route("/api/v1/flags/{flag}/allow", post(flag::allow))
        .route("/api/v1/flags/{flag}/deny", post(flag::deny))
        .route("/api/v1/flags/{flag}/kill", post(flag::kill))
}

/// What looks at the records of a linked system.
fn look_at_records() -> Router<Server> {
    Router::new()
        .route("/api/v1/systems/{system}/records", get(records::list))
        .route("/api/v1/systems/{system}/records/{key}", get(records::show))
        .route("/api/v1/systems/{system}/records/{key}/versions", get(records::versions))
        .route("/api/v1/systems/{system}/records/{key}/versions/{version}", get(records::version))
        .route("/api/v1/systems/{system}/figures", get(records::figures))
        .route("/api/v1/systems/{system}/edits", get(drafts::edits))
        .route("/api/v1/systems/{system}/drafts", get(drafts::drafts))
        .route("/api/v1/systems/{system}/conflicts", get(conflicts::list))
        .route("/api/v1/systems/{system}/conflicts/{key}", get(conflicts::show))
        .route("/api/v1/systems/{system}/conflict-rules", get(conflicts::rules))
        .route("/api/v1/systems/{system}/queue", get(waiting::queue))
        .route("/api/v1/systems/{system}/limbo", get(waiting::limbo))
        .route("/api/v1/systems/{system}/dead-letters", get(waiting::dead_letters))
        .route("/api/v1/systems/{system}/sync", get(rounds::show))
        .route("/api/v1/systems/{system}/events", get(events::follow))
}

/// What changes the records of a linked system.
fn change_records() -> Router<Server> {
    Router::new()
        .route("/api/v1/systems/{system}/records/{key}/draft", put(drafts::put).delete(drafts::drop_draft))
        .route("/api/v1/systems/{system}/records/{key}/restore", post(records::restore))
        .route("/api/v1/systems/{system}/drafts/commit", post(drafts::commit))
        .route("/api/v1/systems/{system}/drafts/discard", post(drafts::discard))
        .route("/api/v1/systems/{system}/import", post(drafts::import))
        .route("/api/v1/systems/{system}/conflicts", post(conflicts::resolve_many))
        .route("/api/v1/systems/{system}/conflicts/{key}/resolve", post(conflicts::resolve))
        .route("/api/v1/systems/{system}/conflicts/{key}/undo", post(conflicts::undo))
        .route(
            "/api/v1/systems/{system}/conflict-rules/{field}",
            put(conflicts::set_rule).delete(conflicts::drop_rule),
        )
        .route("/api/v1/systems/{system}/dead-letters/retry", post(waiting::retry))
        .route("/api/v1/systems/{system}/dead-letters/drop", post(waiting::drop_letters))
        .route("/api/v1/systems/{system}/sync", post(rounds::go))
}

async fn no_route() -> ApiError {
    ApiError::not_found("there is no such route").hint("docs/guide/server.md lists the routes")
}

async fn no_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route does not take the method")
}
