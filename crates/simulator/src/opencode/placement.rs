//! Where each session is kept.
//!
//! Owns the choice of sources for a session in every [`Generation`], and of the version that goes with it.
//! Sub-agents' sessions and forks are kept where their relatives are; that is `plan`'s.

use super::Generation;
use super::version::{ALL, IN_DATABASE, IN_JSON, Version};
use crate::random::Random;

/// The sources that hold a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Placement {
    /// Files under `storage`.
    pub(super) json: bool,
    /// `session`, `message` and `part` of `opencode.db`.
    pub(super) main: bool,
    /// The same tables of `opencode-beta.db`.
    pub(super) beta: bool,
    /// `session_v2` and `session_message` of `opencode.db`.
    pub(super) newest: bool,
}

const JSON: Placement = Placement { json: true, main: false, beta: false, newest: false };
const MAIN: Placement = Placement { json: false, main: true, beta: false, newest: false };
const BETA: Placement = Placement { json: false, main: false, beta: true, newest: false };
const NEWEST: Placement = Placement { json: false, main: false, beta: false, newest: true };
/// Files that were migrated, and left behind.
const MIGRATED: Placement = Placement { json: true, ..MAIN };
/// Rows that 2.x took over, and left behind.
const TAKEN_OVER: Placement = Placement { newest: true, ..MAIN };

impl Placement {
    /// The files are an older state than the rows.
    pub(super) fn has_stale_files(self) -> bool {
        self.json && (self.main || self.beta)
    }
}

/// Where the root session at `index` is kept and which version created it. The first eight show every
/// possibility that the generation has.
pub(super) fn draw(random: &mut Random, generation: Generation, index: usize) -> (Placement, Version) {
    let before_databases = |random: &mut Random| ALL[weighted(random, &IN_JSON).min(3)];
    let since_databases = |random: &mut Random| ALL[weighted(random, &IN_DATABASE).max(4)];
    match generation {
        Generation::Json => {
            (JSON, ALL.get(index).copied().unwrap_or_else(|| ALL[weighted(random, &IN_JSON)]))
        }
        Generation::Sqlite => {
            (MAIN, ALL.get(index).copied().unwrap_or_else(|| ALL[weighted(random, &IN_DATABASE)]))
        }
        Generation::SqliteV2 => match (index, random.below(100)) {
            (0..=4, _) => (MAIN, ALL[index]),
            (5 | 6, _) => (TAKEN_OVER, ALL[index]),
            (7, _) | (_, 0..=34) => (NEWEST, Version::V2_0_12),
            _ => {
                let version = ALL[weighted(random, &IN_DATABASE)];
                let taken_over = version >= Version::V1_14_34 && random.percent(75);
                (if taken_over { TAKEN_OVER } else { MAIN }, version)
            }
        },
        Generation::Mixed => match (index, random.below(100)) {
            (0 | 2, _) => (JSON, ALL[index]),
            (1 | 3, _) => (MIGRATED, ALL[index]),
            (4, _) => (MAIN, ALL[index]),
            (5, _) => (BETA, ALL[index]),
            (6, _) => (TAKEN_OVER, ALL[index]),
            (7, _) | (_, 95..) => (NEWEST, Version::V2_0_12),
            (_, 0..=44) => (JSON, before_databases(random)),
            (_, 45..=69) => (MIGRATED, before_databases(random)),
            (_, 70..=81) => (MAIN, since_databases(random)),
            (_, 82..=89) => (BETA, since_databases(random)),
            _ => (TAKEN_OVER, ALL[weighted(random, &IN_DATABASE).max(5)]),
        },
    }
}

/// Where a session that 1.1.65 must have written is kept.
pub(super) fn of_last_json_version(generation: Generation) -> Placement {
    match generation {
        Generation::Json => JSON,
        Generation::Sqlite | Generation::SqliteV2 => MAIN,
        Generation::Mixed => MIGRATED,
    }
}

/// A place drawn by shares, which are hundredths.
fn weighted(random: &mut Random, shares: &[usize; 8]) -> usize {
    let mut left = random.below(100);
    for (place, share) in shares.iter().enumerate() {
        if left < *share {
            return place;
        }
        left -= share;
    }
    shares.len() - 1
}
