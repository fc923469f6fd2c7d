//! The handlers, one module for each resource.
//!
//! Owns nothing itself. A handler reads its request, calls one engine function through the gate, and shapes the
//! answer; it has no logic that the command lacks.

pub(crate) mod alias;
pub(crate) mod audit;
pub(crate) mod client;
pub(crate) mod document;
pub(crate) mod flag;
pub(crate) mod metric;
pub(crate) mod ofrep;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod pilot;
pub(crate) mod plan;
pub(crate) mod quarantine;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod sync;
pub(crate) mod system;
pub(crate) mod unleash;
