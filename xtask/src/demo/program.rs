//! The real binary in a folder of its own, and programs that go on while the story does.
//!
//! Owns how the demo starts it: deaf to the user's own settings, in the folder, with the folder's `data` as its data.
//!
//! Invariant: a program that was started is ended when its value is dropped.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tinyjson::JsonValue;

use super::plimsoll_command;
use crate::failure::Failure;
use crate::{json, process};

/// The binary, and the folder in which it works.
pub(crate) struct Program {
    pub(crate) plimsoll: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Program {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = plimsoll_command(&self.plimsoll, &self.folder);
        command.args(arguments);
        command
    }

    /// Runs a verb, which must end with this code, and returns what it printed.
    pub(super) fn output(&self, arguments: &[&str], code: i32) -> Result<String, Failure> {
        process::capture_with_codes(&mut self.command(arguments), &[code]).map(|(_, text)| text)
    }

    /// As [`Self::output`], with the command told.
    pub(crate) fn shown(&self, arguments: &[&str], code: i32) -> Result<String, Failure> {
        println!("$ plimsoll {}", process::shown_arguments(&self.command(arguments)));
        self.output(arguments, code)
    }

    /// As [`Self::output`], for a verb that prints JSON.
    pub(crate) fn json(&self, arguments: &[&str], code: i32) -> Result<JsonValue, Failure> {
        let text = self.output(&[arguments, &["--json"]].concat(), code)?;
        json::parse(&format!("the output of `plimsoll {}`", arguments.join(" ")), &text)
    }

    /// Starts a verb that goes on by itself.
    pub(super) fn start(&self, arguments: &[&str]) -> Result<Running, Failure> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
            .spawn()
            .map(Running)
            .map_err(|error| Failure::new(format!("{}: {error}", arguments.join(" "))))
    }
}

/// Stops its program, by -9, on every way out.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
