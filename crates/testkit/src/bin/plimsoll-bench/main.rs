//! Benchmarks of the engine, each beside its floor or rival in the same run.
//!
//! Owns the command line of `cargo xtask bench` and the printing of results. What is measured is in one
//! module for each benchmark. Every figure is the median of several rounds; the spread is printed with it.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod change;
mod flags;
mod floor;
mod hearings;
mod memory;
mod rows;
mod serve;
mod table;
mod unleash;

use std::process::ExitCode;

/// What a benchmark may go wrong with.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["change", rest @ ..] => change::run(rest),
        ["flags", rest @ ..] => flags::run(rest),
        ["serve", plimsoll] => serve::run(plimsoll),
        ["unleash", address, process, admin, front_end] => {
            unleash::run(address, process, admin, front_end)
        }
        ["memory", rows, "--prepare", path] => memory::prepare(rows, path),
        ["memory", rows, "--child", path] => memory::child(rows, path),
        _ => Err(concat!(
            "usage: plimsoll-bench change [--rows N] [--rounds N] [--quick] [--only sqlite|isolation|postgres|hearings|memory]
",
            "       plimsoll-bench flags [--rounds N] [--quick]"
        )
        .into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
