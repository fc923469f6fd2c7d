//! The handlers, one module for each resource.
//!
//! Owns nothing itself. A handler reads its request, calls one engine function through the gate, and shapes the
//! answer; it has no logic that the command lacks.

pub(crate) mod alert;
pub(crate) mod alias;
pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod control;
pub(crate) mod document;
pub(crate) mod flag;
pub(crate) mod gate;
pub(crate) mod metric;
pub(crate) mod ofrep;
pub(crate) mod overview;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod pilot;
pub(crate) mod plan;
pub(crate) mod planning;
pub(crate) mod playbook;
pub(crate) mod progress;
pub(crate) mod quarantine;
pub(crate) mod repair;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod sync;
pub(crate) mod system;
pub(crate) mod trial;
pub(crate) mod unleash;
pub(crate) mod view;
