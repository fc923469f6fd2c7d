//! `/api/v1/users` and `/api/v1/tokens`: who may call.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Caller;
use crate::body::{JsonBody, PathPart, Query};
use crate::error::ApiError;
use crate::role::Roles;
use crate::state::Server;
use crate::user::{self, User};

/// Every user.
#[utoipa::path(get, path = "/api/v1/users", responses((status = 200, body = [User])))]
pub(crate) async fn list(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<User>>, ApiError> {
    server.control.run(&caller.name, user::list).await.map(Json)
}

/// A new user.
#[derive(Deserialize, utoipa::ToSchema)]
pub(crate) struct NewUser {
    name: String,
    /// Ten signs or more.
    password: String,
    #[serde(default)]
    roles: Roles,
    #[serde(default)]
    reason: String,
}

/// Adds a user.
#[utoipa::path(post, path = "/api/v1/users", request_body = NewUser, responses((status = 200, body = User)))]
pub(crate) async fn add(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    JsonBody(new): JsonBody<NewUser>,
) -> Result<Json<User>, ApiError> {
    let work = move |session: &mut plimsoll_engine::Session| {
        user::add(session, &new.name, &new.password, &new.roles, &new.reason)
    };
    let added = server.control.run(&caller.name, work).await?;
    server.logins.forget_users();
    Ok(Json(added))
}

/// What to change about a user.
#[derive(Deserialize, utoipa::ToSchema)]
pub(crate) struct UserChange {
    /// A new password.
    password: Option<String>,
    /// All roles from now on.
    roles: Option<Roles>,
    #[serde(default)]
    reason: String,
}

/// Changes a user's password or roles. A new password ends the user's sessions.
#[utoipa::path(put, path = "/api/v1/users/{name}", request_body = UserChange, responses((status = 200, body = User)))]
pub(crate) async fn change(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    JsonBody(change): JsonBody<UserChange>,
) -> Result<Json<User>, ApiError> {
    let (ends, of) = (change.password.is_some(), name.clone());
    let work = move |session: &mut plimsoll_engine::Session| {
        if let Some(password) = &change.password {
            user::set_password(session, &of, password, &change.reason)?;
        }
        match &change.roles {
            Some(roles) => user::replace_roles(session, &of, roles, &change.reason),
            None => user::find(session, &of),
        }
    };
    let changed =
        server.control.run(&caller.name, work).await.map_err(|error| missing(error, "there is no user"))?;
    server.logins.forget_users();
    if ends {
        server.logins.end_all(&name);
    }
    Ok(Json(changed))
}

/// Why a user goes.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Why {
    #[serde(default)]
    pub(crate) reason: String,
}

/// Removes a user; sessions end at once.
#[utoipa::path(delete, path = "/api/v1/users/{name}", params(Why), responses((status = 200, body = User)))]
pub(crate) async fn remove(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(name): PathPart,
    Query(why): Query<Why>,
) -> Result<Json<User>, ApiError> {
    let of = name.clone();
    let removed =
        server.control.run(&caller.name, move |session| user::remove(session, &of, &why.reason)).await;
    let removed = removed.map_err(ApiError::missing)?;
    server.logins.forget_users();
    server.logins.end_all(&name);
    Ok(Json(removed))
}

/// A refusal that says there is nobody of this name is 404, any other stays what it is.
fn missing(error: ApiError, says: &str) -> ApiError {
    if error.detail.starts_with(says) { error.missing() } else { error }
}

/// The tokens: who holds them and what they allow.
#[utoipa::path(get, path = "/api/v1/tokens")]
pub(crate) async fn tokens(State(server): State<Server>) -> Json<Value> {
    let held = server.settings.tokens.held();
    let items: Vec<Value> = held
        .map(|(name, scope)| json!({ "name": name, "scope": scope.as_str(), "role": scope.role() }))
        .collect();
    Json(json!({ "items": items }))
}
