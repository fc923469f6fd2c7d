//! The hearings system against real databases and a simulated congress.gov.
//!
//! One binary: `support` opens databases and plans single records, the others each test one part.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests open files, say what they skip, and stop where they cannot go on"
)]

mod checks;
mod congress;
mod mapping;
mod parts;
mod postgres;
mod reading;
mod refusals;
mod schema;
mod support;
