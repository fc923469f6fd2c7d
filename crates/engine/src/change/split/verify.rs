//! Verifying a run: its receipts and events, and the tables against what was kept.
//!
//! Owns the verdict. A row that was edited since is told, and is no problem; one that is lost or doubled is.

use plimsoll_core::id::Id;
use plimsoll_core::run::RunStatus;

use super::declare::Split;
use super::phases::Way;
use super::validate::{self, Validated};
use super::{Place, additive, journal};
use crate::change::verify::Verification;
use crate::error::EngineError;
use crate::event;

/// Verifies one run.
///
/// # Errors
/// When the store fails; what is wrong with the run is in the result.
pub fn verify(place: &Place, split: &'static Split, id: &Id) -> Result<Verification, EngineError> {
    let run = journal::load_run(&place.store, id)?;
    let plan = journal::load_plan(&place.store, &run.plan)?;
    let (receipts, mut problems) = validate::journal_problems(place, &run)?;
    problems.extend(event::problems(journal::events(&place.store, None)?));
    if run.status == RunStatus::Finished && !run.tally.conserved() {
        problems.push("rows are missing in the run's tally".to_owned());
    }
    let (mut checked, mut outside, mut samples) = (0, 0, Vec::new());
    let runs = journal::list_runs(&place.store)?;
    let undone =
        runs.iter().any(|other| other.undoes.as_ref() == Some(id) && other.status == RunStatus::Finished);
    let standing = plan.way == Way::Split && run.status == RunStatus::Finished && !undone;
    if standing {
        let mut found = Validated::default();
        let named = |declared: &str| plan.named(declared);
        validate::tables(place, split, &plan, &named, None, &mut found)?;
        problems.extend(found.red());
        if !additive::columns_of(&place.store, &split.legacy())?.is_empty() {
            let (differing, sample) =
                validate::compare(place, split, &plan, &split.legacy(), &named, &mut found)?;
            (checked, outside) = (found.compared, differing);
            samples.extend(sample.map(|key| format!("{} {key} is not as it was", split.table)));
        }
    }
    Ok(Verification {
        run: id.clone(),
        ok: problems.is_empty(),
        status: run.status,
        tally: run.tally,
        receipts,
        rows_checked: checked,
        rows_as_applied: checked.saturating_sub(outside),
        rows_changed_by_later_runs: 0,
        rows_changed_outside: outside,
        problems,
        samples,
    })
}
