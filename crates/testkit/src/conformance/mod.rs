//! The suites that hold every store, and every link, to one contract.
//!
//! Owns what `plimsoll_store::Store` promises, as checks that run alike on every database; what a link promises is in
//! [`link`]. What a database
//! does beyond the contract is tested beside it. Tests of the store call [`run`]; a system's tests call
//! [`schema::is_sound`] on its own schema.
//!
//! A check that does not hold panics with what it saw: this is a suite of tests in a library's clothes.

#![expect(clippy::unwrap_used, reason = "a check that does not hold panics, as a test does")]

mod fixture;
pub mod link;
mod reads;
pub mod schema;
mod transactions;
mod values;
mod violations;
mod writers;
mod writes;

pub use values::sample_digests;

use plimsoll_store::Store;

/// Opens a connection to a new, empty database each time it is called.
pub type Open<'a> = dyn FnMut() -> Box<dyn Store> + 'a;

/// Runs every check. `open` gives a connection to a new, empty database each time.
///
/// # Panics
/// When the store breaks its contract.
pub fn run(open: &mut Open<'_>) {
    transactions::run(open);
    writes::run(open);
    values::run(open);
    violations::run(open);
    reads::run(open);
    writers::run(open);
    schema::run(open);
}
