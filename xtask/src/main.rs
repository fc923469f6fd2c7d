//! `cargo xtask`: every command of this workspace that is more than one call of cargo.
//!
//! Owns the list of commands and the way they end. Each command lives in a module of its own; this
//! file only finds it. It does not depend on any crate of the workspace, so that it builds in seconds
//! and still runs when one of them is broken.
//!
//! Invariants: exit code 0 means that everything the command promises has been done; 1 that it has
//! not; 2 that the command line was not understood. Nothing is skipped without a line that says so.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a developer's tool prints, reads the environment and the clock, and starts processes"
)]

mod audit;
mod bench_checks;
mod bench_live;
mod bench_opencode;
mod bench_parity;
mod bench_unleash;
mod browser;
mod campaigns;
mod check;
mod coverage;
mod dashboards;
mod defects;
mod demo;
mod duckdb;
mod failure;
mod fuzz_api;
mod generate;
mod generate_opencode;
mod invariants;
mod json;
mod metadata;
mod model;
mod packages;
mod postgres;
mod process;
mod project;
mod setup;
mod tests_run;
mod ui;

use std::process::ExitCode;

use failure::Failure;

/// One command: how it is called, what it is for, and what runs it.
struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        arguments: "[--store sqlite|postgres|URL | --serve]",
        about: "run the main job end to end on generated data, then serve all five systems with the web app; --serve only serves",
        run: demo::run,
    },
    Command {
        name: "test",
        arguments: "[--no-install] [-- ARGS]",
        about: "install what the tests need, then run every test of the workspace",
        run: tests_run::run,
    },
    Command {
        name: "setup",
        arguments: "[--no-install]",
        about: "look for what building and testing needs, and install PostgreSQL where that is allowed",
        run: setup::run,
    },
    Command {
        name: "check",
        arguments: "[--keep-going]",
        about: "the gate: format, clippy, doc, invariants, audit, tests, generated files",
        run: check::run,
    },
    Command {
        name: "simulate",
        arguments: "[--what sync|cutover] [--compare] [--seeds N] [--from FIRST_SEED]",
        about: "run simulated histories of sync, or of cut-overs, and check their invariants; a failing seed replays exactly; \
                --compare plays histories to the earlier algorithms too and counts",
        run: campaigns::simulate,
    },
    Command {
        name: "invariants",
        arguments: "",
        about: "hold the architecture: dependency direction, module headers, sizes, names, paths",
        run: invariants::run,
    },
    Command {
        name: "audit",
        arguments: "",
        about: "licenses of all dependencies, doubled C libraries, and cargo-deny where it is installed",
        run: audit::run,
    },
    Command {
        name: "generate",
        arguments: "[--check | opencode --to DIR --sessions N --seed S [ARGS]]",
        about: "write the generated files, or with --check fail if one is out of date; or a store of demo data",
        run: generate::run,
    },
    Command {
        name: "coverage",
        arguments: "[--evidence FILE] [--uncovered FILE] [--no-install] [-- ARGS]",
        about: "run every test instrumented and print which share of each crate's lines they cover",
        run: coverage::run,
    },
    Command {
        name: "crash",
        arguments: "[--rounds N] [--what change|sync|both] [ARGS]",
        about: "kill the real binary at random points: runs are compared with uninterrupted ones, links with their remote",
        run: campaigns::crash,
    },
    Command {
        name: "mutants",
        arguments: "SYSTEM",
        about: "as defects, for one system: `mutants sync` puts P1 to P11 back and prints caught/total",
        run: defects::run,
    },
    Command {
        name: "defects",
        arguments: "[SYSTEM-NUMBER]..",
        about: "put defects of the earlier systems back, one at a time, and see the tests go red",
        run: defects::run,
    },
    Command {
        name: "bench",
        arguments: "change|checks|flags|gauges|ingest|live|pilot|sync|views|web [ARGS]",
        about: "measure the change engine, checks, a system, in a release build, beside floor and rivals; or gauges, pilot, sync as tests",
        run: campaigns::bench,
    },
    Command {
        name: "browser",
        arguments: "[SCRIPT|FLOW]..",
        about: "drive the web app in Chromium on demo data of all five systems, then look at every page: axe-core, policy, screenshots",
        run: browser::run,
    },
    Command {
        name: "fuzz-api",
        arguments: "[ARGS]",
        about: "ask every route of the API whatever its description allows, and what it does not, by schemathesis: no answer is a 5xx",
        run: fuzz_api::run,
    },
    Command {
        name: "fetch-model",
        arguments: "",
        about: "fetch the sentence model for search by meaning into .tools/models",
        run: model::run,
    },
    Command {
        name: "ui",
        arguments: "[--no-install] [--test]",
        about: "build the web app into ui/dist, with a pinned Node where one can be had; --test checks it instead",
        run: ui::run,
    },
    Command {
        name: "duckdb",
        arguments: "[--no-install]",
        about: "find or fetch the prebuilt DuckDB library, and print the environment that links it",
        run: duckdb::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print_help();
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "--help" | "-h" | "help") {
        print_help();
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("error: `{name}` is not a command of xtask\nhint: `cargo xtask --help` lists them");
        return ExitCode::from(2);
    };
    // Arguments after `--` belong to the program that the command starts.
    let ours = rest.iter().take_while(|argument| *argument != "--");
    if ours.clone().any(|argument| matches!(argument.as_str(), "--help" | "-h")) {
        println!("cargo xtask {} {}\n\n  {}", command.name, command.arguments, command.about);
        return ExitCode::SUCCESS;
    }
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(if failure.is_usage() { 2 } else { 1 })
        }
    }
}

fn print_help() {
    println!("cargo xtask COMMAND [ARGUMENTS]\n");
    for command in COMMANDS {
        println!("  {:<11} {}", command.name, command.about);
        if !command.arguments.is_empty() {
            println!("  {:<11}   {}", "", command.arguments);
        }
    }
    println!("\nThe two that a newcomer needs: `cargo xtask demo` and `cargo xtask test`.");
}

#[cfg(test)]
mod tests {
    use super::COMMANDS;

    #[test]
    fn every_command_has_its_own_name_and_a_line_of_help() {
        for (position, command) in COMMANDS.iter().enumerate() {
            assert!(!command.about.is_empty() && !command.about.contains('\n'), "{}", command.name);
            assert!(
                COMMANDS[position + 1..].iter().all(|other| other.name != command.name),
                "{} is listed twice",
                command.name
            );
        }
    }
}
