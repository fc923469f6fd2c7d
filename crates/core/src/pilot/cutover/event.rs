//! Events, orders and refusals of a cut-over.
//!
//! Owns the words between the planner and the engine. An answer names the turn of its order; the planner drops the answers
//! of another turn.

use serde::{Deserialize, Serialize};

use super::fence::Side;
use super::state::{Cutover, LossBound, Stage};
use crate::gate::Verdict;

/// Who asked for something, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What happened. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A person begins, or begins anew after a rollback.
    Start {
        /// When.
        at_ms: u64,
    },
    /// Answer to [`Order::Copy`].
    Copied {
        /// The order's turn.
        turn: u64,
        /// The legacy position before the copy.
        position: u64,
        /// When.
        at_ms: u64,
    },
    /// Answer to [`Order::MeasureLag`].
    Lag {
        /// The order's turn.
        turn: u64,
        /// Changes not carried over.
        changes: u64,
        /// When.
        at_ms: u64,
    },
    /// Answer to [`Order::Compare`]; the engine may also compare unasked under the present turn.
    Compared {
        /// The order's turn.
        turn: u64,
        /// Rows that differ and have no change on its way.
        differing: u64,
        /// Rows with a change on its way.
        pending: u64,
        /// When.
        at_ms: u64,
    },
    /// Answer to [`Order::Repair`].
    Repaired {
        /// The order's turn.
        turn: u64,
    },
    /// Answer to [`Order::CompareReads`], as often as there is something new.
    ReadsCompared {
        /// The order's turn.
        turn: u64,
        /// All reads compared since the stage began.
        compared: u64,
        /// Those of them that differed.
        differing: u64,
    },
    /// Answer to [`Order::ProveReverse`], when the way back works.
    ReverseProved {
        /// The order's turn.
        turn: u64,
        /// What the proof is recorded under.
        proof: String,
        /// When.
        at_ms: u64,
    },
    /// Answer to [`Order::Close`].
    Closed {
        /// The order's turn.
        turn: u64,
        /// The side that is closed.
        side: Side,
        /// The position of its last write, read after no transaction was open that could still write.
        position: u64,
    },
    /// Answer to [`Order::Carry`]; also on the way there.
    Carried {
        /// The order's turn.
        turn: u64,
        /// Whose changes.
        from: Side,
        /// The position up to which they are on the other side.
        through: u64,
    },
    /// Answer to [`Order::Open`].
    Opened {
        /// The order's turn.
        turn: u64,
        /// When.
        at_ms: u64,
    },
    /// Answer to [`Order::Certify`].
    Certified {
        /// The order's turn.
        turn: u64,
    },
    /// The gate of the next stage was judged.
    Advance {
        /// Its verdict.
        verdict: Verdict,
        /// When.
        at_ms: u64,
    },
    /// A person goes on without the evidence, and says what may be lost.
    Force {
        /// What may be lost.
        loss: LossBound,
        /// By whom, and why.
        by: Said,
        /// When.
        at_ms: u64,
    },
    /// A person takes the customer back.
    Back {
        /// By whom, and why.
        by: Said,
        /// When.
        at_ms: u64,
    },
    /// A person stops it where it is.
    Pause,
    /// A person lets it go on.
    Resume,
    /// The program started again and finds the state as it was stored.
    Recover,
}

/// What is to be done, and answered under its turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Note the legacy position, then copy the customer's rows to the new side.
    Copy {
        /// The turn.
        turn: u64,
    },
    /// Count the changes not carried over.
    MeasureLag {
        /// The turn.
        turn: u64,
    },
    /// Compare the customer's rows.
    Compare {
        /// The turn.
        turn: u64,
    },
    /// Make the differing rows of the other side what they are on the side that is right, as a run.
    Repair {
        /// The turn.
        turn: u64,
        /// The side that is right.
        truth: Side,
    },
    /// Ask both sides on every read, and report the differences.
    CompareReads {
        /// The turn.
        turn: u64,
    },
    /// Rehearse the way back: changes made on the new side arrive at the legacy side and equal an oracle's.
    ProveReverse {
        /// The turn.
        turn: u64,
    },
    /// Close the side's fence under the epoch, wait for transactions that began before, then read the position.
    Close {
        /// The turn.
        turn: u64,
        /// The side.
        side: Side,
        /// The epoch.
        epoch: u64,
    },
    /// Carry the side's changes to the other side, up to and including a position.
    Carry {
        /// The turn.
        turn: u64,
        /// Whose changes.
        from: Side,
        /// The position.
        through: u64,
    },
    /// Open the side's fence under the epoch.
    Open {
        /// The turn.
        turn: u64,
        /// The side.
        side: Side,
        /// The epoch.
        epoch: u64,
    },
    /// Issue the rollback certificate.
    Certify {
        /// The turn.
        turn: u64,
    },
}

/// The result of [`super::step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The state afterwards.
    pub state: Cutover,
    /// What is to be done, in any order.
    pub orders: Vec<Order>,
}

/// Why an event is refused. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutoverError {
    /// The stage does not allow it.
    #[error("a customer that is {stage} cannot {what}\nhint: {hint}")]
    NotNow {
        /// The stage.
        stage: Stage,
        /// What was asked.
        what: &'static str,
        /// What next.
        hint: &'static str,
    },
    /// The gate is not open.
    #[error(
        "the gate after {stage} says {verdict}\nhint: `gate show` names the blockers; or force the step and name what may be lost"
    )]
    Gate {
        /// The stage.
        stage: Stage,
        /// The verdict.
        verdict: Verdict,
    },
    /// Evidence is missing.
    #[error("not ready to leave {stage}: {}\nhint: wait for it, repair, go back, or force the step and name what may be lost", .missing.join("; "))]
    NotReady {
        /// The stage.
        stage: Stage,
        /// What is missing.
        missing: Vec<String>,
    },
    /// It is paused.
    #[error("the customer's cut-over is paused in {0}\nhint: resume it first")]
    Paused(Stage),
    /// The loss bound is empty or too small.
    #[error(
        "the step was to be forced with a loss of at most {named} writes, and {known} are known to be at risk\nhint: name at least {known}, and what they are"
    )]
    LossBound {
        /// What was named.
        named: u64,
        /// What is known.
        known: u64,
    },
    /// A forced step or a rollback without its author.
    #[error("who does this, and why?\nhint: name an actor and a reason; both stand in the certificate")]
    Nameless,
}
