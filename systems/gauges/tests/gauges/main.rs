//! The gauges system against real databases: one test program, a module for each part of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

mod life;
mod schema;
mod support;
