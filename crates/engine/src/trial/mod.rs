//! Trials: a change on scratch copies of a store, measured, and the decision whether to let it loose.
//!
//! Owns the order of a trial - baseline with the switch off, the batch path at several sizes, the switch on and
//! off, injected failures, interruptions, two simulated days - and its three reports. What is asked of a change
//! is declared by its system as criteria ([`crate::system::ChangeKind::criteria`]); how they are judged is
//! [`plimsoll_core::decision`]'s.
//!
//! Reading order: `bench`, `baseline`, `speed`, `toggle`, `inject`, `interrupt`, `observe`,
//! `measures`, `reports`.
//!
//! Invariants:
//! - The store that the trial is about is read once and never written; the source is asked once.
//! - Every run happens on a scratch copy of its own and is looked at in the same way (`checks`).
//! - What could not be measured is unknown, and says why; it never counts as met.

mod answers;
mod baseline;
mod bench;
mod checks;
pub(crate) mod clock;
mod damage;
pub mod evidence;
pub mod gauge;
pub mod inject;
pub mod interrupt;
pub mod ledger;
mod markdown;
pub mod measures;
pub mod observe;
pub mod reports;
mod scratch;
pub mod speed;
pub mod toggle;
mod variant;

use std::path::Path;
use std::sync::Arc;

use plimsoll_core::clock::Clock;
use plimsoll_core::decision::{Decision, Measures, decide};
use plimsoll_store::{Durability, Store};
use serde::Serialize;

use self::bench::Bench;
use self::clock::TrialClock;
use self::evidence::Evidence;
use self::inject::Injections;
use self::interrupt::Interruption;
use self::ledger::Ledger;
use self::observe::Observation;
use self::scratch::Scratch;
use self::speed::Speed;
use self::toggle::Switched;
use crate::change::run::{DEFAULT_BATCH_SIZE, RunSettings};
use crate::error::EngineError;
use crate::session::ProgressSink;
use crate::source::{Fetch, SourceRequest};
use crate::system::{ChangeKind, System};

/// The batch size that is asked for, and by which criteria are judged where it is among the measured sizes.
pub const ASKED_SIZE: u64 = DEFAULT_BATCH_SIZE;

/// How long a change is observed, in simulated hours (HB-42).
pub const HOURS: u64 = 48;

/// What is on trial.
pub struct Subject<'t> {
    /// The system.
    pub system: &'t System,
    /// The change.
    pub change: &'static dyn ChangeKind,
    /// The store whose rows the scratch stores begin with. It is only read.
    pub from: &'t mut dyn Store,
    /// The source. It is asked once.
    pub fetch: &'t mut dyn Fetch,
    /// The source's address.
    pub source: &'t str,
    /// What is asked of the source.
    pub request: &'t SourceRequest,
    /// How a run goes with the switch on at a batch size, or off: the same function that decides it for real
    /// runs, so that the trial tries that, too.
    pub route: &'t dyn Fn(Option<u64>) -> RunSettings,
}

/// How a trial goes.
pub struct TrialSettings<'t> {
    /// Batch sizes to measure.
    pub sizes: Vec<u64>,
    /// Rounds in which every size and the plain path are measured once.
    pub rounds: u32,
    /// How the scratch stores commit.
    pub durability: Durability,
    /// The folder below which the scratch stores are made, and removed again. It should lie on a disk like the
    /// store's.
    pub scratch: &'t Path,
    /// What a build server states.
    pub evidence: Option<Evidence>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where progress goes.
    pub progress: ProgressSink,
}

/// What a trial was about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct About {
    /// The system.
    pub system: String,
    /// The change.
    pub change: String,
    /// The store whose rows were copied.
    pub store: String,
    /// The source.
    pub source: String,
    /// Questions that the source was asked.
    pub source_requests: u64,
    /// When the trial began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Items of the plan on trial.
    pub items: u64,
    /// Items of it that are good.
    pub good: u64,
    /// Items of it that are bad: refused also when they are alone.
    pub bad: u64,
    /// Row changes of the plan.
    pub changes: u64,
    /// Records of the source that need no change.
    pub unchanged: u64,
    /// The plan's digest.
    pub plan_digest: String,
    /// The batch size by which criteria are judged.
    pub asked_size: u64,
    /// How the scratch stores committed: `full` or `normal`.
    pub durability: &'static str,
    /// The version of this program.
    pub version: &'static str,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// The process's memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MemoryFigures {
    /// The highest peak of the engine's work over the beginning of the trial, in megabytes.
    pub growth_mb: Option<f64>,
    /// Whether peaks of single runs could be told apart.
    pub single_runs_told_apart: bool,
}

/// Everything that a trial found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// What it was about.
    pub about: About,
    /// The speeds of the paths.
    pub speed: Speed,
    /// The process's memory.
    pub memory: MemoryFigures,
    /// The runs with the switch on and off.
    pub switched: Vec<Switched>,
    /// The injected failures.
    pub injections: Injections,
    /// The interrupted runs.
    pub interruptions: Vec<Interruption>,
    /// The two days.
    pub observation: Observation,
    /// Everything that was counted.
    pub ledger: Ledger,
    /// What a build server states.
    pub evidence: Option<Evidence>,
    /// The measured values by name.
    pub measures: Measures,
    /// The decision.
    pub decision: Decision,
}

/// Tries a change on scratch copies.
///
/// # Errors
/// Usage when there is nothing to try or a setting makes no sense; otherwise what stopped a run.
pub fn run(subject: Subject<'_>, settings: TrialSettings<'_>) -> Result<Trial, EngineError> {
    let sizes = usable_sizes(&settings)?;
    let asked_size = if sizes.contains(&ASKED_SIZE) { ASKED_SIZE } else { sizes[0] };
    let started_at = settings.clock.now();
    let started_ms = settings.clock.monotonic_ms();
    let criteria = subject.change.criteria();
    let clock = Arc::new(TrialClock::at(&started_at)?);
    let scratch = Scratch::create(settings.scratch, settings.durability, clock, settings.progress)?;
    let store = subject.from.url().to_string();
    let part_done = |part: &str| {
        let elapsed_ms = settings.clock.monotonic_ms().saturating_sub(started_ms);
        tracing::debug!(part, elapsed_ms, "part of the trial done");
    };
    let mut bench = Bench::prepare(subject, scratch)?;
    part_done("preparing");
    baseline::run(&mut bench)?;
    part_done("baseline");
    let speed = speed::measure(&mut bench, &sizes, settings.rounds)?;
    part_done("speed");
    let switched = toggle::run(&mut bench, &sizes)?;
    part_done("switch");
    let injections = inject::run(&mut bench, asked_size)?;
    part_done("injected failures");
    let interruptions = interrupt::run(&mut bench, asked_size)?;
    part_done("interruptions");
    let plain_ms = toggle::plain_ms(&switched);
    let observation = observe::run(&mut bench, HOURS, asked_size, plain_ms)?;
    part_done("observation");
    let about = About {
        system: bench.system.name.to_owned(),
        change: bench.change.name().to_owned(),
        store,
        source: bench.plan.source.clone(),
        source_requests: bench.requests(),
        started_at,
        finished_at: settings.clock.now(),
        duration_ms: settings.clock.monotonic_ms().saturating_sub(started_ms),
        items: bench.plan.items,
        good: bench.good(),
        bad: bench.bad.len() as u64,
        changes: bench.plan.changes,
        unchanged: bench.plan.unchanged,
        plan_digest: bench.plan.digest.clone(),
        asked_size,
        durability: match settings.durability {
            Durability::Full => "full",
            Durability::Normal => "normal",
        },
        version: env!("CARGO_PKG_VERSION"),
        notes: bench.notes.clone(),
    };
    let mut trial = Trial {
        about,
        speed,
        memory: MemoryFigures {
            growth_mb: bench.memory.growth_mb(),
            single_runs_told_apart: bench.memory.tells_pieces(),
        },
        switched,
        injections,
        interruptions,
        observation,
        ledger: bench.ledger.clone(),
        evidence: settings.evidence,
        measures: Measures::new(),
        decision: decide(&[], &Measures::new()),
    };
    trial.measures = measures::of(&trial);
    trial.decision = decide(criteria, &trial.measures);
    Ok(trial)
}

fn usable_sizes(settings: &TrialSettings<'_>) -> Result<Vec<u64>, EngineError> {
    let mut sizes = settings.sizes.clone();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.is_empty() || sizes.contains(&0) {
        return Err(EngineError::usage("a trial needs batch sizes of at least 1\nhint: --sizes 25,50,100"));
    }
    if settings.rounds == 0 {
        return Err(EngineError::usage("a trial needs at least one round\nhint: --rounds 5"));
    }
    Ok(sizes)
}
