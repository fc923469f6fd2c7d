//! What simulated histories share: numbers from a seed, and a promise that was broken.
//!
//! Owns both for [`crate::sync::simulate`] and [`crate::pilot::cutover::simulate`]. What is played is theirs.
//!
//! Invariant: the same seed gives the same numbers, on every machine and in every version.

/// Numbers from a seed: SplitMix64 (Steele, Lea, Flood 2014), small, and the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// The next one, below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "seed {seed}, step {step}: {invariant} is broken: {what}\n\
     hint: the same seed repeats the history exactly"
)]
pub struct Violation {
    /// The seed.
    pub seed: u64,
    /// The step, counted from the beginning.
    pub step: u64,
    /// Which invariant.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}
