//! The seam to the program that a playbook drives.
//!
//! Owns what a step may ask for: a plimsoll command line, never a shell.

use plimsoll_core::gate::Duration;

use crate::error::EngineError;
use crate::session::Session;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; `None` when it was ended from outside or took too long.
    pub code: Option<i32>,
    /// What it printed to standard output.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
}

/// What went wrong, for those who must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// One cause has one incident: the playbook.
    pub cause: String,
    /// One line.
    pub title: String,
    /// What happened, and what was done about it.
    pub detail: String,
}

/// Runs this program's own commands.
pub trait Host {
    /// Runs a command line, given without the program's name. `started` is told the process id at once.
    ///
    /// # Errors
    /// When it cannot be started, or `started` fails. A command that fails is no error.
    fn run(
        &mut self,
        words: &[String],
        limit: Duration,
        started: &mut dyn FnMut(u32) -> Result<(), EngineError>,
    ) -> Result<Ended, EngineError>;

    /// What is wrong with a command line, when something is.
    fn problem(&self, words: &[String]) -> Option<String>;

    /// Whether there is such a system.
    fn has_system(&self, name: &str) -> bool;

    /// Whether this program has such a command.
    fn has_command(&self, name: &str) -> bool;

    /// Whether there is such a gate.
    fn has_gate(&self, name: &str) -> bool;

    /// Tells those who must know. The failure itself is on record already.
    ///
    /// # Errors
    /// When the alert cannot be raised.
    fn alert(&mut self, session: &mut Session, alarm: &Alarm) -> Result<(), EngineError>;
}
