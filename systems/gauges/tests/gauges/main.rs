//! The gauges system against real databases: one test program, a module for each part of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test says what it skips, and acts as many people at once"
)]

mod backfill;
mod checks;
mod defects;
mod drives;
mod flag;
mod generated;
mod history;
mod life;
mod registers;
mod rules;
mod schema;
mod sequences;
mod speed;
mod support;
mod views;
