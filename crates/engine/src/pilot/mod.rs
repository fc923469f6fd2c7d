//! Pilots: what the engine does while customers move from a legacy database to a new one.
//!
//! Owns dual write (changes carried both ways on [`crate::sync`], each side's own outbox being what is heard), fences,
//! members and how they are moved, rollback certificates, and parity between two live stores: each keeps the digests of its records beside them, up to date by change, and a
//! comparison reads as much as differs. What is decided is [`plimsoll_core::pilot`]'s; how records map is the system's.
//!
//! Reading order: [`declare`] (the seam), [`select`] (who goes first), [`remote`] (the legacy database as a link's remote),
//! `reconcile` and `rows` (one record), [`carry`] with [`due`] (rounds of both ways), [`fence`], [`member`], [`drive`] (who moves them) with
//! `orders`, [`customer`], [`reads`], `rehearse` and `certify`; [`enrol`], [`moves`] and [`standing`] (what a person asks of them); then [`record`] (records of one side in the common form), [`sums`] (how
//! sums are kept), [`follow`] (up to date by change, or anew), [`compare`], [`examine`] (as a person asks), [`repair`] (a
//! plan like any other).
//!
//! Invariants: sums and the place in the outbox up to which they are kept commit in one transaction; following twice
//! changes nothing, because a record's sum is computed from the record as it is and not from what happened to it.

pub mod carry;
mod certify;
pub mod compare;
pub mod customer;
pub mod declare;
pub mod drive;
pub mod due;
pub mod enrol;
pub mod examine;
pub mod fence;
pub mod follow;
pub mod member;
pub mod moves;
mod orders;
pub mod reads;
mod reconcile;
pub mod record;
mod rehearse;
pub mod remote;
pub mod repair;
mod rows;
pub mod schema;
pub mod select;
pub mod standing;
pub mod sums;
