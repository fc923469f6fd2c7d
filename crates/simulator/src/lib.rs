//! Simulators of the remote systems that Plimsoll's sources and links talk to.
//!
//! Owns stand-ins that answer over real HTTP on loopback, with seeded data, seeded changes and seeded faults,
//! so that the demo, the tests and the crash drills need no network. It deliberately holds no client and no
//! mapping into tables: those live with the systems, and a simulator that shared their code could not catch
//! their mistakes.
//!
//! Invariants:
//! - Everything served is a function of (corpus, seed, options, the requests so far); nothing reads the time
//!   to decide what to answer.
//! - Invented data says so: every generated title and committee name carries the word `Demo`.
//!
//! Reading order: [`congress`], then inside it `model`, `render`, `snapshot`, `generate`, `mutate`, `server`;
//! [`pems`] for a remote system that is written to; [`opencode`] and [`luckygas`] write databases as other programs leave
//! them; [`cloud`] stands in for an object storage; [`gauges`] makes the rows and requests of a laboratory.

pub mod cloud;
pub mod congress;
mod connection;
mod error;
pub mod gauges;
pub mod luckygas;
pub mod opencode;
pub mod pems;
mod random;
mod service;

pub use error::SimulatorError;
