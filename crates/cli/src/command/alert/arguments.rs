//! Arguments of `alert`.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do about incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// List incidents that are not resolved
    List {
        /// Also those that are
        #[arg(long)]
        all: bool,
    },
    /// Show one incident with its notices
    Show {
        /// Its number, its cause, or a prefix of its id
        incident: String,
    },
    /// Take an incident: reminders stop until it gets worse or is over
    Acknowledge {
        /// Its number, its cause, or a prefix of its id
        incident: String,
        /// Why, or who looks at it
        #[arg(long, default_value = "")]
        reason: String,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// End an incident
    Resolve {
        /// Its number, its cause, or a prefix of its id
        incident: String,
        /// Why it is over
        #[arg(long)]
        reason: String,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Deliver the notices that are due; `serve` does it by itself
    Send {
        /// Show the outbox, and send nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Send a message that only shows whether the webhook works
    Test,
    /// Hold a system's spending against a month's budget, and tell when it warns or is over
    Budget {
        /// The system
        system: String,
        /// The month's budget
        #[arg(long, value_name = "USD")]
        budget: String,
        /// Only this project, by its folder or id
        #[arg(long)]
        project: Option<String>,
        /// Say how it stands, and tell nobody
        #[arg(long)]
        dry_run: bool,
    },
    /// Say what happened in the last days, in figures
    Digest {
        /// How many days
        #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
        /// Send it to the webhook too
        #[arg(long)]
        send: bool,
        /// Write it to this Markdown file too
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
}
