//! Arguments of `schedule`.

use clap::{Args, Subcommand, ValueEnum};
use plimsoll_engine::alert::Severity;
use plimsoll_engine::schedule::Missed;

/// What to do about schedules.
#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// List schedules
    List,
    /// Add a schedule, or one of the ready-made ones by its name alone
    #[command(
        after_help = "Without a command a ready-made schedule is added; `plimsoll schedule list` names them.

Examples:
  plimsoll schedule add daily-health-opencode
  plimsoll schedule add nightly --cron '30 2 * * 1-5' --zone Europe/Berlin -- run hearings daily-update
{date} in the command stands for the day, {reports} for the folder `reports` of the data folder."
    )]
    Add(AddArguments),
    /// Remove a schedule; its history stays
    Remove {
        /// The schedule
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Let a schedule run again
    Enable {
        /// The schedule
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Let a schedule rest; times that pass meanwhile are not missed
    Disable {
        /// The schedule
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Run everything that is due, once; `serve` does it all the time
    RunDue {
        /// Say what is due, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Run a schedule now, whatever its time
    Run {
        /// The schedule
        name: String,
    },
    /// Show what ran when, and how it ended
    History {
        /// Only this schedule
        name: Option<String>,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
}

/// Arguments of `schedule add`.
#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// Its name: lower-case letters, digits and hyphens
    pub(crate) name: String,
    /// When: minute hour day month weekday, such as '0 6 * * *'; or @hourly, @daily, @weekly, @monthly
    #[arg(long, value_name = "CRON")]
    pub(crate) cron: Option<String>,
    /// The time zone, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// What to do about times at which nobody ran it
    #[arg(long, value_enum, default_value_t = MissedArgument::Once)]
    pub(crate) missed: MissedArgument,
    /// How grave it is when it fails
    #[arg(long, value_enum, default_value_t = SeverityArgument::P1)]
    pub(crate) severity: SeverityArgument,
    /// End a run that takes longer than this many minutes
    #[arg(long, value_name = "N", default_value_t = 360, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub(crate) limit_minutes: u32,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What to run: a command line of plimsoll, without `plimsoll`
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// What to do about missed times.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MissedArgument {
    /// Wait for the next time
    Skip,
    /// Run once for all of them
    Once,
    /// Run once for each
    All,
}

impl From<MissedArgument> for Missed {
    fn from(argument: MissedArgument) -> Self {
        match argument {
            MissedArgument::Skip => Self::Skip,
            MissedArgument::Once => Self::Once,
            MissedArgument::All => Self::All,
        }
    }
}

/// Severities.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SeverityArgument {
    /// Data is lost or wrong: act at once
    #[value(name = "P0")]
    P0,
    /// Respond within an hour, fix within four
    #[value(name = "P1")]
    P1,
    /// On the next business day
    #[value(name = "P2")]
    P2,
}

impl From<SeverityArgument> for Severity {
    fn from(argument: SeverityArgument) -> Self {
        match argument {
            SeverityArgument::P0 => Self::P0,
            SeverityArgument::P1 => Self::P1,
            SeverityArgument::P2 => Self::P2,
        }
    }
}
