//! `cargo xtask test`: every test of the workspace, and one line that counts them.
//!
//! Owns the choice between cargo-nextest and cargo's own runner, and the reading of their summaries.
//!
//! Invariant: the closing line counts what the runners reported; a run that reported nothing fails.

use std::io::IsTerminal;

use crate::failure::Failure;
use crate::{process, setup};

/// Sets up, then runs all tests; arguments after `--` go to the runner.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let (ours, theirs) = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    let install = match ours {
        [] => true,
        [only] if only == "--no-install" => false,
        _ => {
            return Err(Failure::usage(format!("test does not take {}", ours.join(" ")))
                .hinted("put the runner's own arguments after `--`"));
        }
    };
    let found = setup::prepare(install)?;

    // The documentation's examples are cargo's own to run; nextest leaves them out.
    let parts: &[&[&str]] = if found.nextest {
        &[
            &["nextest", "run", "--workspace", "--no-fail-fast"],
            &["test", "--workspace", "--doc", "--no-fail-fast"],
        ]
    } else {
        &[&["test", "--workspace", "--no-fail-fast"]]
    };
    let mut total = Counts::default();
    let mut good = true;
    for part in parts {
        let mut command = process::cargo();
        command.args(*part);
        if std::io::stdout().is_terminal() {
            command.arg("--color=always");
        }
        // A filter is meant for the tests; the examples in the documentation have no such names.
        if part[0] == "nextest" || !found.nextest {
            command.args(theirs);
        }
        let mut counts = Counts::default();
        good &= process::run_reading(&mut command, |line| counts.read(line))?;
        total.add(&counts);
    }
    println!("tests: {} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    if total.failed > 0 {
        return Err(Failure::new(format!(
            "tests failed: {} of {}",
            total.failed,
            total.passed + total.failed
        )));
    }
    if !good {
        return Err(Failure::new("the tests did not run to their end; the lines above say why"));
    }
    if total.passed == 0 {
        return Err(Failure::new("no test ran").hinted("the filter after `--` may match none"));
    }
    Ok(())
}

/// What the runners reported.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Counts {
    /// Adds what a summary line says; other lines count nothing.
    ///
    /// The two shapes: `test result: ok. 3 passed; 0 failed; 1 ignored; …` (cargo, once for each test
    /// program) and `Summary [ 0.2s] 4 tests run: 3 passed, 1 failed, 1 skipped` (nextest, once).
    fn read(&mut self, line: &str) {
        let line = without_colors(line);
        // Cargo's own line is not indented; an indented one is a failed test's output, which nextest repeats.
        let summary = line.strip_prefix("test result:").or_else(|| {
            line.trim_start()
                .strip_prefix("Summary [")
                .and_then(|rest| rest.split_once(" run:"))
                .map(|(_, counts)| counts)
        });
        let Some(summary) = summary else { return };
        for part in summary.split([',', ';', '.']) {
            let part = part.split('(').next().unwrap_or_default();
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what.trim() {
                "passed" => self.passed += number,
                "failed" | "timed out" | "exec failed" => self.failed += number,
                "skipped" | "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The line without terminal colors.
fn without_colors(line: &str) -> String {
    let mut plain = String::new();
    let mut in_color = false;
    for character in line.chars() {
        match character {
            '\u{1b}' => in_color = true,
            'm' if in_color => in_color = false,
            _ if in_color => {}
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Counts {
        let mut counts = Counts::default();
        for line in lines {
            counts.read(line);
        }
        counts
    }

    #[test]
    fn summaries_of_both_runners_are_counted() {
        let cargo = [
            "running 3 tests",
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.00s",
            "test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ];
        assert_eq!(read(&cargo), Counts { passed: 7, failed: 1, skipped: 1 });
        let nextest =
            ["     Summary [   0.005s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 3 skipped"];
        assert_eq!(read(&nextest), Counts { passed: 6, failed: 3, skipped: 3 });
        let colored = [
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.005s] 1 test run: \u{1b}[1m1\u{1b}[0m passed, 0 skipped",
        ];
        assert_eq!(read(&colored), Counts { passed: 1, failed: 0, skipped: 0 });
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(
            read(&["test a ... ok", "5 passed", "        PASS [   0.1s] x::y 3 passed"]),
            Counts::default()
        );
        // What nextest repeats of a failed test, indented.
        assert_eq!(read(&["    test result: FAILED. 0 passed; 1 failed; 0 ignored"]), Counts::default());
    }
}
