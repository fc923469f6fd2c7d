//! `serve`.

use std::net::SocketAddr;
use std::process::ExitCode;

use plimsoll_engine::EngineError;

use super::Context;
use crate::registry::SYSTEMS;

/// Serves the HTTP API until interrupted.
pub(crate) fn serve(context: &Context, listen: SocketAddr) -> Result<ExitCode, EngineError> {
    let mut stores = Vec::new();
    for system in SYSTEMS {
        drop(context.session(system)?);
        stores.push((*system, context.store_url(system)?));
    }
    plimsoll_server::serve(plimsoll_server::ServerSettings { listen, stores }, &|address| {
        context.ui.line(&format!("http://{address}"));
    })
    .map_err(|error| EngineError::usage(error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}
