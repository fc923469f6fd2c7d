//! The grammar of the commands about links.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub(crate) struct SyncArguments {
    /// The system whose records are linked, such as `pfa`
    pub(crate) system: String,
    /// Go on until the program is ended, pulling every `--every` seconds
    #[arg(long, conflicts_with = "once")]
    pub(crate) watch: bool,
    /// Pull, send what is due now, and end; this is the default
    #[arg(long)]
    pub(crate) once: bool,
    /// Send until nothing is due or waits for its next attempt
    #[arg(long, conflicts_with = "watch")]
    pub(crate) drain: bool,
    /// The address of the remote [default: the system's source in the configuration]
    #[arg(long, value_name = "URL")]
    pub(crate) remote: Option<String>,
    /// What to pull, such as an organization; may be given several times [default: all that were pulled before]
    #[arg(long, value_name = "NAME")]
    pub(crate) scope: Vec<String>,
    /// Read everything instead of what changed, and find out what is gone
    #[arg(long)]
    pub(crate) complete: bool,
    /// Do not pull
    #[arg(long, conflicts_with = "complete")]
    pub(crate) no_pull: bool,
    /// Do not send
    #[arg(long)]
    pub(crate) no_send: bool,
    /// Believe that up to this many missing rows are gone
    #[arg(long, value_name = "N", requires = "complete")]
    pub(crate) confirm_missing: Option<u64>,
    /// Workers that send
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub(crate) workers: usize,
    /// Requests per second at most; 0 for as many as the remote answers [default: what the link allows]
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u64>,
    /// Seconds for which a worker has a record to itself; longer than the remote takes for a request. What a worker
    /// that was killed held is sent by others after that
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) lease: u64,
    /// Seconds between two pulls of `--watch`
    #[arg(long, default_value_t = 900, value_name = "SECONDS")]
    pub(crate) every: u64,
    /// Say what waits to be sent, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `edit`.
#[derive(Debug, Args)]
pub(crate) struct EditArguments {
    /// The system
    pub(crate) system: String,
    /// The record's key
    pub(crate) key: String,
    /// Fields with their new values: `model=Crane`; nothing after `=` empties the field
    #[arg(value_name = "FIELD=VALUE", required_unless_present = "delete")]
    pub(crate) fields: Vec<String>,
    /// Delete the record instead
    #[arg(long, conflicts_with = "fields")]
    pub(crate) delete: bool,
    /// What a new record belongs to
    #[arg(long, value_name = "NAME")]
    pub(crate) scope: Option<String>,
    /// Commit at once
    #[arg(long)]
    pub(crate) commit: bool,
    /// Say what would be edited, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `drafts`.
#[derive(Debug, Args)]
pub(crate) struct DraftsArguments {
    /// The system
    pub(crate) system: String,
    /// List every edit with its state, not drafts alone
    #[arg(long)]
    pub(crate) all: bool,
    /// Of this record only
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Of everybody
    #[arg(long)]
    pub(crate) everybody: bool,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: u64,
}

/// Arguments of `commit` and `discard`.
#[derive(Debug, Args)]
pub(crate) struct DecideArguments {
    /// The system
    pub(crate) system: String,
    /// The drafts, by their ids
    #[arg(value_name = "EDIT", required_unless_present = "all")]
    pub(crate) edits: Vec<String>,
    /// Every draft of yours
    #[arg(long, conflicts_with = "edits")]
    pub(crate) all: bool,
    /// Say which drafts it would be, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A side of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SideArgument {
    /// What was edited here
    Mine,
    /// What the remote holds
    Theirs,
}

/// What to do with conflicts.
#[derive(Debug, Subcommand)]
pub(crate) enum ConflictsCommand {
    /// List what waits for a decision
    List {
        /// The system
        system: String,
        /// Also those that are over
        #[arg(long)]
        all: bool,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// Show one with base, mine and theirs
    Show {
        /// The system
        system: String,
        /// The record's key
        key: String,
    },
    /// Decide one, or all
    Resolve {
        /// The system
        system: String,
        /// The record's key
        #[arg(required_unless_present = "all")]
        key: Option<String>,
        /// Every open conflict; `--dry-run` shows which
        #[arg(long, requires = "take", conflicts_with_all = ["key", "field"])]
        all: bool,
        /// The side to take for every field not named
        #[arg(long, value_enum)]
        take: Option<SideArgument>,
        /// For one field: `model=mine`, `model=theirs` or `model:=VALUE`; may be given several times
        #[arg(long, value_name = "FIELD=SIDE")]
        field: Vec<String>,
        /// The revision that you looked at [default: the open one]
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// Say what would be decided, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Take a decision back: what it gave up is edited again
    Undo {
        /// The system
        system: String,
        /// The record's key
        key: String,
        /// The conflict's revision
        revision: u64,
        /// Say what would be edited, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Give the same answer again whenever both sides edited this field
    Rule {
        /// The system
        system: String,
        /// The field
        field: String,
        /// The side that wins; without it the rule is taken away
        #[arg(long, value_enum)]
        take: Option<SideArgument>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// What the rule would have made of the conflicts so far; nothing is changed
        #[arg(long, requires = "take")]
        dry_run: bool,
    },
}

/// Arguments of `limbo`.
#[derive(Debug, Args)]
pub(crate) struct LimboArguments {
    /// The system
    pub(crate) system: String,
}

/// What to do with operations that were refused or given up.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List them
    List {
        /// The system
        system: String,
    },
    /// Send one again, or all
    Retry(DeadLetterArguments),
    /// Drop one; its values stay in the record's journal
    Drop(DeadLetterArguments),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(crate) struct DeadLetterArguments {
    /// The system
    pub(crate) system: String,
    /// The record's key
    #[arg(required_unless_present = "all")]
    pub(crate) key: Option<String>,
    /// Of every record
    #[arg(long, conflicts_with = "key")]
    pub(crate) all: bool,
    /// Say which, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `records`.
#[derive(Debug, Args)]
pub(crate) struct RecordsArguments {
    /// The system
    pub(crate) system: String,
    /// Of this scope only, such as an organization
    #[arg(long, value_name = "NAME")]
    pub(crate) scope: Option<String>,
    /// Records whose field has this value; may be given several times
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    pub(crate) equal: Vec<String>,
    /// Keys after this one
    #[arg(long, value_name = "KEY")]
    pub(crate) after: Option<String>,
    /// At most this many; 0 for all
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: u64,
    /// The figures of these records instead of the records
    #[arg(long)]
    pub(crate) figures: bool,
}

/// Arguments of `versions`.
#[derive(Debug, Args)]
pub(crate) struct VersionsArguments {
    /// The system
    pub(crate) system: String,
    /// The record's key
    pub(crate) key: String,
    /// Show the record as it was in this version
    #[arg(long, value_name = "N")]
    pub(crate) at: Option<u64>,
    /// Go back to this version: its values are edited again
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub(crate) restore: Option<u64>,
    /// Also what happened on the way: queued, sent, lost
    #[arg(long)]
    pub(crate) happenings: bool,
    /// With --restore: say what would be edited, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The system
    pub(crate) system: String,
    /// The CSV file; its header names the key and the fields
    pub(crate) file: PathBuf,
    /// Commit the edits at once
    #[arg(long)]
    pub(crate) commit: bool,
    /// Say what would be edited and which lines are bad, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
