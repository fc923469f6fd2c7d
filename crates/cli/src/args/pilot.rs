//! The grammar of `pilot` and `parity`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use plimsoll_core::flag::Percent;
use plimsoll_core::gate::declare::Duration;
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::selection::ShareOf;

use super::assignment;

/// What to do with a pilot.
#[derive(Debug, Subcommand)]
pub(crate) enum PilotCommand {
    /// Choose customers of the legacy side, exactly so many; those chosen before always stay
    ///
    /// Seats go to regions and customer types by their shares. Only the legacy side is read; the selection is kept in
    /// the new side's store, with every customer and why. It gives nobody the new system: enrolment does.
    Select(Box<SelectArguments>),
    /// Show a selection: strata, balance, and why a customer is in or out
    Show(ShowArguments),
    /// Make the customers of a selection members, and freeze them in the flag `pilot_program`
    ///
    /// Both sides put up their fences: from now on a member is written on the legacy side only, until its handover.
    Enrol(EnrolArguments),
    /// Carry changes both ways, and do what the members' stages order, until nothing is left to do by itself
    Run(PilotRunArguments),
    /// Where each member stands, what it waits for, and what cannot be carried
    Status(StatusArguments),
    /// Let members begin
    Start(MoveArguments),
    /// Let members stop where they are; a handover under way comes to its end first
    Pause(MoveArguments),
    /// Let paused members go on
    Resume(MoveArguments),
    /// Let the next wave into the next stage, when its gate says GO and nothing is missing
    Advance(AdvanceArguments),
    /// Take members back, with everything that was written on the new side since
    Rollback(MoveArguments),
    /// Print the signed certificate of a member's last rollback
    Certificate(CertificateArguments),
    /// Ask a question about a member as users do; the side whose turn it is answers
    Read(ReadArguments),
    /// Carry everything of one customer over now, and compare it
    Sync(CustomerArguments),
    /// Summarize the pilot: stages, reads, conflicts, certificates; and the facts that the stage gate asks for
    Report(ReportArguments),
}

/// Arguments of `pilot enrol`.
#[derive(Debug, Args)]
pub(crate) struct EnrolArguments {
    /// The selection: its number, its id, or a prefix [default: the newest]
    pub(crate) selection: Option<String>,
    /// Only these members of it; repeat for more
    #[arg(long = "customer", value_name = "CODE")]
    pub(crate) customers: Vec<String>,
    /// Goes before the others; repeat for more
    #[arg(long = "canary", value_name = "CODE")]
    pub(crate) canary: Vec<String>,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Say who would be enrolled, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What the stages of a member ask, and whose changes are carried.
#[derive(Debug, Args, Clone)]
pub(crate) struct StageArguments {
    /// So many shadow reads for each member, all equal
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) shadow_reads: u64,
    /// So many reads in the canary stage, all equal
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) canary_reads: u64,
    /// The soak lasts at least so long, such as 24h
    #[arg(long, value_name = "SPAN", value_parser = Duration::read, default_value = "24h")]
    pub(crate) soak: Duration,
    /// So many members without a writer at a time, at most
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) handovers: usize,
    /// Carry every customer's changes, not the members' alone: dual write of the whole company
    #[arg(long)]
    pub(crate) everyone: bool,
    /// Who wins where both sides changed a field without a rule of its own
    #[arg(long, value_name = "WHO", default_value = "manual", value_parser = ["manual", "newest", "legacy", "new", "merge"])]
    pub(crate) policy: String,
}

/// Arguments of `pilot run`.
#[derive(Debug, Args)]
pub(crate) struct PilotRunArguments {
    #[command(flatten)]
    pub(crate) stages: StageArguments,
    /// Go on until this process is stopped
    #[arg(long)]
    pub(crate) watch: bool,
    /// Between two looks when nothing happened, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10)]
    pub(crate) every_ms: u64,
    /// Say what waits to be done, and do nothing
    #[arg(long, conflicts_with = "watch")]
    pub(crate) dry_run: bool,
}

/// Arguments of `pilot status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Only this member, with what happened to it
    pub(crate) customer: Option<String>,
}

/// Arguments of the commands that move members.
#[derive(Debug, Args)]
pub(crate) struct MoveArguments {
    /// Only this member
    #[arg(long, value_name = "CODE")]
    pub(crate) customer: Option<String>,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Say who would be moved, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `pilot advance`.
#[derive(Debug, Args)]
pub(crate) struct AdvanceArguments {
    #[command(flatten)]
    pub(crate) moving: MoveArguments,
    #[command(flatten)]
    pub(crate) stages: StageArguments,
    /// The gate that is asked
    #[arg(long, value_name = "GATE", default_value = "luckygas/stage")]
    pub(crate) gate: String,
    /// Go on without gate and evidence; at most so many writes may be lost
    #[arg(long, value_name = "WRITES", requires_all = ["what", "customer"])]
    pub(crate) force: Option<u64>,
    /// Which writes a forced step may lose, in words
    #[arg(long, value_name = "TEXT", requires = "force")]
    pub(crate) what: Option<String>,
}

/// Arguments of `pilot certificate`.
#[derive(Debug, Args)]
pub(crate) struct CertificateArguments {
    /// The member
    pub(crate) customer: String,
    /// Write the signed document, byte for byte, to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Check the signature of this document instead of printing one
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    pub(crate) verify: Option<PathBuf>,
}

/// Arguments of `pilot read`.
#[derive(Debug, Args)]
pub(crate) struct ReadArguments {
    /// The member
    pub(crate) customer: String,
    /// The question, such as card, orders or cylinders
    pub(crate) question: String,
}

/// Arguments of `pilot sync`.
#[derive(Debug, Args)]
pub(crate) struct CustomerArguments {
    /// The customer's code
    pub(crate) customer: String,
}

/// Arguments of `pilot select`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("size").required(true).args(["percent", "count"]))]
pub(crate) struct SelectArguments {
    /// This share of the customers, such as 10 or 0.5
    #[arg(long, value_name = "PERCENT")]
    pub(crate) percent: Option<Percent>,
    /// This many customers, earlier members included
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// What a percentage is a share of
    #[arg(long, value_enum, default_value_t = Whole::Customers)]
    pub(crate) share_of: Whole,
    /// Only customers with at least this many orders
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) min_orders: u64,
    /// Only this region; repeat for more
    #[arg(long = "region", value_name = "REGION")]
    pub(crate) regions: Vec<String>,
    /// Only this customer type; repeat for more
    #[arg(long = "customer-type", value_name = "TYPE")]
    pub(crate) customer_types: Vec<String>,
    /// Only customers with this mark; repeat for more
    #[arg(long = "mark", value_name = "MARK")]
    pub(crate) required_marks: Vec<String>,
    /// No customer with this mark, such as terminated or inactive; repeat for more
    #[arg(long = "without-mark", value_name = "MARK")]
    pub(crate) refused_marks: Vec<String>,
    /// Not this customer, and why; repeat for more
    #[arg(long = "exclude", value_name = "CODE=REASON", value_parser = assignment)]
    pub(crate) exclusions: Vec<(String, String)>,
    /// At most this many in all
    #[arg(long, value_name = "N")]
    pub(crate) max_total: Option<u64>,
    /// At most this many of a region; repeat for more
    #[arg(long = "max-region", value_name = "REGION=N", value_parser = cap)]
    pub(crate) max_regions: Vec<(String, u64)>,
    /// At most this many of a customer type; repeat for more
    #[arg(long = "max-type", value_name = "TYPE=N", value_parser = cap)]
    pub(crate) max_types: Vec<(String, u64)>,
    /// Another salt draws others [default: that of the newest selection, or pilot_program]
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) salt: String,
    /// Draw with this many salts, and keep the cohort that is most like the rest
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) best_of: u32,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Say who would be chosen, and keep nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What a percentage is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Whole {
    /// All customers of the legacy side
    Customers,
    /// Those who keep the criteria, and earlier members
    Eligible,
}

impl From<Whole> for ShareOf {
    fn from(whole: Whole) -> Self {
        match whole {
            Whole::Customers => Self::Customers,
            Whole::Eligible => Self::Eligible,
        }
    }
}

/// Arguments of `pilot show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// Its number, its id, or a prefix [default: the newest]
    pub(crate) selection: Option<String>,
    /// Tell why this customer is in or out
    #[arg(long, value_name = "CODE", conflicts_with = "list")]
    pub(crate) customer: Option<String>,
    /// Write every customer, with why, to this CSV file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "customer"])]
    pub(crate) export: Option<PathBuf>,
    /// List all selections
    #[arg(long, conflicts_with = "selection")]
    pub(crate) list: bool,
}

/// Arguments of `parity`.
///
/// Exit codes: 0 nothing differs; 3 something does.
#[derive(Debug, Args)]
pub(crate) struct ParityArguments {
    /// Only the members of the pilot that are under way
    #[arg(long, conflicts_with_all = ["build", "entities", "repair"])]
    pub(crate) members: bool,
    /// Compute all sums anew from every row, instead of by what changed since
    #[arg(long)]
    pub(crate) build: bool,
    /// Only this entity; repeat for more
    #[arg(long = "entity", value_name = "ENTITY")]
    pub(crate) entities: Vec<String>,
    /// Show at most this many differing records of each entity, with their fields
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) shown: usize,
    /// Put this side right: make what differs there as it is on the other side, by a plan that can be taken back
    #[arg(long, value_enum, value_name = "SIDE")]
    pub(crate) repair: Option<SideName>,
    /// Refuse a repair that deletes more records than this: what was not carried over yet is missing on the other side
    #[arg(long, value_name = "N", default_value_t = 10, requires = "repair")]
    pub(crate) max_deletes: u64,
    /// Items in one batch of the repair
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "repair")]
    pub(crate) batch_size: Option<u64>,
    /// Say what the repair would do, and do nothing
    #[arg(long, requires = "repair")]
    pub(crate) dry_run: bool,
    /// Why it is repaired
    #[arg(long, default_value = "", requires = "repair")]
    pub(crate) reason: String,
}

/// A side of the pilot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SideName {
    /// The legacy database
    Legacy,
    /// The new database
    New,
}

impl From<SideName> for Side {
    fn from(side: SideName) -> Self {
        match side {
            SideName::Legacy => Self::Legacy,
            SideName::New => Self::New,
        }
    }
}

fn cap(text: &str) -> Result<(String, u64), String> {
    let (name, most) = assignment(text)?;
    let most = most.parse().map_err(|_| format!("`{most}` is no number"))?;
    Ok((name, most))
}

/// Arguments of `pilot report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Compare every member's records now, and write what the stage gate asks for to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
}
