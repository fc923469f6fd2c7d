//! What a generated store holds, as the generator counted it while writing.
//!
//! Owns the shape that `plimsoll simulate opencode --json` prints. Its numbers come from what was decided,
//! never from reading the store back, so that a reader can be held to them.
//!
//! Rules: money is exact decimal text in USD, each cost to 1e-10; numbers count the union of all sources, a
//! row of a database standing for the file of the same identifier, and `session_message` for `message`; bad
//! files are in no number but their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything that is known of a generated store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always `demo`: nobody's sessions.
    pub label: String,
    /// The seed.
    pub seed: u64,
    /// `json`, `sqlite`, `sqlite-v2` or `mixed`.
    pub generation: String,
    /// Sessions of all sources together.
    pub sessions: u64,
    /// Messages of all sources together.
    pub messages: u64,
    /// Parts of all sources together, without those of sessions that are in `session_v2`: their messages hold
    /// content instead, and that wins over the parts that 1.x left behind.
    pub parts: u64,
    /// Parts by type.
    pub part_types: BTreeMap<String, u64>,
    /// Sessions by the version that created them.
    pub versions: BTreeMap<String, u64>,
    /// What each source holds, whether or not another source holds it too.
    pub sources: Vec<SourceCount>,
    /// Totals as `opencode stats` counts: every message, copies in forks too, message fields only.
    pub opencode_way: Totals,
    /// Totals without the messages that forks copied; the tokens are sums over steps, and where a message has
    /// no steps its own.
    pub deduplicated: Totals,
    /// As `deduplicated`, with each token in one place whatever the version: input without cached tokens,
    /// output without reasoning.
    pub disjoint_tokens: Tokens,
    /// Copies in forks.
    pub fork_copies: ForkCopies,
    /// Sessions of sub-agents.
    pub sub_agent_sessions: u64,
    /// Messages that were never completed.
    pub unfinished_messages: u64,
    /// Tool calls, copies left out.
    pub calls: Calls,
    /// Failures by family, copies left out: failed tool calls, commands with another exit code than 0, and
    /// answers that ended with an error.
    pub failures: Failures,
    /// The bad files, by path.
    pub bad: Vec<BadFile>,
    /// A text that stands in every table that holds secrets and must never appear in anything read.
    pub canary: Option<String>,
}

/// What one source holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCount {
    /// Path relative to the store's folder: `storage`, `opencode.db`, `opencode-beta.db`.
    pub path: String,
    /// `json`, `sqlite-v1` or `sqlite-v2`.
    pub generation: String,
    /// Projects.
    pub projects: u64,
    /// Sessions.
    pub sessions: u64,
    /// Messages; for `sqlite-v2`, rows of `session_message` that are a person's or an assistant's.
    pub messages: u64,
    /// Parts; for `sqlite-v2`, none.
    pub parts: u64,
    /// Files in `todo`, or rows.
    pub todos: u64,
    /// Files in `session_diff`.
    pub session_diffs: u64,
    /// Bytes of files; 0 for databases.
    pub bytes: u64,
}

impl SourceCount {
    /// Adds what another thread wrote into the same source.
    pub(super) fn add(&mut self, more: &Self) {
        self.projects += more.projects;
        self.sessions += more.sessions;
        self.messages += more.messages;
        self.parts += more.parts;
        self.todos += more.todos;
        self.session_diffs += more.session_diffs;
        self.bytes += more.bytes;
    }
}

/// Totals of cost, tokens, models and tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Sessions; forks are sessions.
    pub sessions: u64,
    /// Messages, those of people too.
    pub messages: u64,
    /// USD.
    pub total_cost: String,
    /// Tokens as they are stored.
    pub tokens: Tokens,
    /// By provider and model, in that order.
    pub models: Vec<ModelTotals>,
    /// By tool, in alphabetical order.
    pub tools: Vec<ToolTotals>,
}

/// Tokens by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Input.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// Reasoning.
    pub reasoning: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Written to the cache.
    pub cache_write: u64,
}

/// What one model was used for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelTotals {
    /// Provider.
    pub provider: String,
    /// Model.
    pub model: String,
    /// Assistant messages.
    pub messages: u64,
    /// USD.
    pub cost: String,
    /// Tokens as they are stored. `opencode stats` prints output and reasoning of a model as one number.
    pub tokens: Tokens,
}

/// How often one tool was called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolTotals {
    /// Tool.
    pub tool: String,
    /// Tool parts, whatever their state.
    pub calls: u64,
}

/// Copies in forks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkCopies {
    /// Sessions that are forks.
    pub sessions: u64,
    /// Messages in them that are copies.
    pub messages: u64,
    /// Parts in them that are copies.
    pub parts: u64,
}

/// Tool calls by what became of them and what they did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// By the status of their state: pending, running, completed, error; in the newest tables streaming
    /// instead of pending.
    pub status: BTreeMap<String, u64>,
    /// Shell commands that ended with another exit code than 0.
    pub nonzero_exits: u64,
    /// Stopped by a person.
    pub aborted: u64,
    /// Git commands by kind.
    pub git: BTreeMap<String, u64>,
    /// Risky commands by kind.
    pub risks: BTreeMap<String, u64>,
}

/// Failures by family.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Tool parts in state error.
    pub tools: BTreeMap<String, u64>,
    /// Completed shell commands with another exit code than 0.
    pub commands: BTreeMap<String, u64>,
    /// Assistant messages with an error.
    pub answers: BTreeMap<String, u64>,
}

/// A file planted to be unreadable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BadFile {
    /// Path relative to the store's folder.
    pub path: String,
    /// What is wrong with it.
    pub kind: BadKind,
}

/// What is wrong with a bad file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadKind {
    /// No bytes.
    Empty,
    /// JSON that ends in the middle.
    Truncated,
    /// Zero bytes only, as a power failure leaves them.
    NulFilled,
    /// Text that is no JSON.
    NotJson,
    /// A good part whose message does not exist.
    Orphan,
}
