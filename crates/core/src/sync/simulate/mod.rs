//! Seeded simulation: one record, two sides, and a network that loses, doubles, delays and reorders.
//!
//! Owns [`simulate`] and the checks of the invariants that the pure core can decide. The same seed gives the same
//! history, on every machine. `remote` models the other side, `people` who edits and decides, `world` the network and the accounts that the
//! checks are made from.
//!
//! Checked: convergence once the faults stop (I1), no committed edit disappears (I2), at most one effect per operation
//! (I3), no silent overwrite of a value nobody here saw (I4), rest after the last event (I5), no revival of a deleted
//! row (I6), every operation ends or is visible (I8). Not decidable here: what needs a store, several workers or a
//! second remote (I9 to I12). `compare` plays histories to earlier algorithms as well, and counts.

pub mod compare;
mod people;
mod remote;
mod world;

pub use crate::seed::Violation;
use world::World;

/// What happened in a simulated history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Edits committed.
    pub commits: u64,
    /// Requests that reached the remote.
    pub requests: u64,
    /// Requests that it applied.
    pub effects: u64,
    /// Other users' changes.
    pub foreign: u64,
    /// Conflicts raised or changed.
    pub conflicts: u64,
    /// Of them, increments that the remote could not tell of, so that only a person can decide.
    pub undecidable: u64,
    /// Operations whose outcome was unknown.
    pub limbo: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Values that gave way.
    pub lost: u64,
    /// Histories whose counter could be compared with the sum of all increments.
    pub counted: u64,
    /// What was done to the network and the program.
    pub faults: Faults,
}

/// Faults that were injected, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Requests applied, or judged, whose answer was lost.
    pub lost_answers: u64,
    /// Answers that came only after the sender had given them up.
    pub late_answers: u64,
    /// Requests that the network delivered twice.
    pub doubled_requests: u64,
    /// Answers that it delivered twice.
    pub doubled_answers: u64,
    /// Requests, or one copy of them, that were turned away, with 429 or for good.
    pub turned_away: u64,
    /// Requests that never left, for want of a connection.
    pub not_sent: u64,
    /// Readings that failed.
    pub lost_reads: u64,
    /// Crashes with a restart from the stored record.
    pub restarts: u64,
}

impl Faults {
    /// Each kind with its count.
    pub fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("answers lost", self.lost_answers),
            ("answers too late", self.late_answers),
            ("requests doubled", self.doubled_requests),
            ("answers doubled", self.doubled_answers),
            ("requests turned away", self.turned_away),
            ("requests never sent", self.not_sent),
            ("readings lost", self.lost_reads),
            ("restarts", self.restarts),
        ]
    }
}

impl Counts {
    /// Adds another history's counts.
    pub fn add(&mut self, other: &Self) {
        self.commits += other.commits;
        self.requests += other.requests;
        self.effects += other.effects;
        self.foreign += other.foreign;
        self.conflicts += other.conflicts;
        self.undecidable += other.undecidable;
        self.limbo += other.limbo;
        self.dead_letters += other.dead_letters;
        self.lost += other.lost;
        self.counted += other.counted;
        self.faults.lost_answers += other.faults.lost_answers;
        self.faults.late_answers += other.faults.late_answers;
        self.faults.doubled_requests += other.faults.doubled_requests;
        self.faults.doubled_answers += other.faults.doubled_answers;
        self.faults.turned_away += other.faults.turned_away;
        self.faults.not_sent += other.faults.not_sent;
        self.faults.lost_reads += other.faults.lost_reads;
        self.faults.restarts += other.faults.restarts;
    }
}

/// How many steps with faults a history has.
const STEPS: u64 = 60;

/// Runs the history of a seed.
///
/// # Errors
/// The first invariant that it breaks.
pub fn simulate(seed: u64) -> Result<Counts, Violation> {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.chance()?;
    }
    world.calm()?;
    world.judge()?;
    Ok(world.counts)
}
