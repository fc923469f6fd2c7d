//! Pilots: moving customers from a legacy system to a new one, one by one, and back if need be, as pure decisions.
//!
//! Owns who is chosen ([`selection`]), how a customer changes sides ([`cutover`]), whether both sides are equal
//! ([`parity`], over what [`mapping`] makes comparable), and what a rollback certificate says ([`certificate`]). It deliberately copies nothing, compares no
//! database, waits for nothing and asks no time: the engine does what is ordered and reports back. Who is in a pilot once it is chosen is a flag's frozen list
//! ([`crate::flag::cohort`]); what both sides make of a record is [`crate::sync`]'s.

pub mod certificate;
pub mod cutover;
pub mod mapping;
pub mod parity;
pub mod selection;
