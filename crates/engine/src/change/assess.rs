//! Pre-assessment: what a plan would do, before it does anything.
//!
//! Owns the canary batch - a sample of the plan's items applied in one transaction that is always rolled
//! back - and what is estimated from it: failures by class, time to apply, time to undo, journal size.
//!
//! Invariant: an assessment leaves the store as it was.

use std::collections::BTreeMap;

use plimsoll_core::change::ChangeKind;
use plimsoll_core::digest::Hashing;
use plimsoll_core::id::Id;
use plimsoll_core::item::Tally;
use plimsoll_core::value::Value;
use plimsoll_store::Access;
use serde::{Deserialize, Serialize};

use super::batch::write_items;
use super::cells::Cells;
use super::plan::{Plan, StoredItem, read_items};
use crate::error::EngineError;
use crate::session::Session;
use crate::system::ChangeKind as DeclaredChange;

/// What an assessment found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The plan.
    pub plan: Id,
    /// Its digest.
    pub digest: String,
    /// Items in it.
    pub items: u64,
    /// Items that planning already refused.
    pub refused: u64,
    /// Row changes by table and kind.
    pub rows: BTreeMap<String, BTreeMap<String, u64>>,
    /// Bytes of journal that hold the prior images.
    pub journal_bytes: u64,
    /// Items tried in the canary batch.
    pub canary_items: u64,
    /// How the canary's items ended, before they were rolled back.
    pub canary: Tally,
    /// Failures of the canary by class, with one example each.
    pub predicted_failures: BTreeMap<String, (u64, String)>,
    /// Items expected to fail in the whole plan.
    pub expected_failures: u64,
    /// Estimated milliseconds to apply.
    pub estimated_ms: u64,
    /// Estimated milliseconds to undo: planning reads every row once more, then applies as much.
    pub estimated_undo_ms: u64,
}

/// The share of a plan that a canary tries, and its bounds in items.
const CANARY_SHARE: f64 = 0.05;
const CANARY_SMALLEST: u64 = 50;
const CANARY_LARGEST: u64 = 1_000;

/// Assesses a plan.
///
/// # Errors
/// When the store fails for another reason than the data.
pub fn assess(
    session: &mut Session,
    plan: &Plan,
    declared: Option<&'static dyn DeclaredChange>,
) -> Result<Assessment, EngineError> {
    let wanted = ((plan.items as f64 * CANARY_SHARE) as u64).clamp(CANARY_SMALLEST, CANARY_LARGEST);
    let sample = sample(session, plan, wanted.min(plan.items))?;
    session.store.begin(Access::ReadWrite)?;
    let started = session.clock.monotonic_us();
    let tried = try_canary(session, &sample, declared);
    let took_us = session.clock.monotonic_us().saturating_sub(started);
    session.store.rollback()?;
    let (canary, predicted_failures) = tried?;
    let canary_items = sample.len() as u64;
    let scale = |count: u64| (count * plan.items).checked_div(canary_items).unwrap_or(0);
    let estimated_ms = scale(took_us) / 1_000;
    Ok(Assessment {
        plan: plan.id.clone(),
        digest: plan.digest.clone(),
        items: plan.items,
        refused: plan.refused,
        rows: rows_by_kind(session, plan)?,
        journal_bytes: plan.journal_bytes,
        canary_items,
        canary,
        predicted_failures,
        expected_failures: scale(canary.quarantined),
        estimated_ms,
        estimated_undo_ms: estimated_ms.saturating_mul(2),
    })
}

type Failures = BTreeMap<String, (u64, String)>;

fn try_canary(
    session: &mut Session,
    sample: &[StoredItem],
    declared: Option<&'static dyn DeclaredChange>,
) -> Result<(Tally, Failures), EngineError> {
    let mut tally = Tally { planned: sample.len() as u64, ..Tally::default() };
    let mut failures = Failures::new();
    let mut fail = |class: &str, reason: &str| {
        failures.entry(class.to_owned()).or_insert_with(|| (0, reason.to_owned())).0 += 1;
    };
    let mut refused: Vec<usize> = Vec::new();
    for (at, stored) in sample.iter().enumerate() {
        if let Some(refusal) = &stored.item.refusal {
            tally.count(refusal.outcome, 1);
            fail(&refusal.class, &refusal.reason);
            refused.push(at);
        }
    }
    if let Some(declared) = declared {
        let items: Vec<_> = sample.iter().map(|stored| stored.item.clone()).collect();
        for (at, reason) in declared.validate(&items) {
            if !refused.contains(&at) {
                tally.quarantined += 1;
                fail("validation", &reason);
                refused.push(at);
            }
        }
    }
    let taken: Vec<usize> = (0..sample.len()).filter(|at| !refused.contains(at)).collect();
    let report = write_items(session.store.as_mut(), sample, &taken)?;
    tally.add(&report.tally);
    for exception in report.exceptions.iter().filter(|exception| !exception.class.is_empty()) {
        fail(&exception.class, &exception.reason);
    }
    Ok((tally, failures))
}

/// Items spread evenly over the plan, in order.
fn sample(session: &mut Session, plan: &Plan, count: u64) -> Result<Vec<StoredItem>, EngineError> {
    let mut items = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for place in 0..count {
        let at = place * plan.items / count;
        items.extend(read_items(session.store.as_mut(), plan, at, at + 1, &mut Hashing::new("sample"))?);
    }
    Ok(items)
}

fn rows_by_kind(
    session: &mut Session,
    plan: &Plan,
) -> Result<BTreeMap<String, BTreeMap<String, u64>>, EngineError> {
    let sql = "SELECT table_name,
            CASE WHEN before_image IS NULL THEN 1 WHEN after_image IS NULL THEN 3 ELSE 2 END AS kind, count(*)
        FROM plimsoll_change WHERE plan = $1 GROUP BY 1, 2 ORDER BY 1, 2";
    let mut rows: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in session.store.query(sql, &[Value::Integer(plan.number)])? {
        let cells = Cells(row);
        let kind = match cells.integer(1)? {
            1 => ChangeKind::Insert,
            2 => ChangeKind::Update,
            _ => ChangeKind::Delete,
        };
        rows.entry(cells.text(0)?).or_default().insert(kind.to_string(), cells.count(2)?);
    }
    Ok(rows)
}
