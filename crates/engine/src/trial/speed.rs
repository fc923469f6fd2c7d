//! Speed: the plain path beside the batch path at several sizes, on copies of one store with one plan.
//!
//! Owns the rounds in which every path is measured once, and the comparison of pairs. In every second round
//! the order is reversed, so that no path always has the warm machine.
//!
//! Invariant: within a round every path applies the same stored plan to an equal store.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::time::Instant;

use plimsoll_core::digest::Hashing;
use plimsoll_core::item::Item;
use plimsoll_core::value::Value;
use serde::Serialize;

use super::bench::{Bench, Ran};
use super::checks;
use super::gauge::{Spread, milliseconds};
use crate::change::cells::Cells;
use crate::change::exchange;
use crate::change::plan::read_items;
use crate::change::report::RunReport;
use crate::error::EngineError;
use crate::session::Session;

/// What one path measured, over all rounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathSpeed {
    /// Items in one batch; absent on the plain path.
    pub batch_size: Option<u64>,
    /// Batches of one run.
    pub batches: u64,
    /// Items that were committed.
    pub applied: u64,
    /// Items that were refused.
    pub quarantined: u64,
    /// Rows that were written.
    pub rows_written: u64,
    /// Applying the plan, in milliseconds, over the rounds.
    pub apply_ms: Spread,
    /// Rows written in a second, by the median.
    pub rows_per_second: f64,
    /// A batch from its beginning until it was committed, in milliseconds.
    pub batch_ms: Option<Spread>,
    /// A batch as the journal has it: up to its commit.
    pub journal_batch_ms: Option<Spread>,
    /// The part of a batch after its rows: quarantine, journal, receipt, commit.
    pub checkpoint_ms: Option<Spread>,
    /// Looking at the items of a batch before they are written, in milliseconds.
    pub validation_ms: Option<Spread>,
    /// Megabytes by which the peak of the process lay over the beginning of a run; the largest of the rounds.
    pub memory_mb: Option<f64>,
    /// Verifying the run, in milliseconds.
    pub verify_ms: Spread,
    /// By how much the whole update - planning, applying, verifying - is slower than on the plain path in the
    /// same round, in percent; negative is faster.
    pub slower_than_plain_percent: Option<Spread>,
    /// The same for applying alone.
    pub apply_slower_than_plain_percent: Option<Spread>,
    /// Taking the run back, in milliseconds.
    pub undo_ms: Option<f64>,
}

/// The measured speeds of a trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// Rounds in which every path was measured once.
    pub rounds: u32,
    /// Reading the source and planning, in milliseconds.
    pub reading_ms: f64,
    /// Planning again from the saved answers, in milliseconds; the same on every path.
    pub planning_ms: Spread,
    /// Storing the plan with its prior images, in milliseconds: reading it from a file.
    pub prior_images_ms: f64,
    /// The plain path: the switch off.
    pub plain: PathSpeed,
    /// The batch path at each size.
    pub sizes: Vec<PathSpeed>,
}

impl Speed {
    /// The path of this size.
    pub fn at(&self, size: u64) -> Option<&PathSpeed> {
        self.sizes.iter().find(|path| path.batch_size == Some(size))
    }
}

/// The figures of one path, as they come in.
#[derive(Default)]
struct Figures {
    size: Option<u64>,
    last: Option<RunReport>,
    wall: Vec<f64>,
    batches: Vec<f64>,
    journal: Vec<f64>,
    checkpoint: Vec<f64>,
    validation: Vec<f64>,
    verify: Vec<f64>,
    slower: Vec<f64>,
    apply_slower: Vec<f64>,
    memory: Option<f64>,
    undo_ms: Option<f64>,
}

/// Measures every path `rounds` times.
///
/// # Errors
/// What stopped a run.
pub(crate) fn measure(bench: &mut Bench<'_>, sizes: &[u64], rounds: u32) -> Result<Speed, EngineError> {
    let mut planning = Vec::new();
    let prior_images_ms = store_again(bench)?;
    let mut paths: Vec<Figures> = vec![Figures::default()];
    paths.extend(sizes.iter().map(|size| Figures { size: Some(*size), ..Figures::default() }));
    let mut copy = bench.scratch.fresh(&bench.planned)?;
    for path in &mut paths {
        path.validation = validation(bench, &mut copy.session, path.size)?;
    }
    drop(copy);
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..paths.len()).collect();
        if !round.is_multiple_of(2) {
            order.reverse();
        }
        for (done, at) in order.into_iter().enumerate() {
            let runs = paths.len() as u64;
            bench.show("measuring", u64::from(round) * runs + done as u64, u64::from(rounds) * runs);
            one(bench, &mut paths[at], round)?;
        }
        planning.push(plan_again(bench)?);
    }
    let planning_ms = Spread::of(&planning).ok_or_else(nothing_measured)?;
    compare(&mut paths, planning_ms.p50);
    check_cuts(bench, &paths);
    let mut paths = paths.into_iter().map(summary).collect::<Result<Vec<_>, _>>()?.into_iter();
    let plain = paths.next().ok_or_else(nothing_measured)?;
    Ok(Speed {
        rounds,
        reading_ms: bench.reading_ms,
        planning_ms,
        prior_images_ms,
        plain,
        sizes: paths.collect(),
    })
}

/// Pairs every batched run with the plain one of its round. Planning is the same code with the same answers on
/// every path, so its median stands for all: its noise is not the paths'.
fn compare(paths: &mut [Figures], planning_ms: f64) {
    let Some((plain, batched)) = paths.split_first_mut() else { return };
    for path in batched {
        for round in 0..path.wall.len().min(plain.wall.len()) {
            let percent = |batched: f64, plain: f64| (batched / plain - 1.0) * 100.0;
            path.apply_slower.push(percent(path.wall[round], plain.wall[round]));
            let whole = |path: &Figures| planning_ms + path.wall[round] + path.verify[round];
            let slower = percent(whole(path), whole(plain));
            path.slower.push(slower);
        }
    }
}

/// Applies the plan one way and takes it back.
fn one(bench: &mut Bench<'_>, path: &mut Figures, round: u32) -> Result<(), EngineError> {
    let what = match path.size {
        Some(size) => format!("round {}, batches of {size}", round + 1),
        None => format!("round {}, plain path", round + 1),
    };
    let mut copy = bench.scratch.fresh(&bench.planned)?;
    let (plan, settings) = (bench.plan.clone(), bench.settings(path.size));
    let ran: Ran = bench.apply(&mut copy.session, &plan, settings, &what)?;
    let (good, tables) = (bench.good(), bench.after.clone());
    bench.expect(&ran, good, &tables, &what);
    // Undoing once tells its duration; every path is undone in the first round.
    if round == 0 {
        path.undo_ms = Some(bench.undo(&mut copy.session, &ran.run.id, &what)?);
        check_ranges(bench, &mut copy.session, &ran, &what)?;
    }
    checks::whole_file(&mut copy.session, &what, &mut bench.ledger)?;
    path.wall.push(ran.wall_ms);
    path.verify.push(ran.verify_ms);
    path.batches.extend(ran.batch_ms);
    path.journal.extend(ran.journal_ms);
    path.checkpoint.extend(ran.checkpoint_ms);
    path.memory = match (path.memory, ran.memory_mb) {
        (Some(known), Some(new)) => Some(known.max(new)),
        (known, new) => known.or(new),
    };
    path.last = Some(ran.report);
    Ok(())
}

/// The batches of a run must follow each other without a gap, none larger than asked (HB-08).
fn check_ranges(
    bench: &mut Bench<'_>,
    session: &mut Session,
    ran: &Ran,
    what: &str,
) -> Result<(), EngineError> {
    let sql = "SELECT first_item, end_item FROM plimsoll_batch WHERE run = $1 ORDER BY partition, number";
    let mut next = 0;
    let mut whole = true;
    for row in session.store.query(sql, &[Value::text(ran.run.id.as_str())])? {
        let cells = Cells(row);
        let (first, end) = (cells.count(0)?, cells.count(1)?);
        let most = ran.run.settings.batch_size.unwrap_or(u64::MAX);
        whole &= first == next && end > first && end - first <= most;
        next = end;
    }
    let all = whole && next == bench.plan.items;
    bench.ledger.cut_as_asked.add(all, || format!("{what}: the batches do not cover the plan in order"));
    Ok(())
}

/// Each size must give the batches that the plan needs, and the totals of the plain path (HB-01, HB-29).
fn check_cuts(bench: &mut Bench<'_>, paths: &[Figures]) {
    let totals = |report: &RunReport| {
        let RunReport { planned, applied, noop, conflicted, quarantined, skipped, rows_written, .. } = report;
        [*planned, *applied, *noop, *conflicted, *quarantined, *skipped, *rows_written]
    };
    let plain = paths.first().and_then(|path| path.last.as_ref()).map(totals);
    for path in paths {
        let Some(report) = &path.last else { continue };
        let wanted = path.size.map_or(1, |size| bench.plan.items.div_ceil(size));
        let found = totals(report);
        let metrics = report.batch_metrics.is_some() == path.size.is_some();
        bench.ledger.cut_as_asked.add(report.batches == wanted && Some(found) == plain && metrics, || {
            format!(
                "size {:?}: {} batches, {wanted} asked; totals {found:?}, of the plain path {plain:?}",
                path.size, report.batches
            )
        });
    }
}

fn summary(path: Figures) -> Result<PathSpeed, EngineError> {
    let apply_ms = Spread::of(&path.wall).ok_or_else(nothing_measured)?;
    let report = path.last.ok_or_else(nothing_measured)?;
    Ok(PathSpeed {
        batch_size: path.size,
        batches: report.batches,
        applied: report.applied,
        quarantined: report.quarantined,
        rows_written: report.rows_written,
        rows_per_second: report.rows_written as f64 / (apply_ms.p50 / 1_000.0),
        apply_ms,
        batch_ms: Spread::of(&path.batches),
        journal_batch_ms: Spread::of(&path.journal),
        checkpoint_ms: Spread::of(&path.checkpoint),
        validation_ms: Spread::of(&path.validation),
        memory_mb: path.memory,
        verify_ms: Spread::of(&path.verify).ok_or_else(nothing_measured)?,
        slower_than_plain_percent: Spread::of(&path.slower),
        apply_slower_than_plain_percent: Spread::of(&path.apply_slower),
        undo_ms: path.undo_ms,
    })
}

fn nothing_measured() -> EngineError {
    EngineError::usage("a trial measures at least one round\nhint: --rounds 5")
}

/// Times the system's validation of each batch of the plan.
fn validation(bench: &Bench<'_>, session: &mut Session, size: Option<u64>) -> Result<Vec<f64>, EngineError> {
    let size = size.unwrap_or(bench.plan.items);
    let mut spans = Vec::new();
    let mut first = 0;
    while first < bench.plan.items {
        let end = (first + size).min(bench.plan.items);
        let store = session.store.as_mut();
        let stored = read_items(store, &bench.plan, first, end, &mut Hashing::new("validation"))?;
        let items: Vec<Item> = stored.into_iter().map(|stored| stored.item).collect();
        let begun = Instant::now();
        let refused = bench.change.validate(&items);
        spans.push(milliseconds(begun.elapsed()));
        tracing::debug!(first, end, refused = refused.len(), "validation timed");
        first = end;
    }
    Ok(spans)
}

/// Plans again from the saved answers; the plan must be the same one.
fn plan_again(bench: &mut Bench<'_>) -> Result<f64, EngineError> {
    let mut copy = bench.scratch.fresh(&bench.base)?;
    let (plan, took) = bench.propose(&mut copy.session)?;
    if plan.digest != bench.plan.digest {
        return Err(EngineError::integrity(format!(
            "the same answers and the same rows gave another plan: {} items instead of {}\nhint: a system plans by pure functions; look for something that it asks besides",
            plan.items, bench.plan.items
        )));
    }
    Ok(took)
}

/// Stores the plan once more, from a file; what that takes is what its prior images cost at most.
fn store_again(bench: &mut Bench<'_>) -> Result<f64, EngineError> {
    let path = bench.scratch.path("plan.jsonl");
    let broken = |error: std::io::Error| EngineError::usage(format!("{}: {error}", path.display()));
    let mut planned = bench.scratch.fresh(&bench.planned)?;
    let mut out = BufWriter::new(File::create(&path).map_err(broken)?);
    exchange::export(&mut planned.session, &bench.plan, &mut out)?;
    out.flush().map_err(broken)?;
    let mut copy = bench.scratch.fresh(&bench.base)?;
    let mut lines = BufReader::new(File::open(&path).map_err(broken)?);
    let begun = Instant::now();
    // The file's header has the digest: a plan that came out differently is refused.
    exchange::import(&mut copy.session, "the plan on trial", &mut lines)?;
    Ok(milliseconds(begun.elapsed()))
}
