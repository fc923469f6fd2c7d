//! Starting other programs, and saying plainly which one failed.
//!
//! Owns the three ways in which xtask runs a program: with its output shown, with its output captured,
//! and with its output both shown and read line by line; and finding a port for one that listens. It does not decide what a
//! failure means.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use crate::failure::Failure;

/// The cargo that started xtask, so that a toolchain chosen by `cargo +name` is kept.
///
/// It does not inherit what `cargo run` told us about the package xtask: build scripts that watch these
/// variables (ring's does) would be run anew, and everything above them compiled anew, each time that
/// `cargo xtask` and plain `cargo` take turns.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(crate::project::root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_xtask) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether `cargo run` sets this variable for the program it runs.
fn is_about_xtask(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// Runs a program with its output shown; any exit code but 0 is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` ended with {status}", shown(command))))
}

/// Runs a program and returns what it wrote to standard output; its other output is shown only when
/// it fails.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    capture_with_codes(command, &[0]).map(|(_, text)| text)
}

/// As [`capture`], for programs with several good exit codes; returns the code too.
pub(crate) fn capture_with_codes(command: &mut Command, good: &[i32]) -> Result<(i32, String), Failure> {
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| not_started(command, &error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(code) if good.contains(&code) => Ok((code, text)),
        _ => Err(Failure::new(format!(
            "`{}` ended with {}\n{}{}",
            shown(command),
            output.status,
            text,
            String::from_utf8_lossy(&output.stderr).trim_end()
        ))),
    }
}

/// A loopback port on which nothing listens at the moment, for a server that is started next.
pub(crate) fn free_port() -> Result<u16, Failure> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.port())
        .map_err(|error| Failure::new(format!("no free loopback port: {error}")))
}

/// Whether a program is there and ends well with these arguments; shows nothing.
pub(crate) fn works(program: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a program, shows both its outputs as they come, and hands every line to `read`.
///
/// Returns whether it ended with code 0, so that the caller can finish its own count first.
pub(crate) fn run_reading(command: &mut Command, read: impl FnMut(&str) + Send) -> Result<bool, Failure> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    let output = child.stdout.take();
    let errors = child.stderr.take();
    let read = Mutex::new(read);
    thread::scope(|scope| {
        if let Some(output) = output {
            scope.spawn(|| forward(output, std::io::stdout(), &read));
        }
        if let Some(errors) = errors {
            scope.spawn(|| forward(errors, std::io::stderr(), &read));
        }
    });
    let status = child.wait().map_err(|error| not_started(command, &error))?;
    Ok(status.success())
}

fn forward(from: impl Read, mut to: impl Write, read: &Mutex<impl FnMut(&str)>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        // A closed terminal must not stop the count: the program's own end decides.
        let _ = to.write_all(&line);
        if let Ok(mut read) = read.lock() {
            read(String::from_utf8_lossy(&line).trim_end());
        }
        line.clear();
    }
}

/// The command line as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    format!("{} {}", command.get_program().to_string_lossy(), shown_arguments(command))
}

/// The arguments of a command line as a person would type them.
pub(crate) fn shown_arguments(command: &Command) -> String {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` could not be started: {error}", shown(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_outputs_are_read_and_the_end_is_told() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let good = run_reading(&mut command, |line| lines.push(line.to_owned())).unwrap();
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
        assert!(!good);
    }

    #[test]
    fn cargo_is_not_told_about_xtask() {
        // Set by cargo and nextest for this test program too.
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        let command = cargo();
        let removed =
            |wanted: &str| command.get_envs().any(|(name, value)| name == wanted && value.is_none());
        assert!(removed("CARGO_PKG_NAME") && removed("CARGO_MANIFEST_DIR"));
        assert!(!removed("CARGO_TARGET_DIR") && !removed("CARGO_HOME") && !removed("PATH"));
    }

    #[test]
    fn a_failed_capture_names_the_program_and_shows_its_errors() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo broken >&2; exit 4"]);
        let failure = capture(&mut command).unwrap_err().to_string();
        assert!(failure.contains("sh -c") && failure.contains("broken"), "{failure}");
    }
}
