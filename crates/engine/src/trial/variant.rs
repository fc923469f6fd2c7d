//! Variants of a plan: the same items with some changed, left out, or alone.
//!
//! Owns copying a stored plan from one scratch store into another, item by item. What is changed about an
//! item is the caller's.

use plimsoll_core::digest::Hashing;
use plimsoll_core::item::Item;
use serde_json::json;

use crate::change::plan::{NewPlan, Plan, PlanWriter, StoredItem, read_items};
use crate::error::EngineError;
use crate::session::Session;

/// Items read at once.
const PIECE: u64 = 500;

/// Writes the plan into another store, each item as `edit` returns it; `None` leaves it out.
///
/// # Errors
/// When the plan cannot be read or written, and the errors of `edit`.
pub(crate) fn edited(
    from: &mut Session,
    plan: &Plan,
    to: &mut Session,
    edit: &mut dyn FnMut(StoredItem) -> Result<Option<Item>, EngineError>,
) -> Result<Plan, EngineError> {
    let mut writer = begin(plan, to)?;
    let mut first = 0;
    while first < plan.items {
        let end = (first + PIECE).min(plan.items);
        for stored in read_items(from.store.as_mut(), plan, first, end, &mut Hashing::new("variant"))? {
            if let Some(item) = edit(stored)? {
                writer.add(to, &item)?;
            }
        }
        first = end;
    }
    writer.finish(to, 0, json!({}))
}

/// A plan of these items alone.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn only(plan: &Plan, to: &mut Session, items: &[Item]) -> Result<Plan, EngineError> {
    let mut writer = begin(plan, to)?;
    for item in items {
        writer.add(to, item)?;
    }
    writer.finish(to, 0, json!({}))
}

/// One item of a plan.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn item(from: &mut Session, plan: &Plan, number: u64) -> Result<Item, EngineError> {
    let found = read_items(from.store.as_mut(), plan, number, number + 1, &mut Hashing::new("variant"))?;
    let found = found.into_iter().next().map(|stored| stored.item);
    found.ok_or_else(|| EngineError::integrity(format!("plan {} has lost item {number}", plan.id)))
}

fn begin(plan: &Plan, to: &mut Session) -> Result<PlanWriter, EngineError> {
    let new = NewPlan {
        system: plan.system.clone(),
        change: plan.change.clone(),
        source: format!("a variant of plan {}", plan.id.short()),
        ..NewPlan::default()
    };
    PlanWriter::create(to, &new)
}
