//! Taking a split back: new tables -> the wide table; and what was dropped, from the new tables.
//!
//! Owns the plan of an undo and its preview. Edits made to the new tables since are kept, unless the mode says otherwise:
//! `refuse` stops when there are any, `force` gives the kept wide table back as it was.

use plimsoll_core::id::Id;
use plimsoll_core::undo::UndoMode;
use serde::Serialize;

use super::declare::Split;
use super::phases::Way;
use super::plan::{SplitPlan, store_plan};
use super::statements::quoted;
use super::validate::{self, Validated};
use super::{Place, additive, journal};
use crate::clock::new_id;
use crate::error::EngineError;

/// What an undo would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndoPreview {
    /// The run that it takes back.
    pub run: Id,
    /// How it deals with later edits.
    pub mode: UndoMode,
    /// How: `rebuild`, `give_back`, `abandon` or `rebuild_legacy`.
    pub way: Way,
    /// Wide rows afterwards.
    pub rows: u64,
    /// Rows edited, added or deleted since the run, as far as the kept wide table tells.
    pub changed_since: u64,
}

/// Makes the plan that takes a run back; it is stored with `store_it` only.
///
/// # Errors
/// Usage when the run was taken back already or cannot be; refused when the mode forbids it.
pub fn plan_undo(
    place: &Place,
    split: &'static Split,
    id: &Id,
    mode: UndoMode,
    store_it: bool,
) -> Result<(SplitPlan, UndoPreview), EngineError> {
    let run = journal::load_run(&place.store, id)?;
    let of = journal::load_plan(&place.store, &run.plan)?;
    let runs = journal::list_runs(&place.store)?;
    if let Some(undoing) = runs.iter().find(|other| other.undoes.as_ref() == Some(id)) {
        let done = if undoing.status.is_open() { "is being taken back" } else { "was taken back" };
        return Err(EngineError::usage(format!(
            "run {} {done} by run {}\nhint: plimsoll resume, or plimsoll redo {1}",
            id.short(),
            undoing.id.short()
        )));
    }
    let done = journal::phases(&place.store, id)?;
    let done = |name: &str| done.iter().any(|phase| phase.name == name && phase.done_at.is_some());
    let kept = !additive::columns_of(&place.store, &split.legacy())?.is_empty();
    let way = match of.way {
        Way::Split if !done("rename") => Way::Abandon,
        Way::Split if mode == UndoMode::Force && kept => Way::GiveBack,
        Way::Split if mode == UndoMode::Force => {
            return Err(EngineError::usage(format!(
                "`{}` is not there any more\nhint: without --mode force it is made again from the new tables",
                split.legacy()
            )));
        }
        Way::Split => Way::Rebuild,
        Way::Drop if done("drop") => Way::RebuildLegacy,
        _ => {
            return Err(EngineError::usage(format!(
                "run {} has nothing to take back\nhint: `plimsoll redo` takes an undo back",
                id.short()
            )));
        }
    };
    let mut changed_since = 0;
    if matches!(way, Way::Rebuild | Way::GiveBack) && kept {
        let mut found = Validated::default();
        let named = |declared: &str| of.named(declared);
        changed_since = validate::compare(place, split, &of, &split.legacy(), &named, &mut found)?.0;
        if mode == UndoMode::Refuse && changed_since > 0 {
            return Err(EngineError::refused(format!(
                "{changed_since} rows were edited since run {}\nhint: --mode skip keeps the edits, --mode force takes them back",
                id.short()
            )));
        }
    }
    let rows = match way {
        Way::Rebuild | Way::RebuildLegacy => {
            let sql = format!("SELECT count(*) FROM {}", quoted(&of.named(split.table)));
            additive::count(&place.store, &sql)?
        }
        _ => of.rows,
    };
    let preview = UndoPreview { run: id.clone(), mode, way, rows, changed_since };
    let plan = SplitPlan {
        id: new_id(),
        created_at: place.clock.now(),
        actor: place.actor.clone(),
        change: "undo".to_owned(),
        way,
        rows,
        findings: Vec::new(),
        of: Some(id.clone()),
        undo_mode: Some(mode),
        accepted_changes: 0,
        digest: String::new(),
        ..of
    };
    let plan = if store_it { store_plan(place, plan)? } else { plan.sealed() };
    Ok((plan, preview))
}
