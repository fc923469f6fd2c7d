//! Cascade: which later runs must be taken back before a run can be.
//!
//! Owns the choice. Taking them back is `undo`'s.
//!
//! Invariant: a run is chosen only when it wrote a row that the run, or another chosen one before it, wrote
//! too, and when its effect still stands.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use plimsoll_core::id::Id;
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_store::StoreError;

use super::batch::Exception;
use super::cells::Cells;
use super::run::{self, Run};
use crate::error::EngineError;
use crate::session::Session;

/// The runs after `run` whose effect still stands and that, directly or through others, wrote its rows;
/// newest first.
///
/// # Errors
/// When the store fails.
pub(super) fn later_runs(session: &mut Session, run: &Run) -> Result<Vec<Id>, EngineError> {
    let standing = standing_after(session, run)?;
    let mut chosen: BTreeSet<i64> = BTreeSet::new();
    let mut pending = vec![run.id.clone()];
    while let Some(id) = pending.pop() {
        for later in writers_after(session, &id)? {
            if let Some(found) = standing.iter().find(|run| run.id == later)
                && chosen.insert(found.number)
            {
                pending.push(later);
            }
        }
    }
    let newest_first = standing.into_iter().filter(|run| chosen.contains(&run.number));
    Ok(newest_first.map(|run| run.id).collect())
}

/// Runs after `run` whose effect still stands, newest first. A run and its complete undo leave nothing; an
/// undo that left something behind leaves its run standing too.
fn standing_after(session: &mut Session, run: &Run) -> Result<Vec<Run>, EngineError> {
    let runs = run::list(session.store.as_mut())?;
    let numbers: HashMap<Id, i64> = runs.iter().map(|run| (run.id.clone(), run.number)).collect();
    let mut undone: BTreeSet<Id> = BTreeSet::new();
    let mut standing = Vec::new();
    for later in runs.into_iter().filter(|later| later.number > run.number) {
        if undone.contains(&later.id) {
            continue;
        }
        let Some(target) = &later.undoes else {
            standing.push(later);
            continue;
        };
        if later.status == RunStatus::Finished && later.tally.clean() {
            undone.insert(target.clone());
        }
        // Taking back what came after `run`, or `run` itself, is no edit on top of it.
        if numbers.get(target).is_some_and(|number| *number < run.number) {
            standing.push(later);
        }
    }
    Ok(standing)
}

/// One change of a run: partition and number of its batch, item and position.
type Place = (i64, i64, u64, u64);

/// Runs that wrote a row after `run` wrote it.
fn writers_after(session: &mut Session, run: &Id) -> Result<BTreeSet<Id>, EngineError> {
    let sql = "SELECT later_run.id, batch.partition, batch.number, change.item, change.position,
            later_batch.partition, later_batch.number, later.item, later.position,
            CASE WHEN batch.exceptions = '[]' AND later_batch.exceptions = '[]' THEN 1 ELSE 0 END
        FROM plimsoll_batch AS batch
        JOIN plimsoll_change AS change ON change.plan = batch.plan
            AND change.item >= batch.first_item AND change.item < batch.end_item
        JOIN plimsoll_change AS later ON later.table_name = change.table_name
            AND later.row_key = change.row_key AND later.plan <> change.plan
        JOIN plimsoll_batch AS later_batch ON later_batch.plan = later.plan
            AND later.item >= later_batch.first_item AND later.item < later_batch.end_item
        JOIN plimsoll_run AS later_run ON later_run.id = later_batch.run
        JOIN plimsoll_run AS this_run ON this_run.id = batch.run
        WHERE batch.run = $1 AND later_run.number > this_run.number";
    let mut found: BTreeSet<Id> = BTreeSet::new();
    // Where a batch has exceptions, its items say whether the row was written.
    let mut doubtful: Vec<(Id, Place, Place)> = Vec::new();
    let mut broken = None;
    session.store.query_each(sql, &[Value::text(run.as_str())], &mut |row| {
        let cells = Cells(row);
        let mut read = || {
            let later = Id(cells.text(0)?);
            if found.contains(&later) {
                return Ok(());
            }
            if cells.integer(9)? == 1 {
                found.insert(later);
                return Ok(());
            }
            let place = |at: usize| {
                Ok::<Place, EngineError>((
                    cells.integer(at)?,
                    cells.integer(at + 1)?,
                    cells.count(at + 2)?,
                    cells.count(at + 3)?,
                ))
            };
            doubtful.push((later, place(1)?, place(5)?));
            Ok(())
        };
        if let Err(error) = read() {
            broken.get_or_insert(error);
        }
        Ok::<(), StoreError>(())
    })?;
    if let Some(error) = broken {
        return Err(error);
    }
    let mut outcomes = Outcomes::default();
    for (later, place, later_place) in doubtful {
        if !found.contains(&later)
            && outcomes.wrote(session, run, place)?
            && outcomes.wrote(session, &later, later_place)?
        {
            found.insert(later);
        }
    }
    Ok(found)
}

/// The exceptions of batches, read when they are first asked for.
#[derive(Default)]
struct Outcomes {
    batches: HashMap<(Id, i64, i64), HashMap<u64, Exception>>,
}

impl Outcomes {
    /// Whether the run wrote this change.
    fn wrote(&mut self, session: &mut Session, run: &Id, place: Place) -> Result<bool, EngineError> {
        let (partition, number, item, position) = place;
        let exceptions = match self.batches.entry((run.clone(), partition, number)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let sql = "SELECT exceptions FROM plimsoll_batch
                    WHERE run = $1 AND partition = $2 AND number = $3";
                let parameters =
                    [Value::text(run.as_str()), Value::Integer(partition), Value::Integer(number)];
                let mut exceptions = Vec::new();
                if let Some(row) = session.store.query(sql, &parameters)?.into_iter().next() {
                    exceptions = serde_json::from_str::<Vec<Exception>>(&Cells(row).text(0)?)?;
                }
                vacant.insert(exceptions.into_iter().map(|exception| (exception.item, exception)).collect())
            }
        };
        Ok(!exceptions.get(&item).is_some_and(|exception| exception.left_out(item, position)))
    }
}
