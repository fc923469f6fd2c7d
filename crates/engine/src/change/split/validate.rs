//! Comparing the wide table with what was made of it: counts, orphans, duplicates, and every cell.
//!
//! Owns the checks of the phase `validate`, of `verify`, and of dropping the kept table. They only read.
//!
//! Invariant: a row that is missing, doubled, without its core row, or different in any column is found, and one of them
//! is named.

use plimsoll_store::duckdb::Parameter;
use serde::{Deserialize, Serialize};

use super::Place;
use super::additive::count;
use super::declare::Split;
use super::journal;
use super::phases::Way;
use super::plan::{SplitPlan, content};
use super::statements::{Statements, in_the_making, quoted};
use crate::change::run::Run;
use crate::error::EngineError;
use crate::session::Progress;

/// Wide rows that are compared at a time, so that memory stays bounded.
const COMPARED: u64 = 10_000;

/// What one check measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The check.
    pub check: String,
    /// What was measured: rows that should not be.
    pub found: u64,
    /// A key among them.
    pub sample: Option<String>,
}

/// What all checks measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validated {
    /// Each check.
    pub checks: Vec<Checked>,
    /// Wide rows compared, cell by cell.
    pub compared: u64,
    /// Rows that are not as the kept wide table has them: edited, added or deleted since.
    pub changed_since: u64,
}

impl Validated {
    fn note(&mut self, check: &str, found: u64, sample: Option<String>) {
        self.checks.push(Checked { check: check.to_owned(), found, sample });
    }

    /// The first check that found something, as a text.
    pub fn red(&self) -> Option<String> {
        let red = self.checks.iter().find(|checked| checked.found > 0)?;
        let sample = red.sample.as_ref().map(|key| format!(", such as {key}")).unwrap_or_default();
        Some(format!("{}: {}{sample}", red.check, red.found))
    }
}

/// Checks what a run made, or is about to drop.
///
/// # Errors
/// When the store fails; what is wrong is in the result.
pub(super) fn validate(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    run: &Run,
) -> Result<Validated, EngineError> {
    let named = |declared: &str| plan.named(declared);
    match plan.way {
        Way::Split => {
            let mut found = Validated::default();
            tables(place, split, plan, &in_the_making, Some(split.table), &mut found)?;
            let sql = format!("SELECT count(*) FROM {}", quoted(split.table));
            let wide = count(&place.store, &sql)?;
            found.note("rows that are not those of the plan", wide.abs_diff(plan.rows), None);
            let differing = compare(place, split, plan, split.table, &in_the_making, &mut found)?;
            found.note("rows that are not equal", differing.0, differing.1);
            Ok(found)
        }
        Way::Drop => {
            let mut found = Validated::default();
            tables(place, split, plan, &named, None, &mut found)?;
            let (differing, sample) = compare(place, split, plan, &split.legacy(), &named, &mut found)?;
            found.changed_since = differing;
            found.note(
                "rows that are not as the kept table has them",
                differing.abs_diff(plan.accepted_changes),
                sample,
            );
            Ok(found)
        }
        _ => restored(place, split, plan, run),
    }
}

/// Checks a wide table that was made again: it is what the new tables say, and, when nothing was edited since, what the
/// plan of the split saw.
fn restored(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    run: &Run,
) -> Result<Validated, EngineError> {
    let mut found = Validated::default();
    let named = |declared: &str| plan.named(declared);
    tables(place, split, plan, &named, None, &mut found)?;
    let made = super::drive::restored(plan);
    let (differing, sample) = compare(place, split, plan, &made, &named, &mut found)?;
    found.note("rows that are not as the new tables say", differing, sample);
    let kept = !super::additive::columns_of(&place.store, &split.legacy())?.is_empty();
    if kept {
        let mut aside = Validated::default();
        found.changed_since = compare(place, split, plan, &split.legacy(), &named, &mut aside)?.0;
    } else {
        let names: Vec<String> = plan.columns.iter().map(|(name, _)| quoted(name)).collect();
        let rows = content(&place.store, &format!("SELECT {} FROM {}", names.join(", "), quoted(&made)))?;
        // Nothing is left to count by; that something changed is known.
        found.changed_since = u64::from(rows != (plan.rows, plan.content.clone()));
    }
    if run.undo_mode == Some(plimsoll_core::undo::UndoMode::Refuse) {
        found.note("rows that were edited since", found.changed_since, None);
    }
    Ok(found)
}

/// Duplicates and orphans of the new tables, and their counts against the wide one where it still has its name.
pub(super) fn tables(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    named: &dyn Fn(&str) -> String,
    wide: Option<&str>,
    found: &mut Validated,
) -> Result<(), EngineError> {
    let store = &place.store;
    let statements = Statements::new(split, &plan.columns);
    let core = quoted(&named(split.table));
    let (key, reference) = (quoted(split.key), quoted(split.reference));
    let doubled = format!("SELECT count(*) - count(DISTINCT {key}) FROM {core}");
    found.note(&format!("doubled rows of {}", split.table), count(store, &doubled)?, None);
    for focused in statements.focused() {
        let table = quoted(&named(focused.table));
        let doubled = format!("SELECT count(*) - count(DISTINCT {reference}) FROM {table}");
        found.note(&format!("doubled rows of {}", focused.table), count(store, &doubled)?, None);
        let same: Vec<String> = split
            .repeated
            .iter()
            .map(|name| format!("f.{0} IS NOT DISTINCT FROM c.{0}", quoted(name)))
            .collect();
        let condition: String = same.iter().map(|same| format!(" AND {same}")).collect();
        let sql = format!(
            "SELECT count(*), min(f.{reference}) FROM {table} f ANTI JOIN {core} c
             ON f.{reference} = c.{key}{condition}"
        );
        let rows = store.query(&sql, &[])?.rows;
        let orphans = rows[0][0].as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        let sample = rows[0][1].as_text().map(str::to_owned);
        found.note(&format!("orphans in {}", focused.table), orphans, sample);
        if let Some(wide) = wide {
            let sql = format!(
                "SELECT abs((SELECT count(*) FROM {} WHERE {}) - (SELECT count(*) FROM {table}))",
                quoted(wide),
                statements.holds(focused)
            );
            found.note(&format!("rows missing in {}", focused.table), count(store, &sql)?, None);
        }
    }
    Ok(())
}

/// Compares a wide table with the one that the new tables make, range by range: how many rows are missing, additional
/// or different, and the key of one.
pub(super) fn compare(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    wide: &str,
    named: &dyn Fn(&str) -> String,
    found: &mut Validated,
) -> Result<(u64, Option<String>), EngineError> {
    let statements = Statements::new(split, &plan.columns);
    let compared = statements.compare(&statements.wide_rows(wide), &statements.rebuild(named, false));
    let key = quoted(split.key);
    let next = format!(
        "SELECT max({key}), count(*) FROM (SELECT {key} FROM {}
         WHERE CAST($1 AS VARCHAR) IS NULL OR {key} > CAST($1 AS VARCHAR) ORDER BY {key} LIMIT {COMPARED})",
        quoted(wide)
    );
    let (mut low, mut differing, mut sample) = (Parameter::Null, 0, None);
    loop {
        let rows = place.store.query(&next, std::slice::from_ref(&low))?.rows;
        let here = rows[0][1].as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        // The last range is open above, so that rows added behind the last key are seen too.
        let last = here < COMPARED;
        let high = match rows[0][0].as_text() {
            Some(key) if !last => Parameter::from(key),
            _ => Parameter::Null,
        };
        let rows = place.store.query(&compared, &[low, high.clone()])?.rows;
        for cell in &rows[0][..3] {
            differing += cell.as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        }
        sample = sample.or_else(|| rows[0][3].as_text().map(str::to_owned));
        found.compared += here;
        let (done, total) = (found.compared, Some(plan.rows));
        (place.progress)(&Progress { phase: "validate", done, total, eta_ms: None });
        if last {
            return Ok((differing, sample));
        }
        low = high;
    }
}

/// The receipts, phases and events of a run that contradict each other.
pub(super) fn journal_problems(place: &Place, run: &Run) -> Result<(u64, Vec<String>), EngineError> {
    let mut problems = Vec::new();
    let batches = journal::batches(&place.store, &run.id)?;
    let (mut previous, mut items) = (String::new(), 0);
    for (at, batch) in (0_u64..).zip(&batches) {
        if batch.number != at {
            problems.push(format!("batch {at} is missing"));
        }
        if batch.previous != previous {
            problems.push(format!("batch {} does not follow the one before", batch.number));
        }
        if batch.compute_receipt(&run.id) != batch.receipt {
            problems.push(format!("batch {} was changed after it was written", batch.number));
        }
        previous.clone_from(&batch.receipt);
        items += batch.items;
    }
    if batches.len() as u64 != run.batches || (!batches.is_empty() && items != run.tally.applied) {
        problems.push("the run's figures are not the sums of its batches".to_owned());
    }
    Ok((batches.len() as u64, problems))
}
