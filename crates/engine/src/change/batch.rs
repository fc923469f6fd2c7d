//! One batch: one transaction that writes rows, journal and receipt, or nothing.
//!
//! Owns what happens between `BEGIN` and `COMMIT`: isolation of bad items, their quarantine, the batch row, the
//! receipt, and the cursor. Writing the rows is `attempts`', which batch comes next is `apply`'s.
//!
//! Invariants:
//! - An item is written whole or not at all.
//! - The batch row, the receipt, the quarantined items and the cursor commit with the rows or not at all.
//! - Only data errors are isolated; any other error rolls the batch back and is passed on.

use plimsoll_core::digest::Hashing;
use plimsoll_core::id::Id;
use plimsoll_core::isolate::isolate;
use plimsoll_core::item::{Item, Outcome, Refusal, Tally};
use plimsoll_core::value::Value;
use plimsoll_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

use super::attempts::{BatchAttempts, Standing};
use super::cells::number;
use super::plan::{Plan, StoredItem, read_items};
use super::quarantine;
use super::run::Partition;
use crate::error::EngineError;
use crate::session::Session;
use crate::system::ChangeKind as DeclaredChange;

/// An item of a batch that did not simply apply, as stored in the batch row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The item's number in the plan.
    pub item: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The class of the problem; empty for a no-op.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// What happened; empty for a no-op.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Positions of changes of an applied item whose rows already were at their `after`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noop_positions: Vec<u64>,
    /// Items that were refused together with this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub together_with: Vec<u64>,
}

impl Exception {
    /// True when it says that this change of the item was not written.
    pub(crate) fn left_out(&self, item: u64, position: u64) -> bool {
        self.item == item && (self.outcome != Outcome::Applied || self.noop_positions.contains(&position))
    }
}

/// What one committed batch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReport {
    /// How its items ended.
    pub tally: Tally,
    /// Rows written.
    pub rows_written: u64,
    /// How often items were tried, the first try included.
    pub attempts: u32,
    /// The items that did not simply apply.
    pub exceptions: Vec<Exception>,
}

/// Writes items `items` (positions in `stored`) inside the open transaction, isolating bad ones.
pub(crate) fn write_items(
    store: &mut dyn Store,
    stored: &[StoredItem],
    items: &[usize],
) -> Result<BatchReport, EngineError> {
    store.savepoint("batch")?;
    let mut attempts = BatchAttempts::new(store, stored);
    let verdict = isolate(items, &mut attempts)?;
    let mut standing = attempts.into_standing();
    store.release("batch")?;
    let mut report = BatchReport {
        tally: Tally::default(),
        rows_written: 0,
        attempts: verdict.attempts,
        exceptions: Vec::new(),
    };
    for item in verdict.good {
        let item_number = stored[item].number;
        let exception = |outcome, class: &str, reason: String, noop_positions| Exception {
            item: item_number,
            outcome,
            class: class.to_owned(),
            reason,
            noop_positions,
            together_with: Vec::new(),
        };
        match standing[item].take() {
            Some(Standing::Applied { noop_positions, rows }) => {
                report.tally.count(Outcome::Applied, 1);
                report.rows_written += rows;
                if !noop_positions.is_empty() {
                    report.exceptions.push(exception(Outcome::Applied, "", String::new(), noop_positions));
                }
            }
            Some(Standing::Conflicted(reason)) => {
                report.tally.count(Outcome::Conflicted, 1);
                report.exceptions.push(exception(Outcome::Conflicted, "moved", reason, Vec::new()));
            }
            Some(Standing::Noop) | None => {
                report.tally.count(Outcome::Noop, 1);
                report.exceptions.push(exception(Outcome::Noop, "", String::new(), Vec::new()));
            }
        }
    }
    for bad in verdict.bad {
        for &item in &bad.items {
            report.tally.count(Outcome::Quarantined, 1);
            let others = bad.items.iter().filter(|&&other| other != item);
            report.exceptions.push(Exception {
                item: stored[item].number,
                outcome: Outcome::Quarantined,
                class: bad.fault.class.to_string(),
                reason: with_hint(&bad.fault),
                noop_positions: Vec::new(),
                together_with: others.map(|&other| stored[other].number).collect(),
            });
        }
    }
    Ok(report)
}

/// What the database said, and what to do about it.
fn with_hint(fault: &StoreError) -> String {
    match fault.class.hint() {
        Some(hint) if !fault.message.contains("hint:") => format!("{}\nhint: {hint}", fault.message),
        _ => fault.message.clone(),
    }
}

/// What a batch is applied with.
pub(crate) struct BatchContext<'run> {
    pub(crate) run: &'run Id,
    pub(crate) system: &'run str,
    pub(crate) plan: &'run Plan,
    pub(crate) declared: Option<&'static dyn DeclaredChange>,
    /// Items taken out of quarantine by this batch, which no longer count there.
    pub(crate) released: bool,
}

/// Applies the next `size` items of a partition inside the open transaction and moves its cursor.
pub(crate) fn apply(
    session: &mut Session,
    context: &BatchContext<'_>,
    partition: &mut Partition,
    size: u64,
) -> Result<BatchReport, EngineError> {
    let started = session.clock.monotonic_us();
    let (first, end) =
        (partition.next_item, partition.next_item.saturating_add(size).min(partition.end_item));
    let mut hashing = Hashing::new("changes");
    let stored = read_items(session.store.as_mut(), context.plan, first, end, &mut hashing)?;
    session.probe.reach("batch.read")?;
    let mut refused: Vec<(usize, Refusal)> = Vec::new();
    for (at, stored) in stored.iter().enumerate() {
        if let Some(refusal) = &stored.item.refusal {
            refused.push((at, refusal.clone()));
        }
    }
    if let Some(declared) = context.declared {
        let items: Vec<Item> = stored.iter().map(|stored| stored.item.clone()).collect();
        for (at, reason) in declared.validate(&items) {
            if !refused.iter().any(|(known, _)| *known == at) {
                refused.push((at, Refusal::quarantined("validation", reason)));
            }
        }
    }
    let taken: Vec<usize> =
        (0..stored.len()).filter(|at| !refused.iter().any(|(known, _)| known == at)).collect();
    let mut report = write_items(session.store.as_mut(), &stored, &taken)?;
    for (at, refusal) in refused {
        report.tally.count(refusal.outcome, 1);
        report.exceptions.push(Exception {
            item: stored[at].number,
            outcome: refusal.outcome,
            class: refusal.class,
            reason: refusal.reason,
            noop_positions: Vec::new(),
            together_with: Vec::new(),
        });
    }
    report.exceptions.sort_by_key(|exception| exception.item);
    session.probe.reach("batch.written")?;
    quarantine::store_refused(session, context, &stored, &report.exceptions)?;
    let took_us = session.clock.monotonic_us().saturating_sub(started);
    close(session, context, partition, end, &hashing.hex(), &report, took_us)?;
    session.probe.reach("batch.journaled")?;
    Ok(report)
}

/// Writes the batch row, its receipt and the moved cursor.
fn close(
    session: &mut Session,
    context: &BatchContext<'_>,
    partition: &mut Partition,
    end: u64,
    changes_digest: &str,
    report: &BatchReport,
    took_us: u64,
) -> Result<(), EngineError> {
    let exceptions = serde_json::to_string(&report.exceptions)?;
    let released = if context.released { end - partition.next_item } else { 0 };
    let quarantined = i64::try_from(report.tally.quarantined).unwrap_or(i64::MAX)
        - i64::try_from(released).unwrap_or(i64::MAX);
    let key = [
        Value::text(context.run.as_str()),
        Value::Integer(partition.number),
        Value::Integer(partition.batches),
    ];
    let mut row = key.to_vec();
    row.extend([
        Value::Integer(context.plan.number),
        number(partition.next_item),
        number(end),
        number(report.tally.applied),
        number(report.tally.noop),
        number(report.tally.conflicted),
        Value::Integer(quarantined),
        number(report.tally.skipped),
        number(report.rows_written),
        number(u64::from(report.attempts)),
        Value::text(&exceptions),
        Value::text(session.clock.now()),
        number(took_us),
    ]);
    let columns = [
        "run",
        "partition",
        "number",
        "plan",
        "first_item",
        "end_item",
        "applied",
        "noop",
        "conflicted",
        "quarantined",
        "skipped",
        "rows_written",
        "attempts",
        "exceptions",
        "committed_at",
        "duration_us",
    ];
    let store = session.store.as_mut();
    store.append("plimsoll_batch", &columns, &[row])?;
    let outcome_digest = outcome_digest(&exceptions, &report.tally);
    let receipt = Receipt {
        previous: partition.last_receipt.clone(),
        plan: context.plan.number,
        first_item: partition.next_item,
        end_item: end,
        changes_digest: changes_digest.to_owned(),
        outcome_digest,
    };
    let digest = receipt.digest(context.run, partition.number, partition.batches);
    let mut row = key.to_vec();
    row.extend([
        Value::text(&receipt.previous),
        Value::text(&receipt.changes_digest),
        Value::text(&receipt.outcome_digest),
        Value::text(&digest),
    ]);
    let columns = ["run", "partition", "number", "previous", "changes_digest", "outcome_digest", "digest"];
    store.append("plimsoll_receipt", &columns, &[row])?;
    let moved = store.execute(
        "UPDATE plimsoll_partition SET next_item = $4, batches = batches + 1, last_receipt = $5
         WHERE run = $1 AND number = $2 AND next_item = $3",
        &[
            Value::text(context.run.as_str()),
            Value::Integer(partition.number),
            number(partition.next_item),
            number(end),
            Value::text(&digest),
        ],
    )?;
    if moved != 1 {
        return Err(EngineError::new(
            crate::error::ErrorKind::Stopped,
            format!("run {} is applied by another process; this one stops", context.run.short()),
        ));
    }
    partition.next_item = end;
    partition.batches += 1;
    partition.last_receipt = digest;
    Ok(())
}

/// What a receipt is computed from.
pub(crate) struct Receipt {
    pub(crate) previous: String,
    pub(crate) plan: i64,
    pub(crate) first_item: u64,
    pub(crate) end_item: u64,
    pub(crate) changes_digest: String,
    pub(crate) outcome_digest: String,
}

impl Receipt {
    /// The digest that the next receipt follows.
    pub(crate) fn digest(&self, run: &Id, partition: i64, batch: i64) -> String {
        let mut hashing = Hashing::new("receipt");
        hashing
            .part(self.previous.as_bytes())
            .part(run.as_str().as_bytes())
            .part(&partition.to_le_bytes())
            .part(&batch.to_le_bytes())
            .part(&self.plan.to_le_bytes())
            .part(&self.first_item.to_le_bytes())
            .part(&self.end_item.to_le_bytes())
            .part(self.changes_digest.as_bytes())
            .part(self.outcome_digest.as_bytes());
        hashing.hex()
    }
}

/// The digest of how the items of a batch ended.
pub(crate) fn outcome_digest(exceptions: &str, tally: &Tally) -> String {
    let mut hashing = Hashing::new("outcome");
    hashing.part(exceptions.as_bytes());
    for count in [tally.applied, tally.noop, tally.conflicted, tally.quarantined, tally.skipped] {
        hashing.part(&count.to_le_bytes());
    }
    hashing.hex()
}
