//! The grammar of `playbook`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use plimsoll_core::playbook::Work;

use crate::args::assignment;

/// What to do with playbooks.
#[derive(Debug, Subcommand)]
pub(crate) enum PlaybookCommand {
    /// List the plans: what each is for, where it stands, how far it is
    List,
    /// Show a playbook: its steps, and its runs
    Show {
        /// The playbook
        name: String,
    },
    /// Write a new document: a plan with the thirteen sections, or a playbook
    New(NewArguments),
    /// Say what is wrong with a playbook before it is run
    Lint {
        /// The playbook, or a file [default: all of them]
        name: Option<String>,
    },
    /// Say whether work needs a plan, and why
    Required {
        /// What kind of work it is
        #[arg(required = true, value_parser = Work::read)]
        work: Vec<Work>,
    },
    /// Run a playbook from its first step
    Run(RunArguments),
    /// Go on with a run that was paused, failed, waits, or was killed
    Resume {
        /// The run, a prefix of its id, or the playbook's name for its latest run
        run: String,
    },
    /// Let a run stop after what it is doing, to be resumed
    Pause(WhyArguments),
    /// Approve a step that waits
    Approve {
        /// The run, a prefix of its id, or the playbook's name for its latest run
        run: String,
        /// The step
        step: String,
        /// Who approves
        #[arg(long, value_name = "PERSON")]
        by: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Take back what a run did, its last step first
    Rollback {
        #[command(flatten)]
        why: WhyArguments,
        /// Put it on record as a drill of this name, with how long it took
        #[arg(long, value_name = "DRILL")]
        drill: Option<String>,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Report on a run, or on the week
    Report(ReportArguments),
    /// Put a plan aside
    Shelve {
        /// The playbook
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Mark a plan complete, log it, and archive it
    Complete {
        /// The playbook
        name: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// The register of risks
    #[command(subcommand)]
    Risk(RiskCommand),
}

/// Arguments of `playbook new`.
#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// Its name: small letters, digits, hyphens
    pub(crate) name: String,
    /// What it is about
    #[arg(long)]
    pub(crate) title: String,
    /// Who answers for it
    #[arg(long)]
    pub(crate) owner: String,
    /// Steps to be run, instead of a plan of work
    #[arg(long)]
    pub(crate) steps: bool,
    /// Where to write it [default: NAME.md in the folder `playbooks` of the data folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `playbook run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The playbook, or a file
    pub(crate) name: String,
    /// Set a parameter
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
    /// Let waits and watches take no time: a rehearsal, labelled as one
    #[arg(long)]
    pub(crate) simulated_clock: bool,
    /// When a step fails, leave what was done as it is
    #[arg(long)]
    pub(crate) keep: bool,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A run and a reason.
#[derive(Debug, Args)]
pub(crate) struct WhyArguments {
    /// The run, a prefix of its id, or the playbook's name for its latest run
    pub(crate) run: String,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

/// Arguments of `playbook report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The run, a prefix of its id, or the playbook's name for its latest run
    #[arg(required_unless_present = "weekly")]
    pub(crate) run: Option<String>,
    /// Report on all plans and gates since a week
    #[arg(long, conflicts_with = "run")]
    pub(crate) weekly: bool,
    /// How many days the week has
    #[arg(long, value_name = "N", default_value_t = 7, requires = "weekly")]
    pub(crate) days: u64,
    /// Write it to this Markdown file too
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// What to do with risks.
#[derive(Debug, Subcommand)]
pub(crate) enum RiskCommand {
    /// List risks: open ones first, the gravest first
    List {
        /// Only those of this plan
        #[arg(long)]
        playbook: Option<String>,
    },
    /// Add a risk
    Add {
        /// The plan that it belongs to
        playbook: String,
        /// What may happen
        title: String,
        #[command(flatten)]
        about: RiskArguments,
    },
    /// Change a risk, or close it
    Set {
        /// Its id, or a prefix
        id: String,
        /// open, mitigated, closed
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        about: RiskArguments,
    },
}

/// What is said of a risk.
#[derive(Debug, Args)]
pub(crate) struct RiskArguments {
    /// high, medium, low
    #[arg(long)]
    pub(crate) priority: Option<String>,
    /// What it would mean
    #[arg(long)]
    pub(crate) impact: Option<String>,
    /// What is done about it
    #[arg(long)]
    pub(crate) mitigation: Option<String>,
    /// Who answers for it
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}
