//! Checks on real databases: every kind with its fault planted, on SQLite, PostgreSQL and DuckDB.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and one that is skipped says so"
)]

mod contracts;
mod false_green;
mod history;
mod limits;
mod planted;
mod scoped;
mod shop;
