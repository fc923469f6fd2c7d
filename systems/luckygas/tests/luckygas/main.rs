//! The Lucky Gas system: the laws of its mapping, and its two schemas, capture and generated rows in real databases.
//!
//! One binary: `support` opens databases and makes rows, the others each test one part.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests say what they skip, and stop where they cannot go on"
)]

mod capture;
mod carry;
mod contract;
mod generated;
mod laws;
mod parity;
mod pilot;
mod refusals;
mod schema;
mod selection;
mod speed;
mod support;
