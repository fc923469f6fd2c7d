//! The arguments of `simulate`.
//!
//! Owns their grammar and help. What each simulator does is in `command::simulate`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What to simulate.
#[derive(Debug, Subcommand)]
pub(crate) enum SimulateCommand {
    /// The congress.gov API, serving generated hearings or a snapshot, with planted changes and faults
    Congress(CongressArguments),
    /// A calibration laboratory: registers, the sets of its earlier system brought in, and a first week of work
    Gauges(GaugesArguments),
    /// The Lucky Gas company: its legacy database in Big5, and the new one beside it, with rows that nobody has
    Luckygas(LuckygasArguments),
    /// Users of both databases of Lucky Gas, at work while customers move, and whether both sides hold what they were told
    LuckygasUsers(LuckygasUsersArguments),
    /// What the OpenCode coding agent leaves on disk: a generated store, and a manifest of what is in it
    Opencode(OpencodeArguments),
    /// PEMS, the master system of equipment plans: other users edit too, and the network misbehaves
    Pems(PemsArguments),
    /// An object storage and a machine's identity, as Google's answer, on loopback; the bucket lives in memory
    Cloud(CloudStandIn),
}

/// Arguments of `simulate cloud`.
#[derive(Debug, Args)]
pub(crate) struct CloudStandIn {
    /// The bucket's name
    #[arg(long, value_name = "NAME", default_value = "demo-bucket")]
    pub(crate) bucket: String,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Refuse everything that writes
    #[arg(long)]
    pub(crate) read_only: bool,
}

/// Arguments of `simulate pems`.
#[derive(Debug, Args)]
pub(crate) struct PemsArguments {
    /// Organizations, called DEMO01, DEMO02, ..
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) organizations: usize,
    /// Rows of each organization
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) rows: usize,
    /// The seed of everything that is chosen
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Requests per second; more are answered with 429
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// Misbehave: lost answers, 429, 5xx, moved pages, edits by others, deletions, clocks that differ
    #[arg(long)]
    pub(crate) faults: bool,
    /// Ask for this token
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// Tell which operation wrote a row last
    #[arg(long)]
    pub(crate) remembers_operations: bool,
}

/// Arguments of `simulate congress`.
#[derive(Debug, Args)]
pub(crate) struct CongressArguments {
    /// Serve the hearings of this SQLite database
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Serve this many generated hearings
    #[arg(long, value_name = "N", required_unless_present = "snapshot")]
    pub(crate) generate: Option<usize>,
    /// Good changes to plant
    #[arg(long, value_name = "C", default_value_t = 0)]
    pub(crate) changes: usize,
    /// Bad records to plant
    #[arg(long, value_name = "B", default_value_t = 0)]
    pub(crate) bad: usize,
    /// The seed of everything that is chosen
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Fail now and then like a real service: 429, 500, slow answers, dropped connections
    #[arg(long)]
    pub(crate) faults: bool,
    /// Answer only requests with this key
    #[arg(long, value_name = "KEY")]
    pub(crate) require_key: Option<String>,
    /// Write the hearings as they were before the changes to this new SQLite database
    #[arg(long, value_name = "FILE")]
    pub(crate) write_baseline: Option<PathBuf>,
}

/// Arguments of `simulate gauges`.
#[derive(Debug, Args)]
pub(crate) struct GaugesArguments {
    /// Sets that can be brought in, from 10 to 20,000
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=20_000))]
    pub(crate) sets: u64,
    /// The seed of everything that is chosen
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only the registers, and into this file what the earlier system left, for `run gauges backfill`
    #[arg(long, value_name = "FILE")]
    pub(crate) earlier: Option<PathBuf>,
}

/// Arguments of `simulate luckygas`.
#[derive(Debug, Args)]
pub(crate) struct LuckygasArguments {
    /// Clients of the legacy database, from 100 to 1,000,000
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub(crate) clients: u64,
    /// Deliveries of the legacy database [default: four for each client]
    #[arg(long, value_name = "N")]
    pub(crate) deliveries: Option<u64>,
    /// The seed of everything that is chosen
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many of 100 rows have something wrong with them
    #[arg(long, value_name = "PERCENT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) dirty: u8,
    /// As if every record had been carried over already: the new side says what the legacy side says
    #[arg(long)]
    pub(crate) carried: bool,
}

/// Arguments of `simulate luckygas-users`.
#[derive(Debug, Args)]
pub(crate) struct LuckygasUsersArguments {
    /// What users were told is kept in this file, and added to
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: PathBuf,
    /// So many things are done
    #[arg(long, value_name = "N", default_value_t = 200, conflicts_with = "check")]
    pub(crate) actions: u64,
    /// At most so many each second
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: u64,
    /// Customers with the lowest numbers for whom they work, beside the members
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) others: u64,
    /// The seed of everything that is chosen
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Do nothing, and compare both sides with the ledger
    #[arg(long)]
    pub(crate) check: bool,
}

/// Arguments of `simulate opencode`.
#[derive(Debug, Args)]
pub(crate) struct OpencodeArguments {
    /// Write the store into this folder, as its subfolder `opencode`
    #[arg(long, value_name = "DIR", required_unless_present = "earlier_database")]
    pub(crate) to: Option<PathBuf>,
    /// Sessions, forks and sub-agents' sessions included
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) sessions: usize,
    /// The seed of everything that is chosen
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Messages of all sessions together [default: about 49 for each session]
    #[arg(long, value_name = "M")]
    pub(crate) messages: Option<usize>,
    /// Parts of all messages together [default: about 4.4 for each message]
    #[arg(long, value_name = "P")]
    pub(crate) parts: Option<usize>,
    /// The mean length of a part, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 5_000)]
    pub(crate) mean_part_bytes: usize,
    /// Which generations of OpenCode's storage to write
    #[arg(long, value_enum, default_value_t = OpencodeGeneration::Json)]
    pub(crate) generation: OpencodeGeneration,
    /// Write the analytics database of an earlier monitor into this new file instead: so many parts in one wide table
    #[arg(long, value_name = "FILE", conflicts_with_all = ["generation", "bad"])]
    pub(crate) earlier_database: Option<PathBuf>,
    /// Leave out what is rare: a session of more than 2^31 tokens, and one over the moment at which identifiers wrap
    #[arg(long)]
    pub(crate) ordinary: bool,
    /// Bad files to plant: empty, truncated, full of zeros, not JSON, without their message
    #[arg(long, value_name = "B", default_value_t = 0)]
    pub(crate) bad: usize,
}

/// Generations of OpenCode's storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OpencodeGeneration {
    /// A file for each session, message and part
    Json,
    /// One database with sessions, messages and parts
    Sqlite,
    /// One database with the newest tables too
    SqliteV2,
    /// All together, overlapping
    Mixed,
}
