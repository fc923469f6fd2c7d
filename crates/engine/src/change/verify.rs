//! Verification: whether a run did what its plan said, from the journal and the rows.
//!
//! Owns recomputing the receipts' chain, the conservation law, the plan's digest, and the comparison of
//! every applied row with its recorded `after`. It repairs nothing.
//!
//! Invariant: a row that moved since is not a failure of the run; it is reported, with the run that moved it
//! where the journal knows one.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use plimsoll_core::change::{Change, reshape};
use plimsoll_core::digest::Hashing;
use plimsoll_core::id::Id;
use plimsoll_core::item::{Outcome, Tally};
use plimsoll_core::run::RunStatus;
use plimsoll_core::table::{Image, RowKey, TableShape};
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store};
use serde::{Deserialize, Serialize};

use super::batch::{Exception, Receipt, outcome_digest};
use super::cells::Cells;
use super::history;
use super::plan::{self, Plan, read_items};
use super::run::{self, first_receipt};
use crate::error::{EngineError, ErrorKind};
use crate::session::{Progress, Session};

/// What verifying a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The run.
    pub run: Id,
    /// True when nothing contradicts: chain, digests, tally.
    pub ok: bool,
    /// The run's status.
    pub status: RunStatus,
    /// How its items ended.
    pub tally: Tally,
    /// Receipts whose chain was recomputed.
    pub receipts: u64,
    /// Applied rows looked at.
    pub rows_checked: u64,
    /// Rows that are as the run left them.
    pub rows_as_applied: u64,
    /// Rows that a later run of the journal changed.
    pub rows_changed_by_later_runs: u64,
    /// Rows that something else changed since.
    pub rows_changed_outside: u64,
    /// What is wrong, one line each; empty when `ok`.
    pub problems: Vec<String>,
    /// The first few rows that something else changed.
    pub samples: Vec<String>,
}

const SAMPLES: usize = 10;

/// Verifies one run.
///
/// # Errors
/// When the store fails; what is wrong with the run is in the result.
pub fn verify(session: &mut Session, id: &Id) -> Result<Verification, EngineError> {
    session.store.forget_shapes();
    session.store.begin(Access::ReadOnly)?;
    let found = look(session, id);
    // Nothing was written: ending the snapshot either way is the same.
    session.store.rollback()?;
    found
}

fn look(session: &mut Session, id: &Id) -> Result<Verification, EngineError> {
    let run = run::load(session.store.as_mut(), id)?;
    let mut found = Verification {
        run: id.clone(),
        ok: false,
        status: run.status,
        tally: run.tally,
        receipts: 0,
        rows_checked: 0,
        rows_as_applied: 0,
        rows_changed_by_later_runs: 0,
        rows_changed_outside: 0,
        problems: Vec::new(),
        samples: Vec::new(),
    };
    if run.status == RunStatus::Finished && !run.tally.conserved() {
        found.problems.push(format!(
            "{} items were planned, {} are accounted for",
            run.tally.planned,
            run.tally.ended()
        ));
    }
    let mut plans: HashMap<i64, Plan> = HashMap::new();
    let sql =
        "SELECT batch.partition, batch.number, batch.plan, batch.first_item, batch.end_item, batch.applied,
            batch.noop, batch.conflicted, batch.quarantined, batch.skipped, batch.exceptions,
            receipt.previous, receipt.changes_digest, receipt.outcome_digest, receipt.digest
        FROM plimsoll_batch AS batch
        LEFT JOIN plimsoll_receipt AS receipt ON receipt.run = batch.run
            AND receipt.partition = batch.partition AND receipt.number = batch.number
        WHERE batch.run = $1 ORDER BY batch.partition, batch.number";
    let mut chain: HashMap<i64, (i64, u64, String)> = HashMap::new();
    let mut summed = Tally::default();
    for row in session.store.query(sql, &[Value::text(id.as_str())])? {
        let Some(stored) = kept(StoredBatch::read(&Cells(row)), &mut found)? else { continue };
        let plan = match plans.entry(stored.plan) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let loaded = plan::load_number(session.store.as_mut(), stored.plan);
                let Some(plan) = kept(loaded, &mut found)? else { continue };
                place.insert(plan)
            }
        };
        check_batch(session, id, plan, &stored, &mut chain, &mut found)?;
        summed.add(&stored.tally);
        let (done, total) = (summed.ended(), Some(run.tally.planned));
        (session.progress)(&Progress { phase: "verifying", done, total, eta_ms: None });
    }
    check_partitions(session.store.as_mut(), id, &chain, &mut found)?;
    for plan in plans.values().filter(|plan| plan.status != "purged") {
        let computed = plan::recompute_digest(session.store.as_mut(), plan);
        if kept(computed, &mut found)?.is_some_and(|computed| computed != plan.digest) {
            found.problems.push(format!("plan {} was changed after it was made", plan.id));
        }
    }
    let sql = "SELECT count(*) FROM plimsoll_receipt WHERE run = $1";
    let receipts = session.store.query(sql, &[Value::text(id.as_str())])?;
    let receipts = receipts.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
    if receipts > found.receipts {
        found.problems.push(format!("{} receipts have lost their batch", receipts - found.receipts));
    }
    found.ok = found.problems.is_empty();
    Ok(found)
}

/// What the journal gives, or `None` and one problem more where it contradicts itself.
fn kept<T>(result: Result<T, EngineError>, found: &mut Verification) -> Result<Option<T>, EngineError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::Integrity => {
            found.problems.push(error.message);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

struct StoredBatch {
    partition: i64,
    number: i64,
    plan: i64,
    first_item: u64,
    end_item: u64,
    tally: Tally,
    /// Items that ended in quarantine, less those taken out of it.
    net_quarantined: i64,
    exceptions_text: String,
    exceptions: HashMap<u64, Exception>,
    receipt: Option<(String, String, String, String)>,
}

impl StoredBatch {
    fn read(cells: &Cells) -> Result<Self, EngineError> {
        let exceptions_text = cells.text(10)?;
        let exceptions: Vec<Exception> = serde_json::from_str(&exceptions_text)?;
        // A replayed batch counts its items out of quarantine; what ended there is in its exceptions.
        let quarantined = exceptions.iter().filter(|e| e.outcome == Outcome::Quarantined).count() as u64;
        let receipt = match cells.optional_text(11)? {
            Some(previous) => Some((previous, cells.text(12)?, cells.text(13)?, cells.text(14)?)),
            None => None,
        };
        Ok(Self {
            partition: cells.integer(0)?,
            number: cells.integer(1)?,
            plan: cells.integer(2)?,
            first_item: cells.count(3)?,
            end_item: cells.count(4)?,
            tally: Tally {
                planned: 0,
                applied: cells.count(5)?,
                noop: cells.count(6)?,
                conflicted: cells.count(7)?,
                quarantined,
                skipped: cells.count(9)?,
            },
            net_quarantined: cells.integer(8)?,
            exceptions: exceptions.into_iter().map(|exception| (exception.item, exception)).collect(),
            exceptions_text,
            receipt,
        })
    }
}

fn check_batch(
    session: &mut Session,
    run: &Id,
    plan: &Plan,
    stored: &StoredBatch,
    chain: &mut HashMap<i64, (i64, u64, String)>,
    found: &mut Verification,
) -> Result<(), EngineError> {
    let place = format!("batch {} of partition {}", stored.number, stored.partition);
    let (number, _, previous) = chain
        .remove(&stored.partition)
        .unwrap_or_else(|| (0, stored.first_item, first_receipt(run, stored.partition)));
    if stored.number != number {
        found.problems.push(format!("{place} follows where batch {number} is missing"));
    }
    if stored.first_item.checked_add(stored.tally.ended()) != Some(stored.end_item) {
        found.problems.push(format!("{place} accounts for {} of its items", stored.tally.ended()));
    }
    let released = if plan.replays.is_some() { stored.end_item.saturating_sub(stored.first_item) } else { 0 };
    if i64::try_from(stored.tally.quarantined).ok() != stored.net_quarantined.checked_add_unsigned(released) {
        found.problems.push(format!("{place}: its count of quarantined items is not what happened"));
    }
    let mut hashing = Hashing::new("changes");
    if plan.status == "purged" {
        found.samples.push(format!("{place}: its changes were purged, only its receipt is left"));
    } else {
        let checked = check_rows(session, plan, stored, &mut hashing, found);
        kept(checked, found)?;
    }
    let Some((claimed_previous, changes_digest, claimed_outcome, digest)) = &stored.receipt else {
        found.problems.push(format!("{place} has no receipt"));
        return Ok(());
    };
    found.receipts += 1;
    let receipt = Receipt {
        previous: previous.clone(),
        plan: stored.plan,
        first_item: stored.first_item,
        end_item: stored.end_item,
        changes_digest: if plan.status == "purged" { changes_digest.clone() } else { hashing.hex() },
        outcome_digest: outcome_digest(&stored.exceptions_text, &stored.tally),
    };
    if *claimed_previous != previous {
        found.problems.push(format!("{place} does not follow the receipt before it"));
    }
    if *changes_digest != receipt.changes_digest {
        found.problems.push(format!("{place}: its changes are not those that were applied"));
    }
    if *claimed_outcome != receipt.outcome_digest {
        found.problems.push(format!("{place}: its outcomes were changed after it was committed"));
    }
    let computed = receipt.digest(run, stored.partition, stored.number);
    if *digest != computed {
        found.problems.push(format!("{place}: its receipt does not hold"));
    }
    chain.insert(stored.partition, (stored.number + 1, stored.end_item, computed));
    Ok(())
}

fn check_rows(
    session: &mut Session,
    plan: &Plan,
    stored: &StoredBatch,
    hashing: &mut Hashing,
    found: &mut Verification,
) -> Result<(), EngineError> {
    let mut first = stored.first_item;
    while first < stored.end_item {
        let end = (first + 1_000).min(stored.end_item);
        let items = read_items(session.store.as_mut(), plan, first, end, hashing)?;
        // Rows are read table by table, which a database does far faster than one by one.
        let mut by_table: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for item in &items {
            let exception = stored.exceptions.get(&item.number);
            for (change, position) in item.item.changes.iter().zip(0..) {
                if exception.is_none_or(|exception| !exception.left_out(item.number, position)) {
                    by_table.entry(&change.table.name).or_default().push(change);
                }
            }
        }
        for (table, changes) in by_table {
            let Some(shape) = session.store.shape(table)? else { continue };
            let keys: Vec<RowKey> = changes.iter().map(|change| change.key()).collect();
            let rows = session.store.read_rows(&shape, &keys)?;
            for ((change, key), current) in changes.into_iter().zip(keys).zip(rows) {
                check_row(session.store.as_mut(), change, &key, current.as_ref(), &shape, found)?;
            }
        }
        first = end;
    }
    Ok(())
}

/// Compares one row with what the run left.
fn check_row(
    store: &mut dyn Store,
    change: &Change,
    key: &RowKey,
    current: Option<&Image>,
    shape: &TableShape,
    found: &mut Verification,
) -> Result<(), EngineError> {
    found.rows_checked += 1;
    let same = match (&change.after, current) {
        (Some(after), Some(row)) if *shape == *change.table => after == row,
        (Some(after), Some(row)) => reshape(after, &change.table, shape, Some(row)) == *row,
        (None, None) => true,
        _ => false,
    };
    if same {
        found.rows_as_applied += 1;
        return Ok(());
    }
    let last = history::last_change(store, &change.table.name, &key.to_text())?;
    let explained = last.is_some_and(|last| match (&last.after, current) {
        (Some(after), Some(row)) => reshape(after, &last.table, shape, Some(row)) == *row,
        (after, row) => after.is_none() && row.is_none(),
    });
    if explained {
        found.rows_changed_by_later_runs += 1;
    } else {
        found.rows_changed_outside += 1;
        if found.samples.len() < SAMPLES {
            let row = format!("{} {key}", change.table.name);
            found.samples.push(format!("{row} was changed since, by something other than a run"));
        }
    }
    Ok(())
}

/// The partitions' cursors must stand where their last batch ended.
fn check_partitions(
    store: &mut dyn Store,
    run: &Id,
    chain: &HashMap<i64, (i64, u64, String)>,
    found: &mut Verification,
) -> Result<(), EngineError> {
    for partition in run::partitions(store, run)? {
        let unused = (0, partition.first_item, first_receipt(run, partition.number));
        let (batches, next, receipt) = chain.get(&partition.number).unwrap_or(&unused);
        if partition.batches != *batches || partition.next_item != *next || partition.last_receipt != *receipt
        {
            found
                .problems
                .push(format!("partition {} does not stand where its last batch ended", partition.number));
        }
    }
    Ok(())
}
