//! The state of one customer's cut-over.
//!
//! Owns the stages, the handover, the evidence, the rules of a pilot, and what a forced step has to name. It moves
//! nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::Said;
use super::fence::Side;

/// Where a customer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Chosen, not begun.
    Waiting,
    /// The customer's rows are copied.
    Snapshot,
    /// The changes made meanwhile are carried over.
    CatchUp,
    /// Both sides are compared.
    Verify,
    /// The new side is asked too; its answers are compared with the legacy ones and never shown.
    ShadowReads,
    /// The new side's answers are shown; writes still go to the legacy side.
    Canary,
    /// A handover to the new side is under way.
    WriteSwitch,
    /// The new side writes, and its changes are carried back.
    Soak,
    /// A handover to the legacy side is under way.
    GoingBack,
    /// The new side writes for good.
    Done,
    /// The legacy side writes, and holds everything.
    RolledBack,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 11] = [
        Self::Waiting,
        Self::Snapshot,
        Self::CatchUp,
        Self::Verify,
        Self::ShadowReads,
        Self::Canary,
        Self::WriteSwitch,
        Self::Soak,
        Self::GoingBack,
        Self::Done,
        Self::RolledBack,
    ];

    /// The word used in SQL, reports and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Snapshot => "snapshot",
            Self::CatchUp => "catch_up",
            Self::Verify => "verify",
            Self::ShadowReads => "shadow_reads",
            Self::Canary => "canary",
            Self::WriteSwitch => "write_switch",
            Self::Soak => "soak",
            Self::GoingBack => "going_back",
            Self::Done => "done",
            Self::RolledBack => "rolled_back",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A change of the writer that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Handover {
    /// Who is to write.
    pub to: Side,
    /// Whose rows are right where both differ: the side that could write last.
    pub truth: Side,
    /// The stage afterwards.
    pub then: Stage,
    /// How far it is.
    pub part: Part,
    /// The positions of legacy and new, read after they were closed.
    pub stopped: [Option<u64>; 2],
    /// Differing rows, when the comparison found any and they are being repaired.
    pub differing: u64,
}

/// How far a handover is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Both sides are being closed.
    Closing,
    /// What was written until then is being carried over.
    Carrying,
    /// Both sides are being compared.
    Comparing,
    /// The side `to` is being opened, and may be open already.
    Opening,
}

/// What is known about reads that were asked of both sides, in the present stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Reads {
    /// How many.
    pub compared: u64,
    /// How many answers differed.
    pub differing: u64,
}

/// A comparison of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Parity {
    /// Rows that differ.
    pub differing: u64,
    /// Rows with changes on their way.
    pub pending: u64,
    /// When, in milliseconds.
    pub at_ms: u64,
}

/// A proof that what is written on the new side comes back to the legacy side whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReverseProof {
    /// What the proof is recorded under, such as a run's id.
    pub proof: String,
    /// When, in milliseconds.
    pub at_ms: u64,
}

/// What is known in favor of going on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// Since when the stage lasts, in milliseconds.
    pub since_ms: u64,
    /// The legacy position of the copy.
    pub snapshot: Option<u64>,
    /// Changes not carried over, at the last report.
    pub lag: Option<u64>,
    /// The last comparison.
    pub parity: Option<Parity>,
    /// The reads of this stage.
    pub reads: Reads,
    /// The proof of the way back.
    pub reverse: Option<ReverseProof>,
}

/// What may be lost by a forced step, as the one who forces it states it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossBound {
    /// At most so many writes.
    pub writes: u64,
    /// Which, in words.
    pub what: String,
}

/// A forced step, for ever part of the customer's record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Forced {
    /// The stage in which it was forced.
    pub stage: Stage,
    /// What was missing.
    pub missing: Vec<String>,
    /// How many writes were known to be at risk then.
    pub known: u64,
    /// What was named.
    pub loss: LossBound,
    /// By whom, and why.
    pub by: Said,
    /// When, in milliseconds.
    pub at_ms: u64,
}

/// What each stage asks before the next.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutoverRules {
    /// Catching up ends with at most so many changes on their way.
    pub catch_up_lag: u64,
    /// A comparison is fresh for so long, in milliseconds.
    pub parity_fresh_ms: u64,
    /// So many shadow reads, all equal.
    pub shadow_reads: u64,
    /// So many reads in the canary stage, all equal.
    pub canary_reads: u64,
    /// The proof of the way back is fresh for so long, in milliseconds.
    pub reverse_fresh_ms: u64,
    /// The soak lasts at least so long, in milliseconds.
    pub soak_ms: u64,
}

impl Default for CutoverRules {
    /// One day of soak, a thousand reads each, comparisons of the last ten minutes, a proof of the last day.
    fn default() -> Self {
        const MINUTE_MS: u64 = 60_000;
        Self {
            catch_up_lag: 10,
            parity_fresh_ms: 10 * MINUTE_MS,
            shadow_reads: 1_000,
            canary_reads: 1_000,
            reverse_fresh_ms: 24 * 60 * MINUTE_MS,
            soak_ms: 24 * 60 * MINUTE_MS,
        }
    }
}

/// The state of one customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cutover {
    /// The stage.
    pub stage: Stage,
    /// How often it was begun.
    pub round: u32,
    /// The fencing epoch: rises with every handover.
    pub epoch: u64,
    /// Who writes under the epoch; nobody while a handover is under way.
    pub writer: Option<Side>,
    /// Whose answers are shown.
    pub reads: Side,
    /// Answers to orders of another turn are late and are dropped.
    pub turn: u64,
    /// Whether it stands still until it is resumed; a handover comes to its end first.
    pub paused: bool,
    /// The handover under way.
    pub handover: Option<Handover>,
    /// What is known.
    pub evidence: Evidence,
    /// Up to which position the changes of legacy and of new are on the other side.
    pub carried: [u64; 2],
    /// The forced steps of this round.
    pub forced: Vec<Forced>,
    /// Who asked to go back, and why.
    pub back: Option<Said>,
    /// Whether the rollback certificate of this round is issued.
    pub certified: bool,
}

impl Default for Cutover {
    fn default() -> Self {
        Self::new()
    }
}

impl Cutover {
    /// A customer who was chosen and not moved yet.
    pub fn new() -> Self {
        Self {
            stage: Stage::Waiting,
            round: 0,
            epoch: 1,
            writer: Some(Side::Legacy),
            reads: Side::Legacy,
            turn: 0,
            paused: false,
            handover: None,
            evidence: Evidence::default(),
            carried: [0, 0],
            forced: Vec::new(),
            back: None,
            certified: false,
        }
    }

    /// How many writes are known to be at risk if the next step is forced: rows that differ, and changes that are not
    /// carried over. Positions may count other customers' changes too, so this is an upper bound of what is known.
    pub fn known_loss(&self) -> u64 {
        match &self.handover {
            Some(handover) => {
                let behind = handover.stopped.iter().zip(self.carried);
                let behind: u64 = behind.map(|(at, carried)| at.unwrap_or(0).saturating_sub(carried)).sum();
                behind + handover.differing
            }
            None => self.evidence.parity.map_or(0, |parity| parity.differing),
        }
    }
}

/// What holds as long as the state is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whose answers are shown.
    pub reads: Side,
    /// Whether the other side is asked too and compared.
    pub compare_reads: bool,
    /// Whether legacy changes are carried to the new side.
    pub forward: bool,
    /// Whether new changes are carried to the legacy side.
    pub reverse: bool,
}
