//! The test kit: what tests need from outside the product.
//!
//! Owns real servers for tests and the suites that hold every store to one contract. It is a dependency for
//! tests only and ships with nothing.

pub mod conformance;
pub mod fixture;
pub mod npm;
pub mod postgres_server;
pub mod probe;
pub mod redis_server;
