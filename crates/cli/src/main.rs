//! The `plimsoll` command: arguments, printing, exit codes.
//!
//! Owns the command line, the configuration and the list of systems. It deliberately has no logic of its
//! own: every command calls the engine, as the server does.

mod args;
mod command;
mod config;
mod exit;
mod fail_point;
mod registry;
mod ui;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::args::Arguments;
use crate::command::Context;
use crate::ui::Ui;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_new(config::log_filter()).unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let ui = Ui { json: arguments.json, quiet: arguments.quiet };
    let result = config::load(arguments.config.as_deref(), arguments.data.as_deref()).and_then(|config| {
        let context = Context { ui, config, store: arguments.store };
        command::execute(&context, arguments.command)
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            ui::print_error(&error);
            exit::of_error(&error)
        }
    }
}
