//! Gates: may we go on, from evidence that this program has seen.
//!
//! Owns gate files and where they come from, asking the evidence, evidence on record (sign-offs, drills, reports,
//! trials, facts), verdicts with everything they rest on, their replay, and baselines of the score. How evidence is
//! judged is [`plimsoll_core::gate`]'s. It opens no system's store: [`live::Stores`] does, which the caller gives.
//!
//! Reading order: `file`, `evidence`, `live`, `record`, `report`, `expression`, `verdict`, `text`.
//!
//! Invariants: evidence on record is only ever added, and one that was changed after it was written is an error and
//! not evidence; a verdict is stored with its gate and all its readings, so it can be judged again; a rehearsal on
//! figures that somebody made up is never stored.

mod evidence;
mod expression;
mod file;
mod gather;
pub mod live;
mod record;
mod report;
mod schema;
mod text;
mod verdict;

pub use evidence::{Evidence, NoEvidence};
pub use file::{Catalog, SHIPPED, Sample, parse};
pub use record::{Kind, Record, find as find_record, latest, list, names, record};
pub use report::{TestReport, read_tests};
pub use schema::SCHEMA;
pub use text::{to_markdown, to_text};
pub use verdict::{
    Baseline, Stored, baselines, evaluate, find, history, last, rehearse, replay, set_baseline,
};
