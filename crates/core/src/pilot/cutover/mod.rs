//! Cut-over: how one customer, or a cohort, moves from the legacy system to the new one, and back.
//!
//! Owns the stages, who may write, the evidence that each stage asks, and [`step`], which turns a state and an event into
//! the next state and what is to be done. It deliberately copies, compares and stops nothing: the engine stores the state
//! and carries the orders out afterwards. Orders follow from the state alone ([`outstanding`]), so after a crash they are
//! found again; what simply holds as long as a stage lasts - whose answers are shown, which changes travel - is
//! [`standing`].
//!
//! ```text
//! waiting -> snapshot -> catch_up -> verify -> shadow_reads -> canary -> write_switch -> soak -> done
//!                 |          |          |           |           |  ^         |            |
//!                 |          |          |           |           |  +- going_back <-------+  (nobody may write in
//!                 +----------+----------+-----------+-----------+--------+--> rolled_back    write_switch and going_back)
//! ```
//!
//! **A handover** changes the writer. Both sides are closed under a new epoch, and only the positions that they report
//! once closed count; then everything up to these positions is carried over; then both are compared; then one is opened
//! under that epoch. A side takes a write only under the epoch under which it is open ([`fence`]), and compares it in the
//! write's own transaction.
//!
//! Invariants: at most one side is open; a stale writer, order or answer changes nothing; once a side is open it holds every
//! write that was ever accepted, except what a forced step named; until done the way back is open; a pause keeps the
//! stage and its evidence, and never leaves a customer without a writer.
//!
//! Reading order: [`fence`], [`state`], [`event`], [`plan`], [`cohort`]. The tests hold a model that walks through every
//! order of events within bounds.

pub mod cohort;
pub mod event;
pub mod fence;
mod handover;
pub mod plan;
pub mod simulate;
pub mod state;

#[cfg(test)]
mod tests;

pub use event::{CutoverError, Event, Order, Said, Step};
pub use fence::{Fence, FenceError, Side};
pub use plan::{missing, outstanding, standing, step};
pub use state::{Cutover, CutoverRules, Evidence, Forced, Handover, LossBound, Part, Reads, Stage, Standing};
