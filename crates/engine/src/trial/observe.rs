//! Observation: the update every hour for two days of a simulated calendar, with the switch on (HB-42).
//!
//! Owns the hours and what is watched: success rate, errors, duration beside the baseline and over time, and
//! whether reports equal the journal. Even hours have the whole update to do, odd hours find nothing new; then
//! the work is taken back, so that the next hour has it again.

use jiff::SignedDuration;
use plimsoll_core::clock::Clock as _;
use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use serde::Serialize;

use super::bench::Bench;
use super::checks;
use super::gauge::{Spread, median};
use super::ledger::Share;
use crate::error::EngineError;
use crate::session::Session;

/// What two days came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observation {
    /// Simulated hours.
    pub hours: u64,
    /// The simulated time at which it began.
    pub from: String,
    /// The simulated time at which it ended.
    pub until: String,
    /// Items in one batch.
    pub batch_size: u64,
    /// Updates that were run; one an hour.
    pub updates: u64,
    /// Those of them that had something to do.
    pub with_work: u64,
    /// Updates that came to what they must.
    pub success: Share,
    /// What failed as a whole, in words.
    pub errors: Vec<String>,
    /// Taken-back updates after which every table equaled what it was before.
    pub undone: Share,
    /// Figures of reports that equal the journal.
    pub metrics: Share,
    /// Planning, in milliseconds.
    pub planning_ms: Option<Spread>,
    /// Applying, in milliseconds, of updates that had something to do.
    pub apply_ms: Option<Spread>,
    /// The same, one after the other. In the first one the bad records are still tried; then they wait.
    pub each_apply_ms: Vec<f64>,
    /// By how much applying is slower than the plain path in the same situation, in percent of the medians, the
    /// first update left out.
    pub slower_than_plain_percent: Option<f64>,
    /// By how much the last third of those updates is slower than the first third, in percent of the medians.
    pub drift_percent: Option<f64>,
}

/// Observes for `hours` simulated hours.
///
/// # Errors
/// When a scratch store cannot be had; an update that fails is an observation.
pub(crate) fn run(
    bench: &mut Bench<'_>,
    hours: u64,
    size: u64,
    plain_ms: Option<f64>,
) -> Result<Observation, EngineError> {
    let mut copy = bench.scratch.fresh(&bench.base)?;
    let recorded_before = bench.ledger.recorded.clone();
    let undone_before = bench.ledger.undone.clone();
    let mut watch = Watch { size, ..Watch::default() };
    let from = bench.scratch.clock.now();
    for hour in 0..hours {
        bench.show("observing", hour, hours);
        let hoped = watch.updates + 1;
        if let Err(error) = watch.hour(bench, &mut copy.session, hour) {
            watch.success.add(false, || format!("hour {hour}: {}", error.message));
            watch.errors.push(format!("hour {hour}: {}", error.message));
            watch.updates = hoped;
        }
        bench.scratch.clock.advance(SignedDuration::from_hours(1));
    }
    checks::whole_file(&mut copy.session, "the observed store", &mut bench.ledger)?;
    let later = watch.apply.get(1..).unwrap_or_default();
    let third = later.len() / 3;
    let drift_percent = slower(later.get(later.len() - third..), later.get(..third).and_then(median));
    Ok(Observation {
        hours,
        from,
        until: bench.scratch.clock.now(),
        batch_size: size,
        updates: watch.updates,
        with_work: watch.with_work,
        undone: since(&bench.ledger.undone, &undone_before),
        metrics: since(&bench.ledger.recorded, &recorded_before),
        planning_ms: Spread::of(&watch.planning),
        apply_ms: Spread::of(&watch.apply),
        slower_than_plain_percent: slower(Some(later), plain_ms),
        drift_percent,
        each_apply_ms: watch.apply,
        success: watch.success,
        errors: watch.errors,
    })
}

/// By how many percent the median of these lies over another figure.
fn slower(figures: Option<&[f64]>, than: Option<f64>) -> Option<f64> {
    Some((median(figures?)? / than? - 1.0) * 100.0)
}

#[derive(Default)]
struct Watch {
    size: u64,
    updates: u64,
    with_work: u64,
    success: Share,
    errors: Vec<String>,
    planning: Vec<f64>,
    apply: Vec<f64>,
    /// The run whose work stands, and the tables that it left.
    standing: Option<(Id, Vec<TableDigest>)>,
}

impl Watch {
    /// One update; after an update that finds the work done, the work is taken back.
    fn hour(&mut self, bench: &mut Bench<'_>, session: &mut Session, hour: u64) -> Result<(), EngineError> {
        let what = format!("hour {hour} of the observation");
        let (plan, planning_ms) = bench.propose(session)?;
        let settings = bench.settings(Some(self.size));
        let ran = bench.apply(session, &plan, settings, &what)?;
        self.updates += 1;
        self.planning.push(planning_ms);
        let committed = ran.report.applied + ran.report.noop;
        match self.standing.take() {
            None => {
                // The calendar is in the rows (`updated_at` and the like), so these tables are their own measure:
                // the next hour must find nothing to do, and the undo must restore what was before.
                let good = bench.good();
                bench.ledger.count_committed(&what, committed, good);
                self.success.add(committed == good, || {
                    format!("{what}: {committed} of {good} good items were committed")
                });
                self.with_work += 1;
                self.apply.push(ran.wall_ms);
                self.standing = Some((ran.run.id, ran.tables));
            }
            Some((run, tables)) => {
                let idle = committed == 0 && ran.report.rows_written == 0 && ran.tables == tables;
                self.success.add(idle, || format!("{what}: {committed} items were written again"));
                bench.undo(session, &run, &what)?;
            }
        }
        Ok(())
    }
}

/// What was counted since.
fn since(now: &Share, before: &Share) -> Share {
    Share {
        good: now.good - before.good,
        of: now.of - before.of,
        problems: now.problems.get(before.problems.len()..).unwrap_or_default().to_vec(),
    }
}
