//! The pure core of Plimsoll: the words of the engine as types, and every decision that needs no I/O.
//!
//! Owns values, tables, changes, plans' encoding, digests, the isolation of bad rows, the run state
//! machine, undo decisions, ids and the clock seam. It deliberately does not open files, databases or
//! sockets, start threads, or read the time: callers pass those in.
//!
//! Reading order: [`value`], [`table`], [`change`], [`digest`], [`isolate`], [`run`], [`undo`],
//! [`decision`], [`gate`], [`sync`], [`pilot`].

pub mod change;
pub mod clock;
pub mod decision;
pub mod digest;
pub mod flag;
pub mod gate;
pub mod id;
pub mod isolate;
pub mod item;
pub mod pilot;
pub mod playbook;
pub mod progress;
pub mod run;
pub mod seed;
pub mod sync;
pub mod table;
pub mod undo;
pub mod value;
