//! Stores of the OpenCode coding agent, generated from a seed.
//!
//! Owns the writing of whole stores in every generation that OpenCode left on disks, of any size, and of
//! single changes to them for tests of live reading. Nothing here reads a store the way the product does:
//! what is true of a store is counted while it is written ([`Manifest`]).
//!
//! Invariants: the same settings give the same bytes, whatever the number of threads; every title says
//! `Demo`; no more than a few sessions are in memory at a time.
//!
//! Reading order: `plan` (how many, when, related how), `script` (what follows what), `session`, `message`,
//! `parts`, `calls`, `tools` (the records), then `tree` (the files), `database` and `newest` (the rows), `tally` (the
//! counting).

mod calls;
mod damage;
mod database;
mod earlier;
mod error;
mod failure;
mod fork;
mod id;
mod json;
mod live;
mod manifest;
mod message;
mod money;
mod newest;
mod parts;
mod placement;
mod plan;
mod private;
mod prompt;
mod prose;
mod script;
mod session;
mod shell;
mod stale;
mod tally;
mod tools;
mod tree;
mod version;
mod vocabulary;
mod writer;

use std::fs;
use std::path::Path;

pub use earlier::{Earlier, generate_earlier};
pub use error::Error;
pub use live::{
    Exchange, append_exchange, append_session, delete_message, delete_session, exchange, new_session,
    rewrite_part, session_ids,
};
pub use manifest::{
    BadFile, BadKind, Calls, Failures, ForkCopies, Manifest, ModelTotals, SourceCount, Tokens, ToolTotals,
    Totals,
};

use prose::Prose;
use session::Maker;

/// Which generations a store consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Generation {
    /// JSON files only.
    #[default]
    Json,
    /// One database with sessions, messages and parts.
    Sqlite,
    /// One database with the newest tables too.
    SqliteV2,
    /// All of them together, with sessions that several sources hold.
    Mixed,
}

impl Generation {
    /// As the command line and the manifest name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Sqlite => "sqlite",
            Self::SqliteV2 => "sqlite-v2",
            Self::Mixed => "mixed",
        }
    }
}

/// What to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Sessions, forks and sub-agents' sessions included.
    pub sessions: usize,
    /// Messages of all sessions together.
    pub messages: usize,
    /// Parts of all messages together.
    pub parts: usize,
    /// The mean length of a part's file, in bytes; met within a few percent in a large store.
    pub mean_part_bytes: usize,
    /// The seed of everything that is chosen.
    pub seed: u64,
    /// Which generations to write.
    pub generation: Generation,
    /// How many bad files to plant, beside all others.
    pub bad: usize,
    /// Without the two sessions that are out of the ordinary: one of more than 2^31 tokens, and one that goes on over
    /// the moment at which identifiers wrap.
    pub ordinary: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self::of(20, 1)
    }
}

impl Settings {
    /// The usual proportions of messages and parts for so many sessions.
    pub fn of(sessions: usize, seed: u64) -> Self {
        let messages = (sessions * 43_060 / 877).max(sessions * 3);
        Self {
            sessions,
            messages,
            parts: Self::usual_parts(messages, sessions),
            mean_part_bytes: 5_000,
            seed,
            generation: Generation::Json,
            bad: 0,
            ordinary: false,
        }
    }

    /// The usual number of parts for so many messages.
    pub fn usual_parts(messages: usize, sessions: usize) -> usize {
        // Small stores get a little more, so that the roundings below never leave too few.
        messages * 187_331 / 43_060 + sessions
    }

    /// Thousandths of the usual lengths of texts that give the mean asked for.
    fn scale(&self) -> usize {
        // Measured at scales 0 and 1000: what a part has beside its texts, and what texts add.
        const BARE: usize = 700;
        const FULL: usize = 3_137;
        (self.mean_part_bytes.saturating_sub(BARE)) * 1_000 / FULL
    }
}

/// Writes a store into `folder/opencode` and returns what it holds.
///
/// # Errors
/// [`Error`] when the settings contradict each other, `folder/opencode` exists, or a file cannot be written.
pub fn generate(settings: &Settings, folder: &Path) -> Result<Manifest, Error> {
    let root = folder.join("opencode");
    if root.exists() {
        return Err(Error::Exists { path: root });
    }
    if settings.bad > 0 && matches!(settings.generation, Generation::Sqlite | Generation::SqliteV2) {
        return Err(Error::NoFiles);
    }
    let plan = plan::make(settings)?;
    let prose = Prose::new(settings.seed);
    fs::create_dir_all(&root).map_err(|source| Error::writing(&root, source))?;
    let maker = Maker { settings, plan: &plan, prose: &prose, scale: settings.scale() };
    let canary = format!("plimsoll-canary-{}-never-read-this", settings.seed);
    let (tally, sources) = writer::write(&maker, &root, &canary)?;
    let mut manifest = tally.manifest();
    manifest.seed = settings.seed;
    settings.generation.name().clone_into(&mut manifest.generation);
    manifest.canary = (settings.generation != Generation::Json).then_some(canary);
    manifest.sources = sources;
    if settings.bad > 0 {
        manifest.bad = damage::plant(&root, &plan, settings.seed, settings.bad)?;
    }
    Ok(manifest)
}

#[cfg(test)]
mod recount;
#[cfg(test)]
mod tests;
