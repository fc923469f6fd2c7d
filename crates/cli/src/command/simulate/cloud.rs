//! `simulate cloud`: an object storage that lives in memory.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_simulator::cloud::{Options, serve};

use super::super::Context;
use super::failed;
use crate::args::CloudStandIn;

/// Serves until it is killed. Its first line is its address.
pub(super) fn execute(context: &Context, arguments: &CloudStandIn) -> Result<ExitCode, EngineError> {
    let options =
        Options { port: arguments.port, bucket: arguments.bucket.clone(), read_only: arguments.read_only };
    let running = serve(options).map_err(failed)?;
    context.ui.line(running.address());
    context.ui.say("demo: objects live in memory and end with this program");
    running.wait().map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}
