//! Views and checks of the OpenCode system, on a store in memory.
//!
//! `world` makes a small history by hand and keeps it as plain structures. Views are compared with what loops over
//! these structures say (`totals`, `named`), run with every parameter (`parameters`), and run on empty tables
//! (`every`). Each check is green on the world and red after its fault was planted (`checks`).

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on stops, and the folder of files is held against the list"
)]

mod anomalies;
mod checks;
mod every;
mod metrics;
mod named;
mod parameters;
mod report;
mod rest;
mod rows;
mod totals;
mod world;
