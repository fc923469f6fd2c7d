//! The engine of Plimsoll: plan, check, apply, verify, undo.
//!
//! Owns how a change request becomes a plan, how a plan is applied in journaled batches, and how it is
//! verified and taken back. Systems plug in through [`system`]: they declare data and pure functions and
//! never touch a connection. It deliberately knows no system by name, prints nothing, and is synchronous.
//!
//! Reading order: [`system`], [`alias`], [`session`], [`source`], [`change`], [`event`], [`error`].

pub mod alert;
pub mod alias;
pub mod analytic;
pub mod cache;
pub mod capture;
pub mod change;
pub mod check;
pub mod clock;
pub mod cloud;
pub mod control;
pub mod error;
pub mod event;
pub mod flag;
pub mod gate;
pub mod ingest;
#[cfg(feature = "meaning")]
pub mod meaning;
pub mod metric;
mod owner;
pub mod pilot;
pub mod playbook;
pub mod schedule;
pub mod session;
pub mod source;
pub mod sync;
pub mod system;
pub mod trial;
pub mod view;
pub mod zone;

pub use crate::error::{EngineError, ErrorKind};
pub use crate::session::Session;
