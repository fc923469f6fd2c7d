//! Pilots: what the engine does while customers move from a legacy database to a new one.
//!
//! Owns parity between two live stores: each keeps the digests of its records beside them, up to date by change, and a
//! comparison reads as much as differs. What is decided is [`plimsoll_core::pilot`]'s; how records map is the system's.
//!
//! Reading order: [`declare`] (the seam), [`record`] (records of one side in the common form), [`sums`] (how sums are
//! kept), [`follow`] (up to date by change, or anew), [`compare`], [`repair`] (a plan like any other).
//!
//! Invariants: sums and the place in the outbox up to which they are kept commit in one transaction; following twice
//! changes nothing, because a record's sum is computed from the record as it is and not from what happened to it.

pub mod compare;
pub mod declare;
pub mod follow;
pub mod record;
pub mod repair;
pub mod schema;
pub mod sums;
