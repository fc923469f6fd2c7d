//! The command line.
//!
//! Owns the grammar and its help. What each command does is in `command`.

mod cloud;
mod pilot;
mod simulate;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use plimsoll_core::undo::UndoMode;
use plimsoll_server::{Roles, Scope};

pub(crate) use self::cloud::CloudCommand;
pub(crate) use self::pilot::{
    AdvanceArguments, CertificateArguments, EnrolArguments, MoveArguments, ParityArguments, PilotCommand,
    PilotRunArguments, ReadArguments, ReportArguments, SelectArguments, ShowArguments, StageArguments,
};
pub(crate) use self::simulate::{
    CloudStandIn, CongressArguments, GaugesArguments, LuckygasArguments, LuckygasUsersArguments,
    OpencodeArguments, OpencodeGeneration, PemsArguments, SimulateCommand,
};

/// The load line for live data: say what will change, what changed, whether it is right, and take it back.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, after_help = crate::exit::TABLE, max_term_width = 110)]
pub(crate) struct Arguments {
    /// The configuration file [default: plimsoll.toml, when there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder of the embedded stores and backups
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The store: sqlite:PATH[?durability=normal], postgres://USER@HOST/DATABASE, or duckdb:PATH
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the systems and what they can do
    Systems,
    /// Make a plan: read the source, compare, store what would change
    Plan(PlanArguments),
    /// Show what a plan would do, with a canary batch that is always rolled back
    Assess {
        /// The plan, or a prefix of its id
        plan: String,
    },
    /// Approve a plan; the approval binds to its digest
    Approve {
        /// The plan, or a prefix of its id
        plan: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Apply a plan
    Apply(ApplyArguments),
    /// Back up, plan, check, apply, verify and report in one go
    Run(RunArguments),
    /// Try a change on scratch copies of the store, and decide whether to let it loose
    Trial(TrialArguments),
    /// Say from evidence whether we may go on
    Gate(crate::command::gate::GateArguments),
    /// Run plan documents whose steps are executable
    #[command(subcommand)]
    Playbook(crate::command::playbook::PlaybookCommand),
    /// List runs, or the events of the journal
    Log {
        /// List events instead of runs
        #[arg(long)]
        events: bool,
        /// At most this many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Show a plan, a run or a quarantined item
    Show {
        /// Its id, or a prefix
        id: String,
        /// At most this many items of a plan's row diff
        #[arg(long, default_value_t = 20)]
        limit: u64,
    },
    /// Go on with a run that was paused, stopped, or killed
    Resume(ResumeArguments),
    /// Let a run stop after its current batch, to be resumed
    Pause(ControlArguments),
    /// End a run after its current batch
    Cancel(ControlArguments),
    /// Look at, repair and replay items that runs could not take
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Take a run back
    Undo(UndoArguments),
    /// Take an undo back
    Redo(UndoArguments),
    /// Check runs against the journal and the rows
    Verify {
        /// The run, or a prefix of its id
        #[arg(required_unless_present = "all")]
        run: Option<String>,
        /// Verify every run, and the chain of events
        #[arg(long)]
        all: bool,
    },
    /// Show what runs did to one row
    History {
        /// The table
        table: String,
        /// The row's key; several parts are separated by `/`
        key: String,
    },
    /// Make a verified backup, or list backups
    Backup {
        /// The system
        system: String,
        /// List backups instead of making one
        #[arg(long)]
        list: bool,
    },
    /// Bring the tables back to a backup
    Restore {
        /// The system
        system: String,
        /// The backup, or a prefix of its id
        backup: String,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Forget prior images of old runs; says what would be lost
    Purge {
        /// Runs that ended before this time, such as 2026-01-31
        #[arg(long, value_name = "TIME")]
        before: String,
        /// Do it; without this it is only said
        #[arg(long)]
        confirm: bool,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Print a digest and row count for each table of a system
    Digest {
        /// The system [default: the only one whose tables the store has]
        system: Option<String>,
    },
    /// Copy a system's tables from another store into this one
    CopyStore {
        /// The system
        system: String,
        /// The store to read
        #[arg(long, value_name = "URL")]
        from: String,
    },
    /// Move a linked system to this store, with all that is open about its records, and compare every table
    MigrateStore {
        /// The system
        system: String,
        /// The store to move from; it is left as it is
        #[arg(long, value_name = "URL")]
        from: String,
        /// Say how many rows would be copied, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring an analytical store in step with the files and databases it is read from
    Ingest(IngestArguments),
    /// Say what was read from where, and what was skipped and why
    Doctor {
        /// The system
        #[arg(default_value = "opencode")]
        system: String,
    },
    /// Answer a named question about an analytical system, or list the questions
    View(ViewArguments),
    /// Check the data of a system against its rules, and keep the results
    Check(CheckArguments),
    /// Search texts by meaning, with a model on this machine
    #[cfg(feature = "meaning")]
    #[command(subcommand)]
    Meaning(MeaningCommand),
    /// Prices of models
    #[command(subcommand)]
    Prices(PricesCommand),
    /// Write the tables of an analytical system as Parquet files
    Export {
        /// The system
        system: String,
        /// The folder
        #[arg(long, value_name = "DIR")]
        parquet: PathBuf,
    },
    /// Decide who gets it: flags, rollouts, allow and deny lists, kill switch
    #[command(subcommand)]
    Flag(crate::command::flag::FlagCommand),
    /// Incidents: what is wrong, who takes it, who was told
    #[command(subcommand)]
    Alert(crate::command::AlertCommand),
    /// What runs by itself, and when
    #[command(subcommand)]
    Schedule(crate::command::ScheduleCommand),
    /// Print every figure that Prometheus would scrape
    Metrics(crate::command::MetricsArguments),
    /// Keep linked records in step with their remote: pull what changed, send what was edited
    Sync(crate::command::sync::SyncArguments),
    /// Edit a linked record, as a draft of yours
    Edit(crate::command::sync::EditArguments),
    /// List your drafts, or all edits with their states
    Drafts(crate::command::sync::DraftsArguments),
    /// Commit drafts: they are everyone's, and are sent
    Commit(crate::command::sync::DecideArguments),
    /// Drop drafts
    Discard(crate::command::sync::DecideArguments),
    /// Look at and decide what both sides changed
    #[command(subcommand)]
    Conflicts(crate::command::sync::ConflictsCommand),
    /// List what was sent and has no known outcome yet
    Limbo(crate::command::sync::LimboArguments),
    /// Look at what was refused or given up, and send it again or drop it
    #[command(subcommand)]
    DeadLetters(crate::command::sync::DeadLettersCommand),
    /// List linked records: the remote's rows with the edits made here over them
    Records(crate::command::sync::RecordsArguments),
    /// Show every version of a linked record, or go back to one
    Versions(crate::command::sync::VersionsArguments),
    /// Edit linked records from a CSV file
    Import(crate::command::sync::ImportArguments),
    /// Show how far each link is, and what waits
    Links,
    /// Move customers from the legacy side to the new one, one by one, and back if need be
    #[command(subcommand)]
    Pilot(PilotCommand),
    /// Compare both sides of the pilot by sums that are kept by change, and repair what differs
    Parity(ParityArguments),
    /// Copies in an object storage off this machine, and whether its set-up works
    #[command(subcommand)]
    Cloud(CloudCommand),
    /// Simulate a remote system
    #[command(subcommand)]
    Simulate(SimulateCommand),
    /// Serve the HTTP API
    ///
    /// Without tokens it listens on loopback only, and everybody on this machine may call.
    Serve(ServeArguments),
    /// Tokens of programs that call the server
    #[command(subcommand)]
    Token(TokenCommand),
    /// People who log in to the web app
    #[command(subcommand)]
    User(UserCommand),
    /// Print the reference of commands and environment variables, of metrics, or of a system, as Markdown
    #[command(hide = true)]
    Reference {
        /// An analytical system, `metrics`, or `openapi` (JSON)
        system: Option<String>,
    },
}

/// How a source is asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct SourceArguments {
    /// Where records come from: an http address, a folder of saved answers, or the file that a drive goes through
    #[arg(long, value_name = "URL|DIR|FILE")]
    pub(crate) source: Option<String>,
    /// Only records updated since this time, such as 2026-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Save every answer of the source into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    /// Further options of the change
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) options: Vec<(String, String)>,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The system
    #[arg(required_unless_present = "file")]
    pub(crate) system: Option<String>,
    /// What to change
    #[arg(required_unless_present = "file")]
    pub(crate) change: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    /// Read the plan from this JSON Lines file instead
    #[arg(long = "in", value_name = "FILE", conflicts_with_all = ["source", "since", "save"])]
    pub(crate) file: Option<PathBuf>,
    /// Write the plan to this JSON Lines file too
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// How a plan is applied.
#[derive(Debug, Clone, Args)]
pub(crate) struct SettingsArguments {
    /// Items in one batch; chooses the batch path whatever the settings say
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) batch_size: Option<u64>,
    /// Workers for disjoint ranges (PostgreSQL)
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) workers: u32,
    /// Let the batch size follow this duration of a batch
    #[arg(long, value_name = "MS")]
    pub(crate) adaptive: Option<u64>,
    /// Wait between batches
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) throttle: u64,
    /// Stop when more items than this fail or conflict
    #[arg(long, value_name = "N")]
    pub(crate) max_errors: Option<u64>,
    /// Stop when a larger share of at least 100 items fails or conflicts
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    pub(crate) max_error_share: f64,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// The plan, or a prefix of its id
    pub(crate) plan: String,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
    /// Do not make a backup, where the change does not insist on one
    #[arg(long)]
    pub(crate) no_backup: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The system
    pub(crate) system: String,
    /// What to change
    pub(crate) change: String,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
}

/// Arguments of `trial`.
///
/// Exit codes: 0 Proceed; 3 Iterate, something is not met or not known; 4 Abort, data is at risk.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes:
  0  Proceed: every criterion is met
  3  Iterate: a criterion is not met or not known
  4  Abort: a criterion that guards data is not met")]
pub(crate) struct TrialArguments {
    /// The system
    pub(crate) system: String,
    /// What to try
    pub(crate) change: String,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    /// Write validation, trial and decision (.md and .json) into this folder; scratch stores are made there too
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// What a build server states, as JSON: coverage_percent, check_passed, source, at
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Option<PathBuf>,
    /// Batch sizes to measure
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_value = "25,50,100",
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sizes: Vec<u64>,
    /// Rounds in which every size and the plain path are measured once
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

/// Arguments of `ingest`.
#[derive(Debug, Args)]
pub(crate) struct IngestArguments {
    /// The system
    pub(crate) system: String,
    /// A folder to read; repeat for several [default: where the program keeps its data]
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Vec<PathBuf>,
    /// Go on following changes until the command is ended
    #[arg(long)]
    pub(crate) watch: bool,
    /// Forget the store and read everything again
    #[arg(long)]
    pub(crate) rebuild: bool,
    /// Threads that read
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64).map(usize::from))]
    pub(crate) threads: usize,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to do with meanings.
#[cfg(feature = "meaning")]
#[derive(Debug, Subcommand)]
pub(crate) enum MeaningCommand {
    /// Compute the vectors of texts that have none; may be ended and begun again at any moment
    Index {
        /// The system
        system: String,
        /// The folder of the model all-MiniLM-L6-v2
        #[arg(long, value_name = "DIR")]
        model: PathBuf,
    },
    /// Print the texts nearest to a question
    Search {
        /// The system
        system: String,
        /// The question
        text: String,
        /// The folder of the model all-MiniLM-L6-v2
        #[arg(long, value_name = "DIR")]
        model: PathBuf,
        /// At most this many
        #[arg(long, default_value_t = 10)]
        limit: u32,
    },
}

/// What to do with prices.
#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// Take prices from a file in the shape of models.dev's api.json; they come before the embedded ones
    Update {
        /// The system
        #[arg(default_value = "opencode")]
        system: String,
        /// The file
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The system
    pub(crate) system: String,
    /// Only these checks [default: all]
    #[arg(value_name = "CHECK")]
    pub(crate) names: Vec<String>,
    /// List the checks instead of running them
    #[arg(long)]
    pub(crate) list: bool,
    /// Run the rules of this contract (Open Data Contract Standard, or tests of dbt) instead of the system's checks
    #[arg(long, value_name = "FILE")]
    pub(crate) contract: Vec<PathBuf>,
    /// Add the checks of this folder's files `*.sql` and `*.toml` [default: checks/SYSTEM in the data folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) checks: Option<PathBuf>,
    /// Look at the rows of these members and hold them against the others: keys with commas, or a file with a key a line
    #[arg(long, value_name = "KEYS|FILE")]
    pub(crate) cohort: Option<String>,
    /// Name of the cohort, for reports and the history [default: the file's name, or `cohort`]
    #[arg(long, value_name = "NAME", requires = "cohort")]
    pub(crate) cohort_name: Option<String>,
    /// Write the report to this file too: .html, .md or .json
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,
    /// Longest time of one query, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) limit: u64,
    /// Most sample rows of a check that failed; 0 keeps rows out of reports and the history
    #[arg(long, value_name = "ROWS", default_value_t = 10)]
    pub(crate) samples: usize,
}

/// Arguments of `view`.
#[derive(Debug, Args)]
pub(crate) struct ViewArguments {
    /// The system
    pub(crate) system: String,
    /// The view [default: list them]
    pub(crate) name: Option<String>,
    /// Only this project: its id, or the root of its work tree
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// Only this agent
    #[arg(long)]
    pub(crate) agent: Option<String>,
    /// Only this model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Only this tool
    #[arg(long)]
    pub(crate) tool: Option<String>,
    /// Only this session or exchange
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// What to search for
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// From this day or moment on (UTC), such as 2026-01-31
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// To this day, included, or before this moment (UTC)
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// At most this many rows
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// For `forecast`: so many days ahead
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=366))]
    pub(crate) days: Option<u32>,
    /// For `budget`: the month's budget
    #[arg(long, value_name = "USD")]
    pub(crate) budget: Option<String>,
    /// For `bill`: a file of comma-separated values with the columns day, model and amount
    #[arg(long, value_name = "FILE")]
    pub(crate) bill: Option<PathBuf>,
    /// What the view of a system of rows is to be told
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) options: Vec<(String, String)>,
    /// Run the view, or every view, so many times and print how long it took
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) measure: Option<u32>,
    /// Print comma-separated values
    #[arg(long, conflicts_with_all = ["json", "table"])]
    pub(crate) csv: bool,
    /// Print an aligned table, as without any of these
    #[arg(long, conflicts_with = "json")]
    pub(crate) table: bool,
}

/// Arguments of `resume`; what is left out stays as the run has it.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The run, or a prefix of its id
    pub(crate) run: String,
    /// Items in one batch from here on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) batch_size: Option<u64>,
    /// Wait between batches from here on
    #[arg(long, value_name = "MS")]
    pub(crate) throttle: Option<u64>,
    /// Allow this many failed or conflicted items
    #[arg(long, value_name = "N")]
    pub(crate) max_errors: Option<u64>,
    /// Allow this share of failed or conflicted items, 0 to 1
    #[arg(long, value_name = "SHARE")]
    pub(crate) max_error_share: Option<f64>,
}

/// Arguments of `pause` and `cancel`.
#[derive(Debug, Args)]
pub(crate) struct ControlArguments {
    /// The run, or a prefix of its id
    pub(crate) run: String,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

/// Arguments of `undo` and `redo`.
#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    /// The run, or a prefix of its id
    pub(crate) run: String,
    /// What to do about rows that were edited since
    #[arg(long, value_enum, default_value_t = ModeArgument::Skip)]
    pub(crate) mode: ModeArgument,
    /// Items in one batch [default: 50; 20000 rows of a wide table]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) batch_size: Option<u64>,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The modes of undo.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ModeArgument {
    /// Any later edit stops the undo before it writes anything
    Refuse,
    /// Items with an edited row are left as they are and reported
    Skip,
    /// Columns that nobody touched since are restored, the others are left
    Merge,
    /// Later runs that touched the same rows are undone first
    Cascade,
    /// Rows are restored to what they were before the run, whatever happened since
    Force,
}

impl From<ModeArgument> for UndoMode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Refuse => Self::Refuse,
            ModeArgument::Skip => Self::Skip,
            ModeArgument::Merge => Self::Merge,
            ModeArgument::Cascade => Self::Cascade,
            ModeArgument::Force => Self::Force,
        }
    }
}

/// What to do with quarantined items.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List items
    List {
        /// Only those of this run
        #[arg(long)]
        run: Option<String>,
        /// Also those that were replayed or dropped
        #[arg(long)]
        all: bool,
    },
    /// Show one item with its record and rows
    Show {
        /// Its id, or a prefix
        id: String,
    },
    /// Repair an item: set members of its record, or new values of its rows
    Edit {
        /// Its id, or a prefix
        id: String,
        /// What to set, such as committeeMeeting.title="A title" or balance=5
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
        set: Vec<(String, String)>,
        /// Replace the whole record by this JSON file
        #[arg(long, value_name = "FILE", conflicts_with = "set")]
        file: Option<PathBuf>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Apply repaired items again, in the run that refused them
    Replay {
        /// Their ids, or prefixes
        #[arg(required_unless_present = "run")]
        ids: Vec<String>,
        /// Every open item of this run
        #[arg(long)]
        run: Option<String>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Give an item up
    Drop {
        /// Its id, or a prefix
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8620", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Requests that one caller may make in a second; 0 never refuses
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub(crate) rate_limit: u32,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token: prints it once, and the line with its digest that the server needs
    Create {
        /// Who will hold it, as recorded in events
        name: String,
        /// What it allows: read, operate (also change flags and records), approve (also plans) or admin
        #[arg(long, default_value = "read")]
        scope: Scope,
        /// Add the line to this file, which PLIMSOLL_TOKENS_FILE names for the server
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it has the form NAME=VALUE".to_owned()),
    }
}

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; the password is read from standard input, or from a file
    Add {
        /// The name, as recorded in events
        name: String,
        /// What is allowed: SYSTEM=ROLE,.. or a role for every system (viewer, operator, approver, admin)
        #[arg(long, value_name = "ROLES", default_value = "viewer")]
        roles: Roles,
        #[command(flatten)]
        password: PasswordArguments,
        /// Why, for the journal
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// List users and their roles
    List,
    /// Remove a user; sessions end at once
    Remove {
        /// The name
        name: String,
        /// Why, for the journal
        #[arg(long)]
        reason: String,
    },
    /// Set a password anew, read from standard input or from a file
    Password {
        /// The name
        name: String,
        #[command(flatten)]
        password: PasswordArguments,
        /// Why, for the journal
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Give a user a role in a system, or take it away
    Grant {
        /// The name
        name: String,
        /// viewer, operator, approver, admin, or none
        role: String,
        /// The system; every system unless named
        #[arg(long, default_value = "*")]
        system: String,
        /// Why, for the journal
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// Where a password comes from; never the command line, which every program on the machine can read.
#[derive(Debug, Clone, Args)]
pub(crate) struct PasswordArguments {
    /// Read the password from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}
