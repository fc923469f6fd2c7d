//! The split of an earlier monitor's wide `parts` table: as a run that is planned, applied, killed, verified, undone.
//!
//! Owns the proofs that no cell is lost or changed on the way there and back, that every fault planted is caught, and
//! that the kept table goes neither early nor with a red check.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![expect(clippy::disallowed_methods, reason = "tests write and damage files, as a user's disk would")]

mod crashes;
mod faults;
mod legacy;
mod queries;
mod support;
mod there_and_back;
