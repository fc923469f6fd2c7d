//! Schedules: what runs by itself, and when.
//!
//! Owns the list of schedules, when each is due, that each runs in one place at a time, what happens with times that
//! were missed, and the history. What a schedule runs is a command line of this program from an allowed list; a
//! [`Host`] carries it out, never a shell. It deliberately does not know what the commands do.
//!
//! Reading order: `timetable` (cron expressions in a time zone), `declare` (add, remove, enable, disable), `claim`
//! (leases, missed times), `execute` (one run to its end), `runner` (the loop), `history`.
//!
//! Invariants: a schedule is claimed, its run recorded and its next time set in one transaction, so one time is never
//! started twice, whoever asks and wherever. Each claim raises the epoch; whoever lost the lease cannot write the end
//! of a run any more. A time that nobody could start is in the history as skipped. All times come from the clock.

mod claim;
mod declare;
mod execute;
mod history;
mod runner;
mod timetable;

use serde::{Deserialize, Serialize};

pub use claim::{Claim, claim_due, claim_now};
pub use declare::{ALLOWED, NewSchedule, Schedule, add, find, list, remove, set_enabled};
pub use execute::{Ended, Executed, Host, execute, run_due};
pub use history::{RunOutcome, ScheduleRun, history};
pub use runner::Runner;
pub use timetable::Timetable;

use crate::system::{self, Dialect, SchemaAction, SchemaStep};

/// The tables of schedules, in the control store.
pub const SCHEMA: system::Schema = system::Schema {
    component: "schedule",
    steps: &[SchemaStep {
        version: 1,
        name: "schedules, runs and leases",
        actions: &[SchemaAction::Script(TABLES)],
    }],
    current: TABLES,
};

const TABLES: Dialect = Dialect::both(include_str!("tables.sql"));

/// What to do about times at which nobody ran the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Nothing: wait for the next time.
    Skip,
    /// Run once for all of them.
    Once,
    /// Run once for each.
    All,
}

impl Missed {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Skip, Self::Once, Self::All];

    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }

    /// The policy that a word names.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// The cause of the incident about a schedule that fails.
pub(crate) fn cause(name: &str) -> String {
    format!("schedule/{name}")
}

#[cfg(test)]
mod tests;
