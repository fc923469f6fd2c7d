//! What a simulator says about itself: what was planted, and which faults are planned.
//!
//! Owns the JSON that `plimsoll simulate congress` prints and `/_simulator/manifest` repeats. It says nothing
//! about what has been served so far; that is `/_simulator/stats`.

use serde::{Deserialize, Serialize};

use super::defects::BadReason;

/// Everything a script needs to know to check what a client made of the simulated API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The base address, for example `http://127.0.0.1:41234`; empty until it is served.
    pub address: String,
    /// The seed of everything.
    pub seed: u64,
    /// How many meetings the corpus had before anything was planted.
    pub hearings: usize,
    /// How many distinct meetings the list offers, planted ones included.
    pub listed: usize,
    /// How much was planted.
    pub planted: Planted,
    /// The good changes, in the order of their update dates.
    pub changes: Vec<PlantedChange>,
    /// The bad meetings, in the order of their update dates.
    pub bad: Vec<PlantedBad>,
    /// Meetings whose update date alone is newer. They are not changes.
    pub touched: Vec<String>,
    /// The oldest and newest update date of anything planted or touched; absent when there is none.
    pub updated: Option<Updated>,
    /// The faults of the transport.
    pub faults: PlannedFaults,
}

/// How much was planted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted {
    /// Good changes, each on a meeting of its own.
    pub changes: usize,
    /// Bad meetings, each another one.
    pub bad: usize,
}

/// One good change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantedChange {
    /// The meeting.
    pub event_id: String,
    /// What was done.
    pub kind: ChangeKind,
    /// What differs from the corpus, in the earlier schema's words; for a new meeting, what it states.
    pub fields: Vec<String>,
}

/// What a good change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The title is edited.
    Title,
    /// The status becomes `Postponed` or `Canceled`.
    Status,
    /// The meeting moves to another day or time.
    Date,
    /// The meeting moves to another place.
    Location,
    /// A witness is added, as the last one.
    WitnessAdded,
    /// A witness is taken off, with their documents.
    WitnessRemoved,
    /// A document of the meeting or of a witness is added.
    DocumentAdded,
    /// A committee joins or takes over.
    Committee,
    /// A meeting the corpus did not have.
    New,
}

/// One bad meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantedBad {
    /// The meeting, as the list names it.
    pub event_id: String,
    /// What is wrong with it.
    pub reason: BadReason,
    /// True when the corpus had the meeting, good.
    pub existing: bool,
}

/// A range of update dates, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updated {
    /// The oldest, `YYYY-MM-DDTHH:MM:SSZ`.
    pub from: String,
    /// The newest.
    pub to: String,
}

/// The faults a server plans; 0 and empty mean never.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFaults {
    /// Every so many requests one is answered 429.
    pub rate_limited_every: u32,
    /// Every so many requests one is answered 500 or 503.
    pub server_error_every: u32,
    /// Every so many requests one is answered late.
    pub slow_every: u32,
    /// How late, in milliseconds.
    pub slow_for_ms: u64,
    /// Every so many requests one ends with a closed connection and no answer.
    pub drop_every: u32,
    /// Every so many list pages one repeats the last entry of the page before it, the first time it is read.
    pub duplicates_across_pages: u32,
    /// Meetings left out of the first list page that should hold them.
    pub missing_once: Vec<String>,
    /// Fields of an item sent under another name.
    pub renamed_fields: Vec<(String, String)>,
}
