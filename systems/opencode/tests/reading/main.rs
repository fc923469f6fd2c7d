//! Reading what OpenCode wrote, through the store it is read for.
//!
//! One binary: `support` reads documents and fetches their rows from DuckDB, the others each test one part. The real
//! corpora lie beside the project; tests that need one say so and pass where it is absent.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests open files, say what they skip, and stop where they cannot go on"
)]

mod arbitrary;
mod corpora;
mod coverage;
mod fuzz;
mod messages;
mod parts;
mod refusals;
mod speed;
mod support;
mod version2;
