//! `cargo xtask check`: the one gate, in one order, from the quickest answer to the slowest.
//!
//! Owns the order and the summary. What each step means is in the step's own module or in cargo.

use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::{audit, duckdb, generate, invariants, process, tests_run};

/// A step of the gate.
struct Step {
    name: &'static str,
    run: fn() -> Result<(), Failure>,
}

const STEPS: &[Step] = &[
    Step { name: "format", run: format },
    Step { name: "clippy", run: clippy },
    Step { name: "doc", run: documentation },
    Step { name: "invariants", run: || invariants::run(&[]) },
    Step { name: "audit", run: || audit::run(&[]) },
    Step { name: "tests", run: || tests_run::run(&[]) },
    Step { name: "generated files", run: || generate::run(&["--check".to_owned()]) },
];

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    NotRun,
}

/// Runs the gate; stops at the first red step unless told to keep going.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let keep_going = match arguments {
        [] => false,
        [only] if only == "--keep-going" => true,
        _ => return Err(Failure::usage("check takes only --keep-going")),
    };
    // Whatever compiles links it.
    duckdb::ensure(true)?;
    let results = run_steps(STEPS, keep_going);

    println!("\n{:<16} {:<8} {:>9}", "step", "result", "seconds");
    for (step, (outcome, took)) in STEPS.iter().zip(&results) {
        let word = match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "FAILED",
            Outcome::NotRun => "not run",
        };
        println!("{:<16} {word:<8} {:>9.1}", step.name, took.as_secs_f64());
    }
    let count = |wanted| results.iter().filter(|(outcome, _)| *outcome == wanted).count();
    let (passed, failed, not_run) = (count(Outcome::Passed), count(Outcome::Failed), count(Outcome::NotRun));
    println!("gate: {passed} steps passed, {failed} failed, {not_run} not run");
    if passed == STEPS.len() {
        return Ok(());
    }
    Err(Failure::new("the gate is red"))
}

fn run_steps(steps: &[Step], keep_going: bool) -> Vec<(Outcome, Duration)> {
    let mut results = Vec::new();
    let mut stopped = false;
    for step in steps {
        if stopped {
            results.push((Outcome::NotRun, Duration::ZERO));
            continue;
        }
        println!("\n== {} ==", step.name);
        let start = Instant::now();
        let outcome = match (step.run)() {
            Ok(()) => Outcome::Passed,
            Err(failure) => {
                eprintln!("error: {}: {failure}", step.name);
                stopped = !keep_going;
                Outcome::Failed
            }
        };
        results.push((outcome, start.elapsed()));
    }
    results
}

fn format() -> Result<(), Failure> {
    process::run(process::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<(), Failure> {
    process::run(process::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn documentation() -> Result<(), Failure> {
    process::run(
        process::cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(keep_going: bool) -> Vec<Outcome> {
        let steps = [
            Step { name: "good", run: || Ok(()) },
            Step { name: "bad", run: || Err(Failure::new("planted")) },
            Step { name: "later", run: || Ok(()) },
        ];
        run_steps(&steps, keep_going).into_iter().map(|(outcome, _)| outcome).collect()
    }

    #[test]
    fn the_first_red_step_stops_the_gate_unless_told_to_keep_going() {
        assert_eq!(outcomes(false), [Outcome::Passed, Outcome::Failed, Outcome::NotRun]);
        assert_eq!(outcomes(true), [Outcome::Passed, Outcome::Failed, Outcome::Passed]);
    }
}
