//! The grammar of `gate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use plimsoll_core::gate::declare::Duration;

/// Arguments of `gate`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes:
  0  GO
  4  NO-GO, INCONCLUSIVE or UNKNOWN: the gate stays shut"
)]
pub(crate) struct GateArguments {
    /// The gate to evaluate, such as hearings/decision
    pub(crate) name: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<GateCommand>,
}

/// What to do with gates.
#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// List the gates there are, with their last verdicts
    List,
    /// Show what a gate asks
    Show {
        /// The gate
        name: String,
    },
    /// Ask a gate's evidence, judge it, and keep the verdict
    Evaluate(EvaluateArguments),
    /// Put a sign-off on record
    SignOff(SignOffArguments),
    /// Put drills on record
    #[command(subcommand)]
    Drill(DrillCommand),
    /// Put test reports on record
    #[command(subcommand)]
    Report(ReportCommand),
    /// Put facts on record: numbers by name, such as a build server's
    #[command(subcommand)]
    Facts(FactsCommand),
    /// List the evidence on record, newest first
    Evidence,
    /// Keep scores to compare later ones with
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// List the verdicts of a gate, newest first
    History {
        /// The gate
        name: String,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u64,
    },
    /// Judge a stored verdict again from its stored readings, and compare byte for byte
    Replay {
        /// The verdict, or a prefix of its id
        id: String,
    },
}

/// Arguments of `gate evaluate`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The gate
    pub(crate) name: String,
    /// Rehearse it on the sample figures that are shipped with it; nothing is kept
    #[arg(long)]
    pub(crate) sample: bool,
    /// Rehearse it on the figures of this file; nothing is kept
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    pub(crate) readings: Option<PathBuf>,
    /// Write the judgement to this Markdown file too
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// Arguments of `gate sign-off`.
#[derive(Debug, Args)]
pub(crate) struct SignOffArguments {
    /// The role that signs, as the gate asks for it
    pub(crate) role: String,
    /// Who signs
    #[arg(long, value_name = "PERSON")]
    pub(crate) by: String,
    /// How long it holds, such as 30d
    #[arg(long, value_name = "SPAN", value_parser = Duration::read, required_unless_present = "withdraw")]
    pub(crate) expires: Option<Duration>,
    /// Take an earlier sign-off back
    #[arg(long)]
    pub(crate) withdraw: bool,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to do with drills.
#[derive(Debug, Subcommand)]
pub(crate) enum DrillCommand {
    /// Put a drill on record
    Record(DrillArguments),
}

/// Arguments of `gate drill record`.
#[derive(Debug, Args)]
pub(crate) struct DrillArguments {
    /// The drill, as gates ask for it
    pub(crate) name: String,
    /// It passed
    #[arg(long, required_unless_present = "failed", conflicts_with = "failed")]
    pub(crate) passed: bool,
    /// It failed
    #[arg(long)]
    pub(crate) failed: bool,
    /// How long it took, such as 12m
    #[arg(long, value_name = "SPAN", value_parser = Duration::read)]
    pub(crate) took: Option<Duration>,
    /// Its log; the digest goes on record
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How long it holds, such as 30d
    #[arg(long, value_name = "SPAN", value_parser = Duration::read)]
    pub(crate) expires: Option<Duration>,
    /// What was tried
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to do with test reports.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Put a test report on record: JUnit XML, or what nextest printed
    Record(FileArguments),
}

/// What to do with facts.
#[derive(Debug, Subcommand)]
pub(crate) enum FactsCommand {
    /// Put a JSON object of numbers and truth values on record
    Record(FileArguments),
}

/// Arguments of `gate report record` and `gate facts record`.
#[derive(Debug, Args)]
pub(crate) struct FileArguments {
    /// The name by which gates ask for it
    pub(crate) name: String,
    /// The file; its digest goes on record too
    pub(crate) file: PathBuf,
    /// How long it holds, such as 7d
    #[arg(long, value_name = "SPAN", value_parser = Duration::read)]
    pub(crate) expires: Option<Duration>,
    /// Where it comes from
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to do with baselines.
#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Keep the scores of the last verdict as the baseline
    Set {
        /// The gate
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// List the baselines of a gate, newest first
    List {
        /// The gate
        name: String,
    },
}
