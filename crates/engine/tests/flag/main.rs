//! Flags against real stores: one test program, a module for each part.
//!
//! Owns what the engine promises about flags that are saved, loaded, evaluated, changed and explained. The pure parts have
//! their tests beside them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod audit;
mod cache;
mod evaluate;
mod flagd;
mod specification;
mod support;
