//! Samples of a store with a journal: runs, items, quarantine, backups, events.

use std::collections::BTreeMap;

use super::{decided, double, seconds};
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::metric::{
    BACKUP_BYTES, BACKUP_LAST, BACKUPS, BATCHES, EVENTS, ITEMS, QUARANTINE_OLDEST, QUARANTINE_OPEN,
    ROWS_WRITTEN, RUN_LAST_END, RUN_LAST_SECONDS, RUN_SECONDS, RUNS, RUNS_STARTED, Sample,
};
use crate::session::Session;

/// What every journal has.
pub(super) fn journal(
    session: &mut Session,
    system: &str,
    samples: &mut Vec<Sample>,
) -> Result<(), EngineError> {
    for row in session.store.query("SELECT coalesce(max(number), 0) FROM plimsoll_event", &[])? {
        samples.push(EVENTS.count(&[system], Cells(row).count(0)?));
    }
    Ok(())
}

/// What the journal of a system with runs has.
pub(super) fn runs(
    session: &mut Session,
    system: &str,
    samples: &mut Vec<Sample>,
) -> Result<(), EngineError> {
    by_change(session, samples)?;
    decided::checks(session, samples)?;
    let sql = "SELECT count(*), min(created_at) FROM plimsoll_quarantine WHERE status = 'open'";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        samples.push(QUARANTINE_OPEN.count(&[system], cells.count(0)?));
        if let Some(oldest) = cells.optional_text(1)? {
            samples.push(QUARANTINE_OLDEST.sample(&[system], seconds(&oldest)?));
        }
    }
    let sql = "SELECT bytes, verified_at, (SELECT count(*) FROM plimsoll_backup) FROM plimsoll_backup
               ORDER BY verified_at DESC, id DESC LIMIT 1";
    let newest = session.store.query(sql, &[])?.into_iter().next().map(Cells);
    samples.push(BACKUPS.count(&[system], newest.as_ref().map_or(Ok(0), |cells| cells.count(2))?));
    if let Some(cells) = newest {
        samples.push(BACKUP_BYTES.sample(&[system], double(cells.integer(0)?)));
        samples.push(BACKUP_LAST.sample(&[system], seconds(&cells.text(1)?)?));
    }
    Ok(())
}

/// Sums over the runs of one change.
#[derive(Default)]
struct Sums {
    statuses: BTreeMap<String, u64>,
    runs: u64,
    outcomes: [u64; 5],
    batches: u64,
    rows: u64,
    duration_ms: i64,
    last_end: Option<(String, i64)>,
}

const OUTCOMES: [&str; 5] = ["applied", "noop", "conflicted", "quarantined", "skipped"];

fn by_change(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    // The sums of integers are of another type in PostgreSQL, so they are made integers again.
    let sum = |column: &str| format!("CAST(coalesce(sum({column}), 0) AS bigint)");
    let sums: Vec<String> = OUTCOMES
        .iter()
        .chain(&["batches", "rows_written", "duration_ms"])
        .map(|column| sum(column))
        .collect();
    let sql = format!(
        "SELECT system, change_kind, status, count(*), {} FROM plimsoll_run GROUP BY system, change_kind, status",
        sums.join(", ")
    );
    let mut changes: BTreeMap<(String, String), Sums> = BTreeMap::new();
    for row in session.store.query(&sql, &[])? {
        let cells = Cells(row);
        let sums = changes.entry((cells.text(0)?, cells.text(1)?)).or_default();
        let runs = cells.count(3)?;
        *sums.statuses.entry(cells.text(2)?).or_default() += runs;
        sums.runs += runs;
        for (at, outcome) in sums.outcomes.iter_mut().enumerate() {
            *outcome += cells.count(4 + at)?;
        }
        sums.batches += cells.count(9)?;
        sums.rows += cells.count(10)?;
        sums.duration_ms += cells.integer(11)?;
    }
    let sql = "SELECT r.system, r.change_kind, r.finished_at, r.duration_ms FROM plimsoll_run r
               WHERE r.finished_at IS NOT NULL AND r.number = (
                   SELECT max(o.number) FROM plimsoll_run o
                   WHERE o.system = r.system AND o.change_kind = r.change_kind AND o.finished_at IS NOT NULL)";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        if let Some(sums) = changes.get_mut(&(cells.text(0)?, cells.text(1)?)) {
            sums.last_end = Some((cells.text(2)?, cells.integer(3)?));
        }
    }
    for ((system, change), sums) in &changes {
        let labels = [system.as_str(), change.as_str()];
        for (status, count) in &sums.statuses {
            samples.push(RUNS.count(&[system, change, status], *count));
        }
        samples.push(RUNS_STARTED.count(&labels, sums.runs));
        for (outcome, count) in OUTCOMES.iter().zip(sums.outcomes) {
            samples.push(ITEMS.count(&[system, change, outcome], count));
        }
        samples.push(BATCHES.count(&labels, sums.batches));
        samples.push(ROWS_WRITTEN.count(&labels, sums.rows));
        samples.push(RUN_SECONDS.sample(&labels, double(sums.duration_ms) / 1_000.0));
        if let Some((end, duration_ms)) = &sums.last_end {
            samples.push(RUN_LAST_END.sample(&labels, seconds(end)?));
            samples.push(RUN_LAST_SECONDS.sample(&labels, double(*duration_ms) / 1_000.0));
        }
    }
    Ok(())
}
