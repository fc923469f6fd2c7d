//! Evidence from outside the control store.
//!
//! Owns the seam. Whoever answers says what it asked and what came back, and judges nothing.

use plimsoll_core::gate::{Reading, Source};

/// Answers what gates ask of systems, metrics and flags.
pub trait Evidence {
    /// Asks one piece of evidence. What goes wrong is part of the reading and never an error: a gate must be able to
    /// say so.
    fn read(&mut self, source: &Source) -> Reading;
}

/// Knows nothing: everything outside the control store is missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvidence;

impl Evidence for NoEvidence {
    fn read(&mut self, source: &Source) -> Reading {
        Reading::missing(source.query(), "there is no system to ask")
    }
}
