//! Splitting a wide table of an analytical store into focused ones: a run, as any other.
//!
//! Owns the plan, the phases, verification and undo of such a run, and the column helper ([`additive`]). Rows are moved
//! by statements over ranges of keys instead of one by one, and the journal lies in the same DuckDB file
//! ([decision 7](../../../../../docs/decisions/0007-splitting-a-wide-table.md)). It does not touch any other table, and
//! never opens another file than the store and its copy.
//!
//! ```text
//! create -> copy (batches) -> validate -> switch -> rename -> monitor (a week) -> drop: a run of its own
//!      \_________\______________\___________\_________\_________\___ undo: new tables -> the wide table
//! ```
//!
//! Invariants:
//! - A phase commits with its line in the journal, a batch with its receipt; what a dead process left is gone.
//! - The wide table is not changed before it is renamed, and renamed only after every row was compared.
//! - No phase begins without a verified copy of the file.

pub mod additive;
pub mod backup;
mod declare;
mod drive;
pub mod journal;
mod legacy;
mod phases;
pub mod plan;
mod statements;
mod undo;
mod validate;
mod verify;

use std::sync::Arc;

use plimsoll_core::clock::Clock;
use plimsoll_store::duckdb::Analytics;

pub use declare::{Addition, Focused, FocusedColumn, Split, WideColumn, same, wider};
pub use drive::{BATCH_ROWS, Start, drive, report, start};
pub use legacy::plan_drop;
pub use phases::{ALL_POINTS, DROP_PHASES, PhaseOf, SPLIT_PHASES, UNDO_PHASES, Way};
pub use plan::{Canary, SplitPlan, assess, plan_split};
pub use undo::{UndoPreview, plan_undo};
pub use validate::{Checked, Validated};
pub use verify::verify;

use crate::clock::MachineClock;
use crate::session::{NoProbe, Probe, ProgressSink};

/// One open store, one actor, one clock: what every function here works with.
pub struct Place {
    /// The store.
    pub store: Analytics,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who acts, as recorded in events.
    pub actor: String,
    /// Where progress goes; its `phase` is the run's phase.
    pub progress: ProgressSink,
    /// The test probe.
    pub probe: Arc<dyn Probe>,
}

impl Place {
    /// A place on the machine's clock, without progress.
    pub fn new(store: Analytics, actor: impl Into<String>) -> Self {
        Self {
            store,
            clock: Arc::new(MachineClock::new()),
            actor: actor.into(),
            progress: Arc::new(|_| {}),
            probe: Arc::new(NoProbe),
        }
    }
}
