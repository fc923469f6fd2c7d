//! `cargo xtask crash` and `cargo xtask bench`: long campaigns against the real binary.
//!
//! Owns building the right binaries in the right profile and starting them. What a campaign does and
//! how it judges the result is in `crates/testkit`.

use std::path::PathBuf;
use std::process::Command;

use crate::bench_unleash::Unleash;
use crate::failure::Failure;
use crate::{bench_checks, bench_opencode, bench_parity, browser, duckdb, metadata, process, project};

/// How the product is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As tests and the demo use it.
    Dev,
    /// As users run it, and as it is measured.
    Release,
}

/// Builds the `plimsoll` binary and returns where it is.
pub(crate) fn build_plimsoll(profile: Profile) -> Result<PathBuf, Failure> {
    duckdb::ensure(true)?;
    let mut command = process::cargo();
    command.args(["build", "--package", "plimsoll", "--bin", "plimsoll"]);
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            command.arg("--release");
            "release"
        }
    };
    process::run(&mut command)?;
    let binary =
        metadata::target_folder()?.join(folder).join(format!("plimsoll{}", std::env::consts::EXE_SUFFIX));
    if binary.is_file() {
        return Ok(binary);
    }
    Err(Failure::new(format!("cargo built the package `plimsoll`, but {} is not there", binary.display())))
}

/// Kills the real binary at random points; arguments go to `plimsoll-crash`.
pub(crate) fn crash(arguments: &[String]) -> Result<(), Failure> {
    build_plimsoll(Profile::Dev)?;
    process::run(
        process::cargo()
            .args(["run", "--package", "plimsoll-testkit", "--bin", "plimsoll-crash", "--"])
            .args(without_separator(arguments)),
    )
}

/// Runs simulated histories of sync; arguments go to `plimsoll-seeds`.
pub(crate) fn simulate(arguments: &[String]) -> Result<(), Failure> {
    process::run(
        process::cargo()
            .args(["run", "--quiet", "--package", "plimsoll-core", "--bin", "plimsoll-seeds", "--"])
            .args(without_separator(arguments)),
    )
}

/// Measures in a release build; arguments after the name go to `plimsoll-bench`.
pub(crate) fn bench(arguments: &[String]) -> Result<(), Failure> {
    const NAMES: &[&str] =
        &["change", "checks", "flags", "gauges", "ingest", "live", "pilot", "sync", "views", "web"];
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Failure::usage("bench needs the name of a benchmark").hinted(NAMES.join(", ")));
    };
    if !NAMES.contains(&name.as_str()) {
        return Err(Failure::usage(format!("there is no benchmark `{name}`")).hinted(NAMES.join(", ")));
    }
    match name.as_str() {
        "checks" => return bench_checks::run(rest),
        "ingest" => return bench_opencode::ingest(rest),
        "views" => return bench_opencode::views(rest),
        "live" => return bench_opencode::live(rest),
        "pilot" if rest.iter().any(|word| word == "dual-write") => return bench_dual_write(),
        "pilot" => return bench_parity::run(rest),
        "gauges" => return bench_gauges(),
        "web" => return browser::measure(rest),
        "sync" => return bench_sync(),
        _ => {}
    }
    let plimsoll = build_plimsoll(Profile::Release)?;
    measure(&mut process::cargo(), &[name], rest)?;
    if name == "flags" {
        // In the process first, then over HTTP.
        measure(&mut process::cargo(), &["serve", &plimsoll.to_string_lossy()], &[])?;
        beside_unleash()?;
    }
    Ok(())
}

/// The same load on Unleash's server, where that is to be had.
fn beside_unleash() -> Result<(), Failure> {
    let folder = project::temporary_folder("bench-flags")?;
    match Unleash::start(&folder) {
        Ok(unleash) => {
            let place = unleash.place();
            let words: Vec<&str> = ["unleash"].into_iter().chain(place.iter().map(String::as_str)).collect();
            measure(&mut process::cargo(), &words, &[])?;
        }
        Err(failure) => println!("left out: Unleash 8.2 ({failure})"),
    }
    drop(std::fs::remove_dir_all(&folder));
    Ok(())
}

/// Runs the measurements of the link's tests: they need its simulated remote. In the profile of tests, so the figures
/// are upper bounds.
fn bench_sync() -> Result<(), Failure> {
    duckdb::ensure(true)?;
    for (target, tests) in [("sync", "what_"), ("cli", "sync::what_")] {
        let mut command = process::cargo();
        command.args(["test", "--workspace", "--test", target, "--", tests]);
        process::run(command.args(["--ignored", "--nocapture", "--test-threads", "1"]))?;
    }
    Ok(())
}

/// Runs the measurements of gauge sets: operations as history grows, then a hundred clients over HTTP, on both databases.
/// In the profile of tests, so the figures are upper bounds. `PLIMSOLL_BENCH_SECONDS` sets how long the clients ask.
fn bench_gauges() -> Result<(), Failure> {
    duckdb::ensure(true)?;
    for (target, tests) in [("gauges", "speed::"), ("cli", "gauges_http::speed_")] {
        let mut command = process::cargo();
        command.args(["test", "--workspace", "--test", target, "--", tests]);
        process::run(command.args(["--ignored", "--nocapture", "--test-threads", "1"]))?;
    }
    Ok(())
}

/// Runs the measurements of dual write and of the stages, in the profile of tests: the figures are upper bounds.
fn bench_dual_write() -> Result<(), Failure> {
    duckdb::ensure(true)?;
    let mut command = process::cargo();
    command.args(["test", "--workspace", "--test", "luckygas", "--", "speed::"]);
    process::run(command.args(["--ignored", "--nocapture", "--test-threads", "1"]))
}

/// Runs `plimsoll-bench` in a release build.
fn measure(cargo: &mut Command, what: &[&str], rest: &[String]) -> Result<(), Failure> {
    cargo.args(["run", "--release", "--package", "plimsoll-testkit", "--bin", "plimsoll-bench", "--"]);
    process::run(cargo.args(what).args(without_separator(rest)))
}

/// Drops the `--` with which a person may set the program's own arguments apart.
fn without_separator(arguments: &[String]) -> impl Iterator<Item = &String> {
    arguments.iter().filter(|argument| *argument != "--")
}
