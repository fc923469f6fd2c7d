//! PFA against a simulated PEMS over real HTTP, on SQLite and on a real PostgreSQL.
//!
//! Owns what the link promises: nothing lost, nothing sent twice, no conflict missed and none invented.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![expect(clippy::print_stdout, reason = "measurements print their figures")]
#![expect(clippy::disallowed_methods, reason = "two workers are two threads")]

mod cache;
mod conflicts;
mod contract;
mod figures;
mod follow;
mod history;
mod migrate;
mod pull;
mod send;
mod speed;
mod storm;
mod support;
