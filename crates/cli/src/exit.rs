//! Exit codes, the same for every command.

use std::process::ExitCode;

use plimsoll_core::item::Tally;
use plimsoll_engine::{EngineError, ErrorKind};

/// Everything was done.
pub(crate) const DONE: u8 = 0;
/// The command failed; what was committed stays, and a stopped run can be resumed.
pub(crate) const FAILED: u8 = 1;
/// The command line or an id is wrong.
pub(crate) const USAGE: u8 = 2;
/// Done, but some items are in quarantine or in conflict.
pub(crate) const DONE_WITH_EXCEPTIONS: u8 = 3;
/// A gate or a policy refuses.
pub(crate) const REFUSED: u8 = 4;

/// The codes with their meaning, for `--help` and the reference.
pub(crate) const TABLE: &str = "Exit codes:
  0  done
  1  failed; a stopped run can be resumed
  2  wrong usage: an unknown option, id, file or address
  3  done, with items in quarantine or in conflict
  4  refused by a gate or a policy";

/// The code for an error.
pub(crate) fn of_error(error: &EngineError) -> ExitCode {
    ExitCode::from(match error.kind {
        ErrorKind::Usage => USAGE,
        ErrorKind::Refused => REFUSED,
        ErrorKind::Store
        | ErrorKind::Source
        | ErrorKind::Integrity
        | ErrorKind::Stopped
        | ErrorKind::Crash => FAILED,
    })
}

/// The code for a finished piece of work.
pub(crate) fn of_tally(tally: &Tally) -> ExitCode {
    ExitCode::from(if tally.clean() { DONE } else { DONE_WITH_EXCEPTIONS })
}

/// The code when all was done that could be, and something is set aside.
pub(crate) fn incomplete() -> ExitCode {
    ExitCode::from(DONE_WITH_EXCEPTIONS)
}
