//! The phases of each kind of run over a wide table, and the points that tests may stop at.
//!
//! Owns their names and order. What a phase does is `drive`'s.

use serde::{Deserialize, Serialize};

/// What a plan makes of a wide table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The wide table into focused ones.
    Split,
    /// The wide table made again from the new tables, which then go.
    Rebuild,
    /// The kept wide table back as it was, whatever was edited since.
    GiveBack,
    /// What an unfinished split made goes; the wide table was not touched.
    Abandon,
    /// The kept wide table goes.
    Drop,
    /// The kept wide table made again from the new tables.
    RebuildLegacy,
}

/// A phase: its name, and the points before its work, before its commit, and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseOf {
    /// Its name.
    pub name: &'static str,
    /// It is noted as begun, and nothing is done.
    pub begun: &'static str,
    /// Its work is done and not committed.
    pub committing: &'static str,
    /// It is committed.
    pub done: &'static str,
}

macro_rules! phase {
    ($run:literal, $name:literal) => {
        PhaseOf {
            name: $name,
            begun: concat!($run, ".", $name, ".begun"),
            committing: concat!($run, ".", $name, ".committing"),
            done: concat!($run, ".", $name, ".done"),
        }
    };
}

/// The phases of a split.
pub const SPLIT_PHASES: [PhaseOf; 6] = [
    phase!("split", "create"),
    phase!("split", "copy"),
    phase!("split", "validate"),
    phase!("split", "switch"),
    phase!("split", "rename"),
    phase!("split", "monitor"),
];

/// The phases in which a wide table is made again.
pub const UNDO_PHASES: [PhaseOf; 4] =
    [phase!("undo", "create"), phase!("undo", "copy"), phase!("undo", "validate"), phase!("undo", "switch")];

/// The phases in which the kept wide table is dropped.
pub const DROP_PHASES: [PhaseOf; 2] = [phase!("drop", "validate"), phase!("drop", "drop")];

const GIVE_BACK_PHASES: [PhaseOf; 1] = [phase!("undo", "switch")];
const ABANDON_PHASES: [PhaseOf; 1] = [phase!("undo", "drop")];

/// The points within a batch, in all runs that copy.
pub(super) const BATCH_COMMITTING: &str = "batch.committing";
/// A batch is committed.
pub(super) const BATCH_DONE: &str = "batch.done";

/// Every point of a split and of its undo, for tests.
pub const ALL_POINTS: [&str; 32] = {
    let mut points = [BATCH_COMMITTING; 32];
    points[1] = BATCH_DONE;
    let mut at = 0;
    while at < 6 {
        points[2 + 3 * at] = SPLIT_PHASES[at].begun;
        points[3 + 3 * at] = SPLIT_PHASES[at].committing;
        points[4 + 3 * at] = SPLIT_PHASES[at].done;
        at += 1;
    }
    at = 0;
    while at < 4 {
        points[20 + 3 * at] = UNDO_PHASES[at].begun;
        points[21 + 3 * at] = UNDO_PHASES[at].committing;
        points[22 + 3 * at] = UNDO_PHASES[at].done;
        at += 1;
    }
    points
};

impl Way {
    /// The phases in order.
    pub fn phases(self) -> &'static [PhaseOf] {
        match self {
            Self::Split => &SPLIT_PHASES,
            Self::Rebuild | Self::RebuildLegacy => &UNDO_PHASES,
            Self::GiveBack => &GIVE_BACK_PHASES,
            Self::Abandon => &ABANDON_PHASES,
            Self::Drop => &DROP_PHASES,
        }
    }

    /// Whether a verified copy of the file is needed.
    pub fn needs_backup(self) -> bool {
        matches!(self, Self::Split | Self::Drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_listed_once() {
        let mut points = ALL_POINTS.to_vec();
        points.sort_unstable();
        points.dedup();
        assert_eq!(points.len(), 32);
    }
}
