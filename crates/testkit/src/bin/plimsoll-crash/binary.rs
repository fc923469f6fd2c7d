//! Running the real binary: to its end, or until it is killed.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::place::Address;

/// What became of a command.
pub(crate) enum Ended {
    /// It ended by itself, with this exit code and output.
    Itself { code: i32, output: String, took: Duration },
    /// It was killed.
    Killed,
}

/// The binary under test: `plimsoll` beside this program.
pub(crate) fn path() -> Result<PathBuf, Failure> {
    let path = std::env::current_exe()?.with_file_name("plimsoll");
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("{} is not there\nhint: cargo build --package plimsoll", path.display()).into())
}

/// A command of the binary on a store.
pub(crate) fn command(at: &Address, words: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(path()?);
    command
        .args(words)
        .args(["--store", &at.url, "--quiet", "--json"])
        .env_remove("PLIMSOLL_STORE")
        .env_remove("PLIMSOLL_CONTROL_STORE")
        .env("PLIMSOLL_DATA", &at.data)
        .env("PLIMSOLL_ACTOR", "campaign")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

/// Runs a command; with `kill_after` it is killed with SIGKILL at that moment, if it still runs.
pub(crate) fn run(at: &Address, words: &[&str], kill_after: Option<Duration>) -> Result<Ended, Failure> {
    let started = Instant::now();
    let mut child = command(at, words)?.spawn()?;
    if let Some(moment) = kill_after {
        while started.elapsed() < moment && child.try_wait()?.is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        if child.try_wait()?.is_none() {
            child.kill()?;
            child.wait()?;
            return Ok(Ended::Killed);
        }
    }
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let Some(code) = output.status.code() else { return Ok(Ended::Killed) };
    let output = if code == 0 || code == 3 { text } else { format!("{text}{errors}") };
    Ok(Ended::Itself { code, output, took: started.elapsed() })
}
