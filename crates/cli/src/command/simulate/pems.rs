//! `simulate pems`: the master system of equipment plans, with other users and faults.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_simulator::pems::{Faults, Options, TokenBucket, serve};

use super::super::Context;
use super::failed;
use crate::args::PemsArguments;

/// Serves until it is killed. Its first line is its address.
pub(super) fn execute(context: &Context, arguments: &PemsArguments) -> Result<ExitCode, EngineError> {
    let options = Options {
        seed: arguments.seed,
        organizations: arguments.organizations,
        rows_per_organization: arguments.rows,
        port: arguments.port,
        token: arguments.token.clone(),
        read_only_token: None,
        remembers_operations: arguments.remembers_operations,
        limit: arguments
            .limit
            .map(|limit| TokenBucket { requests_per_second: limit.into(), burst: limit.max(1) }),
        faults: if arguments.faults { Faults::stormy() } else { Faults::none() },
    };
    let running = serve(options).map_err(failed)?;
    context.ui.line(running.address());
    running.wait().map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}
