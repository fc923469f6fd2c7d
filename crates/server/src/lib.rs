//! The HTTP server: a thin start.
//!
//! Owns the routes `/healthz`, `/api/v1/systems` and `/api/v1/runs`, all of which only read, and listens on
//! loopback only: there are no users yet, so it refuses any other address. It knows no system by name; the
//! caller hands them over. Everything that it answers comes from the same engine functions as the command's.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use plimsoll_engine::change::run;
use plimsoll_engine::system::System;
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::StoreUrl;
use serde_json::json;

/// What to serve and where.
#[derive(Clone)]
pub struct ServerSettings {
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Each system with its store.
    pub stores: Vec<(&'static System, StoreUrl)>,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is not on loopback.
    #[error(
        "{0} is not a loopback address\nhint: there are no users yet, so the server listens on 127.0.0.1 or [::1] only"
    )]
    NotLoopback(SocketAddr),
    /// The operating system refused.
    #[error("the server cannot run: {0}")]
    Io(#[from] std::io::Error),
}

/// Serves until the process is interrupted. `ready` gets the address once it listens.
///
/// # Errors
/// [`ServerError`].
pub fn serve(settings: ServerSettings, ready: &dyn Fn(SocketAddr)) -> Result<(), ServerError> {
    if !settings.listen.ip().is_loopback() {
        return Err(ServerError::NotLoopback(settings.listen));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(settings.listen).await?;
        ready(listener.local_addr()?);
        let interrupted = async {
            // Without a signal handler the process simply ends on interrupt, which is safe too.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        axum::serve(listener, router(settings)).with_graceful_shutdown(interrupted).await?;
        Ok(())
    })
}

fn router(settings: ServerSettings) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/api/v1/systems", get(list_systems))
        .route("/api/v1/runs", get(list_runs))
        .with_state(Arc::new(settings))
}

async fn list_systems(State(settings): State<Arc<ServerSettings>>) -> Response {
    let systems: Vec<_> = settings
        .stores
        .iter()
        .map(|(system, _)| {
            let changes: Vec<_> = system
                .changes
                .iter()
                .map(|change| json!({ "name": change.name(), "help": change.help() }))
                .collect();
            json!({ "name": system.name, "title": system.title, "changes": changes })
        })
        .collect();
    Json(systems).into_response()
}

async fn list_runs(State(settings): State<Arc<ServerSettings>>) -> Response {
    let read = tokio::task::spawn_blocking(move || -> Result<Vec<run::Run>, EngineError> {
        let mut runs = Vec::new();
        for (_, url) in &settings.stores {
            let mut session = Session::new(plimsoll_store::open(url)?, "server");
            runs.extend(run::list(session.store.as_mut())?);
        }
        Ok(runs)
    });
    match read.await {
        Ok(Ok(runs)) => Json(runs).into_response(),
        Ok(Err(error)) => problem(&error.message),
        Err(error) => problem(&error.to_string()),
    }
}

fn problem(detail: &str) -> Response {
    tracing::error!(error = detail, "request failed");
    let body = json!({ "errors": [{ "detail": "the store cannot be read; the server's log says why" }] });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}
