//! The derived tables against a computation of their own.
//!
//! `story` makes rows of documents by hand, `model` computes from them in plain loops what every derived table must
//! hold, `run` lets the engine compute it. They must be equal: for random rows (`random`), for stories in which something
//! is odd (`stories`), and after changes of some sessions only (`changes`).

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests open files, say what they skip, and stop where they cannot go on"
)]

mod changes;
mod corpora;
mod faults;
mod model;
mod random;
mod run;
mod stories;
mod story;
