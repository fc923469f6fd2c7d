//! Gates: may we go on, from evidence.
//!
//! Owns what a gate asks, how a reading of evidence is judged, the verdict on all criteria, the readiness score, and
//! how much sample a judgement needs. It reads nothing: readings come from the engine. The comparison with a bound is
//! [`crate::decision`]'s, whose criteria of a trial are one kind of evidence here.
//!
//! Reading order: [`declare`] (what a gate file says), [`reading`] (what evidence said), [`mod@judge`], [`score`],
//! [`sample`].
//!
//! Invariants:
//! - Fail-closed: GO is given only when every required piece of evidence was read, is fresh, is a number, rests on
//!   enough sample, and keeps its rule. A gate without required evidence is UNKNOWN.
//! - Judging is a pure function of the gate, the readings and the time, so a verdict can be replayed byte for byte.
//! - What is not known adds nothing to a score.

pub mod declare;
pub mod judge;
pub mod reading;
pub mod sample;
pub mod score;

pub use declare::{Asked, Bound, Category, Criterion, Duration, Gate, Source};
pub use judge::{Answer, Blocker, Judged, JudgedEvidence, Judgement, Standing, Verdict, judge};
pub use reading::{Outcome, Reading};
pub use score::{Color, Readiness, Scored, color};

#[cfg(test)]
mod tests;
