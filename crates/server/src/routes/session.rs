//! `/api/v1/session`: who the caller is, logging in, logging out.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::access::{Caller, Known};
use crate::audit;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::login::COOKIE_NAME;
use crate::request::RequestId;
use crate::role::{Role, Roles};
use crate::state::Server;
use crate::user;

/// Who the caller is and what it may do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Session {
    /// `open`: everybody on this machine may call; `session`: by a cookie; `token`: by a token.
    mode: &'static str,
    user: String,
    /// The widest role in any system.
    role: Option<Role>,
    roles: Roles,
    /// What each change must carry in the header `x-csrf-token`.
    csrf: Option<String>,
}

impl Session {
    fn of(caller: &Caller) -> Self {
        let mode = match caller.known {
            Known::Open => "open",
            Known::Session => "session",
            Known::Token => "token",
        };
        Self {
            mode,
            user: caller.name.to_string(),
            role: caller.roles.widest(),
            roles: caller.roles.clone(),
            csrf: caller.csrf.clone(),
        }
    }
}

/// Who the caller is; 401 when nobody is logged in.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session)))]
pub(crate) async fn show(Extension(caller): Extension<Caller>) -> Json<Session> {
    Json(Session::of(&caller))
}

/// A name and its password.
#[derive(Deserialize, utoipa::ToSchema)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

/// Logs in: sets a cookie that no script can read.
#[utoipa::path(post, path = "/api/v1/session", request_body = Credentials, responses((status = 200, body = Session)))]
pub(crate) async fn log_in(
    State(server): State<Server>,
    id: Option<Extension<RequestId>>,
    headers: HeaderMap,
    JsonBody(given): JsonBody<Credentials>,
) -> Result<Response, ApiError> {
    server.logins.may_try(&given.name)?;
    let name = given.name.clone();
    let found = server
        .control
        .run("server", move |session| user::authenticate(session, &given.name, &given.password))
        .await?;
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    audit::keep(&server, audit::Entry::of_login(&name, "POST", id.as_deref(), status)).await;
    let Some(found) = found else {
        server.logins.failed(&name);
        return Err(ApiError::unauthorized("name or password is wrong")
            .hint("plimsoll user list shows the names; plimsoll user password NAME sets a password anew"));
    };
    server.logins.forget_users();
    let begun = server.logins.begin(&found.name);
    let caller =
        Caller { name: found.name.into(), roles: found.roles, known: Known::Session, csrf: Some(begun.csrf) };
    let age = server.settings.limits.sessions.absolute.as_secs();
    let cookie = cookie(&headers, &begun.secret, age)?;
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(Session::of(&caller))).into_response())
}

/// Logs out: the cookie is of no use any more.
#[utoipa::path(delete, path = "/api/v1/session")]
pub(crate) async fn log_out(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    id: Option<Extension<RequestId>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    server.logins.end(&headers);
    audit::keep(&server, audit::Entry::of_login(&caller.name, "DELETE", id.as_deref(), StatusCode::OK)).await;
    let cookie = cookie(&headers, "", 0)?;
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(serde_json::json!({ "logged_out": true })))
        .into_response())
}

/// The cookie's text. Behind a proxy that speaks TLS it is sent over TLS only.
fn cookie(headers: &HeaderMap, secret: &str, age: u64) -> Result<HeaderValue, ApiError> {
    let tls = headers.get("x-forwarded-proto").is_some_and(|kind| kind == "https");
    let secure = if tls { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{COOKIE_NAME}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"
    ))
    .map_err(|error| ApiError::internal(error.to_string()))
}
