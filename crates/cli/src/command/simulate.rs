//! `simulate`: remote systems that answer, and stores that other programs leave behind.

mod cloud;
mod gauges;
mod luckygas;
mod luckygas_carried;
mod luckygas_users;
mod opencode;
mod pems;

use std::process::ExitCode;

use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_simulator::congress::baseline::baseline_sql;
use plimsoll_simulator::congress::faults::Faults;
use plimsoll_simulator::congress::mutate::{Mutation, Scenario};
use plimsoll_simulator::congress::server::{ServeOptions, serve_with};
use plimsoll_simulator::congress::{generate, snapshot};
use plimsoll_store::{Durability, StoreUrl};

use super::Context;
use crate::args::{CongressArguments, SimulateCommand};

/// Runs a simulator until it is killed, or writes what it was asked for.
pub(crate) fn execute(context: &Context, command: SimulateCommand) -> Result<ExitCode, EngineError> {
    match command {
        SimulateCommand::Cloud(arguments) => cloud::execute(context, &arguments),
        SimulateCommand::Congress(arguments) => congress(context, &arguments),
        SimulateCommand::Gauges(arguments) => gauges::execute(context, &arguments),
        SimulateCommand::Luckygas(arguments) => luckygas::execute(context, &arguments),
        SimulateCommand::LuckygasUsers(arguments) => luckygas_users::execute(context, &arguments),
        SimulateCommand::Opencode(arguments) => opencode::execute(context, &arguments),
        SimulateCommand::Pems(arguments) => pems::execute(context, &arguments),
    }
}

fn failed(error: impl std::fmt::Display) -> EngineError {
    EngineError::new(ErrorKind::Usage, error.to_string())
}

fn congress(context: &Context, arguments: &CongressArguments) -> Result<ExitCode, EngineError> {
    let corpus = match (&arguments.snapshot, arguments.generate) {
        (Some(path), _) => snapshot::load(path).map_err(failed)?,
        (None, count) => generate::corpus(count.unwrap_or(0), arguments.seed),
    };
    if let Some(path) = &arguments.write_baseline {
        if path.exists() {
            return Err(EngineError::usage(format!("{} exists already", path.display())));
        }
        let url = StoreUrl::Sqlite { path: path.clone(), durability: Durability::Normal };
        let mut store = plimsoll_store::open(&url)?;
        plimsoll_store::in_transaction(store.as_mut(), plimsoll_store::Access::ReadWrite, |store| {
            baseline_sql(&corpus).iter().try_for_each(|statement| store.run_script(statement))
        })?;
    }
    let mutation = Mutation {
        changes: arguments.changes,
        bad: arguments.bad,
        seed: arguments.seed,
        ..Mutation::default()
    };
    let scenario = Scenario::mutate(&corpus, &mutation).map_err(failed)?;
    let faults = if arguments.faults { Faults::mild(arguments.seed) } else { Faults::none() };
    let options = ServeOptions {
        faults,
        require_key: arguments.require_key.clone(),
        ..ServeOptions::at(arguments.listen)
    };
    let running = serve_with(scenario, options).map_err(failed)?;
    context.ui.line(running.address());
    context.ui.line(&serde_json::to_string(running.manifest())?);
    running.wait().map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}
