//! Checks on real databases: every kind with its fault planted, on SQLite, PostgreSQL and DuckDB.

mod contracts;
mod false_green;
mod history;
mod limits;
mod planted;
mod scoped;
mod shop;
