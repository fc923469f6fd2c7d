//! The whole API on a page.
//!
//! Owns which handlers there are and the role that each needs; method and path stand at the handler, and systems add theirs
//! by declaring them ([`crate::routes::alias`]). What the routes take and answer is in `docs/guide/server.md` and, for
//! programs, in `docs/reference/openapi.json`, which is made from here.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Needed, require};
use crate::app;
use crate::error::ApiError;
use crate::openapi;
use crate::request;
use crate::role::Role;
use crate::routes::pilot::{look as pilot, moves, parity, selections};
use crate::routes::sync::{conflicts, drafts, events, records, rounds, waiting};
use crate::routes::{
    alert, alias, audit, check, client, control, document, flag, gate, metric, ofrep, overview, person, plan,
    planning, playbook, progress, quarantine, repair, run, session, system, trial, unleash, view,
};
use crate::state::Server;

/// Routes that need the same of their callers; nothing for those that everybody may call.
type Group = (Option<Needed>, OpenApiRouter<Server>);

/// Every route with its layers.
pub(crate) fn router(server: Server) -> Router {
    let limit = DefaultBodyLimit::max(server.settings.limits.body_bytes);
    let mut all = Router::new();
    for (needed, routes) in groups() {
        let (routes, _) = routes.split_for_parts();
        all = all.merge(match needed {
            Some(needed) => routes.route_layer(from_fn_with_state((Server::clone(&server), needed), require)),
            None => routes,
        });
    }
    for role in [Role::Viewer, Role::Operator] {
        let needed = Needed { role, of_item: true };
        let routes = alias::routes(&server, role);
        // No system may have declared any.
        if routes.has_routes() {
            all =
                all.merge(routes.route_layer(from_fn_with_state((Server::clone(&server), needed), require)));
        }
    }
    all.fallback(app::serve)
        .method_not_allowed_fallback(no_method)
        .layer(limit)
        .layer(from_fn_with_state(Server::clone(&server), request::around))
        .with_state(server)
}

/// The document of every route.
pub(crate) fn document() -> OpenApi {
    openapi::whole(groups().into_iter().map(|(needed, routes)| (needed, routes.split_for_parts().1)))
}

fn groups() -> Vec<Group> {
    let of_item = |role| Some(Needed { role, of_item: true });
    let of_all = |role| Some(Needed { role, of_item: false });
    vec![
        (None, open()),
        (of_item(Role::Viewer), look()),
        (of_item(Role::Viewer), look_around()),
        (of_item(Role::Viewer), look_at_records()),
        (of_item(Role::Viewer), look_at_pilot()),
        (of_all(Role::Operator), operate()),
        (of_item(Role::Operator), change_data()),
        (of_item(Role::Approver), decide()),
        (of_all(Role::Approver), attest()),
        (of_item(Role::Operator), change_records()),
        (of_item(Role::Operator), move_pilot()),
        (of_all(Role::Admin), administer()),
    ]
}

/// What everybody may call.
fn open() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(metric::health)).routes(routes!(session::log_in))
}

/// What looks, evaluates and follows.
fn look() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(session::show))
        .routes(routes!(session::log_out))
        .routes(routes!(document::show))
        .routes(routes!(metric::show))
        .routes(routes!(system::list))
        .routes(routes!(system::show))
        .routes(routes!(run::list))
        .routes(routes!(run::show))
        .routes(routes!(plan::list))
        .routes(routes!(plan::show))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::show))
        .routes(routes!(flag::list))
        .routes(routes!(flag::show))
        .routes(routes!(flag::history))
        .routes(routes!(flag::explain))
        .routes(routes!(client::list))
        .routes(routes!(client::acknowledge))
        .routes(routes!(client::arrival))
        // OFREP 0.3, and the configuration of 0.2.
        .routes(routes!(ofrep::evaluate_all))
        .routes(routes!(ofrep::evaluate))
        .routes(routes!(ofrep::configuration))
        .routes(routes!(client::events))
        // What Unleash's own clients ask.
        .routes(routes!(unleash::features))
        .routes(routes!(unleash::register))
        .routes(routes!(unleash::metrics))
}

/// What the pages show.
fn look_around() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(overview::show))
        .routes(routes!(overview::search))
        .routes(routes!(planning::assessment))
        .routes(routes!(control::modes))
        .routes(routes!(progress::follow))
        .routes(routes!(repair::of_row))
        .routes(routes!(check::list))
        .routes(routes!(check::show))
        .routes(routes!(check::look))
        .routes(routes!(gate::list))
        .routes(routes!(gate::show))
        .routes(routes!(trial::list))
        .routes(routes!(trial::show))
        .routes(routes!(playbook::list))
        .routes(routes!(playbook::show))
        .routes(routes!(playbook::runs))
        .routes(routes!(playbook::run))
        .routes(routes!(alert::list))
        .routes(routes!(alert::show))
        .routes(routes!(alert::schedules))
        .routes(routes!(view::list))
        .routes(routes!(view::show))
        .routes(routes!(view::dashboard_list))
        .routes(routes!(view::dashboard))
        .routes(routes!(view::panel))
}

/// What plans, applies, takes back and repairs.
fn change_data() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(planning::create))
        .routes(routes!(planning::apply))
        .routes(routes!(control::pause))
        .routes(routes!(control::cancel))
        .routes(routes!(control::resume))
        .routes(routes!(control::undo))
        .routes(routes!(repair::repair))
        .routes(routes!(repair::validate))
        .routes(routes!(repair::replay))
        .routes(routes!(repair::discard))
        .routes(routes!(check::run))
        .routes(routes!(trial::start))
}

/// What a person with more than a hand in it decides.
fn decide() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(planning::approve)).routes(routes!(planning::reject))
}

/// Sign-offs and approvals of steps.
fn attest() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(gate::attest)).routes(routes!(playbook::approve))
}

/// What changes flags, and what belongs to no single system.
fn operate() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(flag::create))
        .routes(routes!(flag::set))
        .routes(routes!(flag::allow))
        .routes(routes!(flag::deny))
        .routes(routes!(flag::kill))
        .routes(routes!(gate::evaluate))
        .routes(routes!(playbook::start))
        .routes(routes!(playbook::go_on))
        .routes(routes!(playbook::abort))
        .routes(routes!(playbook::roll_back))
        .routes(routes!(alert::acknowledge))
        .routes(routes!(alert::resolve))
        .routes(routes!(alert::run))
        .routes(routes!(alert::pause))
        .routes(routes!(alert::resume))
}

/// What looks at the records of a linked system.
fn look_at_records() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(records::list))
        .routes(routes!(records::show))
        .routes(routes!(records::versions))
        .routes(routes!(records::version))
        .routes(routes!(records::figures))
        .routes(routes!(drafts::edits))
        .routes(routes!(drafts::drafts))
        .routes(routes!(conflicts::list))
        .routes(routes!(conflicts::show))
        .routes(routes!(conflicts::rules))
        .routes(routes!(waiting::queue))
        .routes(routes!(waiting::limbo))
        .routes(routes!(waiting::dead_letters))
        .routes(routes!(rounds::show))
        .routes(routes!(events::follow))
}

/// What changes the records of a linked system.
fn change_records() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(drafts::put))
        .routes(routes!(drafts::drop_draft))
        .routes(routes!(records::restore))
        .routes(routes!(drafts::commit))
        .routes(routes!(drafts::discard))
        .routes(routes!(drafts::import))
        .routes(routes!(conflicts::resolve_many))
        .routes(routes!(conflicts::resolve))
        .routes(routes!(conflicts::undo))
        .routes(routes!(conflicts::set_rule))
        .routes(routes!(conflicts::drop_rule))
        .routes(routes!(waiting::retry))
        .routes(routes!(waiting::drop_letters))
        .routes(routes!(rounds::go))
}

/// What looks at a pilot. An answer to a question about a member, and comparing one, write nothing of users.
fn look_at_pilot() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(pilot::overview))
        .routes(routes!(pilot::members))
        .routes(routes!(pilot::member))
        .routes(routes!(pilot::certificate_of))
        .routes(routes!(pilot::answer))
        .routes(routes!(pilot::compare))
        .routes(routes!(selections::list))
        .routes(routes!(selections::show))
        .routes(routes!(selections::export))
        .routes(routes!(selections::explain))
}

/// What chooses, moves and repairs.
fn move_pilot() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(selections::choose))
        .routes(routes!(moves::enrol))
        .routes(routes!(moves::start))
        .routes(routes!(moves::pause))
        .routes(routes!(moves::resume))
        .routes(routes!(moves::rollback))
        .routes(routes!(moves::advance))
        .routes(routes!(moves::run))
        .routes(routes!(moves::sync))
        .routes(routes!(parity::compare))
        .routes(routes!(parity::repair))
}

/// Users, tokens and the record of changes.
fn administer() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(person::list))
        .routes(routes!(person::add))
        .routes(routes!(person::change))
        .routes(routes!(person::remove))
        .routes(routes!(person::tokens))
        .routes(routes!(audit::list))
}

async fn no_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route does not take the method")
}
