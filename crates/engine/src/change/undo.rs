//! Undo: the inverse of a run, planned against the rows as they are now, and applied like any plan.
//!
//! Owns building the inverse plan and applying it; redo is the undo of an undo. What to do with one edited row
//! is decided by [`plimsoll_core::undo`], which later runs go with it by `cascade`.
//!
//! Invariants: an undo is a plan and a run: previewable, resumable, undoable. Except with `force`, no value
//! written after the run is overwritten. Items are taken back in the reverse of the order in which they were
//! applied, and so are the rows of an item, so that children go before their parents.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use plimsoll_core::change::{Change, reshape};
use plimsoll_core::digest::Hashing;
use plimsoll_core::id::Id;
use plimsoll_core::item::{Item, Outcome, Refusal};
use plimsoll_core::run::RunStatus;
use plimsoll_core::table::{Image, TableShape};
use plimsoll_core::undo::{RowUndo, UndoMode, undo_row};
use plimsoll_core::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::apply::{self, StartRun};
use super::batch::Exception;
use super::cascade::later_runs;
use super::cells::Cells;
use super::plan::{self, NewPlan, Plan, PlanWriter, StoredItem, read_items};
use super::run::{self, Run, RunSettings};
use crate::error::EngineError;
use crate::session::{Progress, Session};

/// What an undo would do, or did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoPreview {
    /// The run that is taken back.
    pub run: Id,
    /// How later edits are dealt with.
    pub mode: UndoMode,
    /// The plan that does it.
    pub plan: Id,
    /// Items that will be restored.
    pub restored: u64,
    /// Items that already are as they were before the run.
    pub already: u64,
    /// Items that stay as someone edited them since.
    pub edited: u64,
    /// Columns that `merge` leaves as edited, in restored rows.
    pub kept_columns: u64,
    /// The first few edited items, with the reason.
    pub samples: Vec<String>,
    /// Later runs that `cascade` takes back first, newest first.
    pub cascade: Vec<Id>,
}

/// How many samples a preview names.
const SAMPLES: usize = 20;

/// Plans the undo of one run. Nothing is written to the system's tables.
///
/// # Errors
/// Refused in mode `refuse` when a row was edited since, or when the journal of the run was purged.
pub fn plan_undo(session: &mut Session, id: &Id, mode: UndoMode) -> Result<(Plan, UndoPreview), EngineError> {
    let run = run::load(session.store.as_mut(), id)?;
    let cascade = if mode == UndoMode::Cascade { later_runs(session, &run)? } else { Vec::new() };
    let new = NewPlan {
        system: run.system.clone(),
        change: "undo".into(),
        source: format!("run {id}"),
        undoes: Some(id.clone()),
        replays: None,
    };
    let writer = PlanWriter::create(session, &new)?;
    let mut builder = Builder {
        mode,
        writer,
        moved: HashMap::new(),
        repeated: repeated_rows(session, id)?,
        back: HashMap::new(),
        preview: UndoPreview {
            run: id.clone(),
            mode,
            plan: id.clone(),
            restored: 0,
            already: 0,
            edited: 0,
            kept_columns: 0,
            samples: Vec::new(),
            cascade,
        },
    };
    if let Err(error) = builder.build(session, &run) {
        builder.writer.abandon(session)?;
        return Err(error);
    }
    let Builder { writer, mut preview, .. } = builder;
    if mode == UndoMode::Refuse && preview.edited > 0 {
        writer.abandon(session)?;
        return Err(EngineError::refused(format!(
            "run {} cannot be undone: {} items were edited since\n  {}\nhint: --mode skip leaves them, merge restores untouched columns, cascade undoes later runs first, force overwrites",
            id.short(),
            preview.edited,
            preview.samples.join("\n  ")
        )));
    }
    let facts = json!({
        "mode": mode, "restored": preview.restored, "already": preview.already,
        "edited": preview.edited, "kept_columns": preview.kept_columns,
    });
    let plan = writer.finish(session, preview.already, facts)?;
    preview.plan = plan.id.clone();
    Ok((plan, preview))
}

/// Undoes a run: with `cascade`, the later runs first. Returns the undo runs, in the order applied. A run that
/// was undone before and where nothing is left to do gets no second undo; the first one is returned.
///
/// # Errors
/// As [`plan_undo`] and [`apply::drive`]. What was applied until then stays journaled; undo again goes on.
pub fn undo(
    session: &mut Session,
    id: &Id,
    mode: UndoMode,
    settings: &RunSettings,
    reason: &str,
) -> Result<Vec<Run>, EngineError> {
    let run = run::load(session.store.as_mut(), id)?;
    let mut targets = if mode == UndoMode::Cascade { later_runs(session, &run)? } else { Vec::new() };
    targets.push(id.clone());
    let mut runs = Vec::with_capacity(targets.len());
    for target in targets {
        finish_interrupted(session, &target)?;
        let (plan, _) = plan_undo(session, &target, mode)?;
        if plan.changes == 0
            && let Some(done) = standing_undo(session, &target)?
        {
            super::retention::remove_unused(session, &plan)?;
            runs.push(done);
            continue;
        }
        let start = StartRun {
            // Rows go in the reverse order of their coming, which only one worker keeps.
            settings: RunSettings { max_error_share: 1.0, workers: 1, ..settings.clone() },
            reason: reason.to_owned(),
            undo_mode: Some(mode),
            ..StartRun::default()
        };
        let started = apply::start(session, &plan, &start)?;
        runs.push(apply::drive(session, &started.id, None)?);
    }
    Ok(runs)
}

/// Goes on with an undo of `target` that a crash interrupted, and ends the forward run if it still is open.
fn finish_interrupted(session: &mut Session, target: &Id) -> Result<(), EngineError> {
    let runs = run::list(session.store.as_mut())?;
    let open = runs.iter().find(|run| run.undoes.as_ref() == Some(target) && run.status.is_open());
    if let Some(open) = open {
        super::control::resume(session, &open.id, None, &|_| {})?;
    }
    if let Some(forward) = runs.iter().find(|run| run.id == *target && run.status.is_open()) {
        let hint = "hint: `plimsoll resume` lets it finish, `plimsoll cancel` ends it; then undo it";
        return Err(EngineError::refused(format!(
            "run {} is {}\n{hint}",
            forward.id.short(),
            forward.status
        )));
    }
    Ok(())
}

/// The last run that took `target` back to its end and was not taken back itself.
///
/// # Errors
/// When the store fails.
pub fn standing_undo(session: &mut Session, target: &Id) -> Result<Option<Run>, EngineError> {
    let mut undone: BTreeSet<Id> = BTreeSet::new();
    for run in run::list(session.store.as_mut())? {
        let finished = run.status == RunStatus::Finished && !undone.contains(&run.id);
        let Some(undoes) = run.undoes.clone().filter(|_| finished) else { continue };
        if undoes == *target {
            return Ok(Some(run));
        }
        undone.insert(undoes);
    }
    Ok(None)
}

/// Rows that more than one change of the run touches; only they need remembering while the undo is planned.
fn repeated_rows(session: &mut Session, run: &Id) -> Result<BTreeSet<RowName>, EngineError> {
    let sql = "SELECT table_name, row_key FROM plimsoll_change
        WHERE plan IN (SELECT plan FROM plimsoll_batch WHERE run = $1)
        GROUP BY table_name, row_key HAVING count(*) > 1";
    let rows = session.store.query(sql, &[Value::text(run.as_str())])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok((cells.text(0)?, cells.text(1)?))
        })
        .collect()
}

/// A row: its table and the text of its key.
type RowName = (String, String);

struct Builder {
    mode: UndoMode,
    writer: PlanWriter,
    /// What this plan makes of rows that the run changed more than once.
    moved: HashMap<RowName, Option<Image>>,
    repeated: BTreeSet<RowName>,
    /// Of those, whether they already are what they were before the run.
    back: HashMap<RowName, bool>,
    preview: UndoPreview,
}

impl Builder {
    fn build(&mut self, session: &mut Session, run: &Run) -> Result<(), EngineError> {
        let batches = batches_newest_first(session, run)?;
        let mut plans: HashMap<i64, Plan> = HashMap::new();
        for cells in batches {
            let plan_number = cells.integer(0)?;
            if let Entry::Vacant(place) = plans.entry(plan_number) {
                let plan = plan::load_number(session.store.as_mut(), plan_number)?;
                if plan.status == "purged" {
                    return Err(EngineError::refused(format!(
                        "the journal of run {} was purged; it can no longer be undone\nhint: restore the backup of the run instead",
                        run.id.short()
                    )));
                }
                place.insert(plan);
            }
            let Some(plan) = plans.get(&plan_number) else { continue };
            let (first, end) = (cells.count(1)?, cells.count(2)?);
            let exceptions: Vec<Exception> = serde_json::from_str(&cells.text(3)?)?;
            let exceptions: HashMap<u64, Exception> =
                exceptions.into_iter().map(|exception| (exception.item, exception)).collect();
            // A plain run is one batch of any size: read it in pieces, last piece first.
            let mut upper = end;
            while upper > first {
                let lower = upper.saturating_sub(1_000).max(first);
                let items =
                    read_items(session.store.as_mut(), plan, lower, upper, &mut Hashing::new("undo"))?;
                for stored in items.iter().rev() {
                    self.take_back(session, stored, exceptions.get(&stored.number))?;
                }
                upper = lower;
                let done = self.preview.restored + self.preview.already + self.preview.edited;
                let total = Some(run.tally.applied);
                (session.progress)(&Progress { phase: "planning", done, total, eta_ms: None });
            }
        }
        Ok(())
    }

    fn take_back(
        &mut self,
        session: &mut Session,
        stored: &StoredItem,
        exception: Option<&Exception>,
    ) -> Result<(), EngineError> {
        let outcome = exception.map_or(Outcome::Applied, |exception| exception.outcome);
        if outcome != Outcome::Applied {
            return Ok(());
        }
        let noop = exception.map_or(&[][..], |exception| exception.noop_positions.as_slice());
        let mut changes = Vec::new();
        let mut left: Vec<String> = Vec::new();
        let mut moved: HashMap<RowName, Option<Image>> = HashMap::new();
        let mut stays = false;
        for (position, change) in stored.item.changes.iter().enumerate().rev() {
            if noop.contains(&(position as u64)) {
                continue;
            }
            let name = (change.table.name.clone(), change.key().to_text());
            let (shape, before, after, current) = self.look(session, change, &name, &moved)?;
            if self.is_back(session, &name, &shape, current.as_ref())? {
                continue;
            }
            match undo_row(self.mode, before.as_ref(), after.as_ref(), current.as_ref()) {
                RowUndo::Already => {}
                RowUndo::Restore { before, after, kept } => {
                    self.preview.kept_columns += kept.len() as u64;
                    if self.repeated.contains(&name) {
                        moved.insert(name, after.clone());
                    }
                    changes.push(Change::new(shape, before, after)?);
                }
                RowUndo::Edited(columns) => {
                    // Merging, an updated row keeps what was edited and holds nobody; one that the run
                    // inserted or deleted goes or stays with its item.
                    let updated = before.is_some() && after.is_some();
                    stays |= self.mode != UndoMode::Merge || !updated;
                    self.preview.kept_columns += if stays { 0 } else { columns.len() as u64 };
                    left.push(edited_reason(change, &shape, &columns, current.is_some()));
                }
            }
        }
        stays |= !left.is_empty() && changes.is_empty();
        let label = stored.name();
        let item = if stays {
            self.preview.edited += 1;
            let reason = left.join("; ");
            if self.preview.samples.len() < SAMPLES {
                self.preview.samples.push(format!("{label}: {reason}"));
            }
            Item { label, refusal: Some(Refusal::conflicted("edited", reason)), ..Item::default() }
        } else if changes.is_empty() {
            self.preview.already += 1;
            return Ok(());
        } else {
            self.preview.restored += 1;
            self.moved.extend(moved);
            Item { label: stored.item.label.clone(), changes, ..Item::default() }
        };
        self.writer.add(session, &item)
    }

    /// True when the run changed the row more than once and it is again what it was before the first time.
    /// Decided when the row is first met, so that a row is taken back whole or not at all.
    fn is_back(
        &mut self,
        session: &mut Session,
        name: &RowName,
        shape: &Arc<TableShape>,
        current: Option<&Image>,
    ) -> Result<bool, EngineError> {
        if !self.repeated.contains(name) {
            return Ok(false);
        }
        if let Some(known) = self.back.get(name) {
            return Ok(*known);
        }
        let back = self.first_before(session, name, shape, current)?.as_ref() == Some(&current.cloned());
        self.back.insert(name.clone(), back);
        Ok(back)
    }

    /// What a row was before the run first wrote it; `None` when it never did.
    fn first_before(
        &self,
        session: &mut Session,
        name: &RowName,
        shape: &Arc<TableShape>,
        current: Option<&Image>,
    ) -> Result<Option<Option<Image>>, EngineError> {
        let sql = "SELECT change.plan, change.item, change.position, change.before_image, batch.exceptions
            FROM plimsoll_change AS change
            JOIN plimsoll_batch AS batch ON batch.plan = change.plan
                AND change.item >= batch.first_item AND change.item < batch.end_item
            WHERE batch.run = $1 AND change.table_name = $2 AND change.row_key = $3
            ORDER BY batch.partition, batch.number, change.item, change.position";
        let run = self.preview.run.as_str();
        let parameters = [Value::text(run), Value::text(&name.0), Value::text(&name.1)];
        for row in session.store.query(sql, &parameters)? {
            let cells = Cells(row);
            let (item, position) = (cells.count(1)?, cells.count(2)?);
            let exceptions: Vec<Exception> = serde_json::from_str(&cells.text(4)?)?;
            if exceptions.iter().any(|exception| exception.left_out(item, position)) {
                continue;
            }
            let before = cells.optional_text(3)?;
            let plan = plan::load_number(session.store.as_mut(), cells.integer(0)?)?;
            let first: Option<Image> = before.as_deref().map(serde_json::from_str).transpose()?;
            let planned = plan.shapes.get(&name.0).unwrap_or(shape);
            return Ok(Some(first.map(|image| reshape(&image, planned, shape, current.map(Vec::as_slice)))));
        }
        Ok(None)
    }

    /// The row's shape as it is now, and before, after and current images in that shape.
    #[expect(clippy::type_complexity, reason = "four things about one row, used in one place")]
    fn look(
        &self,
        session: &mut Session,
        change: &Change,
        name: &RowName,
        of_item: &HashMap<RowName, Option<Image>>,
    ) -> Result<(Arc<TableShape>, Option<Image>, Option<Image>, Option<Image>), EngineError> {
        let shape = session
            .store
            .shape(&change.table.name)?
            .ok_or_else(|| EngineError::refused(format!("table `{}` no longer exists", change.table.name)))?;
        let current = match of_item.get(name).or_else(|| self.moved.get(name)) {
            Some(moved) => moved.clone(),
            None => session.store.read_rows(&shape, &[change.key()])?.pop().flatten(),
        };
        let onto = |image: &Option<Image>| {
            image.as_ref().map(|image| {
                if *shape == *change.table {
                    image.clone()
                } else {
                    reshape(image, &change.table, &shape, current.as_deref())
                }
            })
        };
        let (before, after) = (onto(&change.before), onto(&change.after));
        Ok((shape, before, after, current))
    }
}

/// The run's batches (plan, first item, end item, exceptions), the last one first.
fn batches_newest_first(session: &mut Session, run: &Run) -> Result<Vec<Cells>, EngineError> {
    let partitions = run::partitions(session.store.as_mut(), &run.id)?;
    let own_plan = partitions.first().map(|first| first.plan);
    let parallel = partitions.iter().filter(|partition| Some(partition.plan) == own_plan).count() > 1;
    let sql = "SELECT plan, first_item, end_item, exceptions, committed_at FROM plimsoll_batch WHERE run = $1
        ORDER BY partition DESC, number DESC";
    let rows = session.store.query(sql, &[Value::text(run.id.as_str())])?;
    let mut batches: Vec<Cells> = rows.into_iter().map(Cells).collect();
    if parallel {
        // Several workers wrote in the order of their commits. Of two in one moment, that which found
        // something there already came second.
        let mut keyed = Vec::with_capacity(batches.len());
        for cells in batches {
            keyed.push(((cells.text(4)?, cells.text(3)? != "[]"), cells));
        }
        keyed.sort_by(|(a, _), (b, _)| b.cmp(a));
        batches = keyed.into_iter().map(|(_, cells)| cells).collect();
    }
    Ok(batches)
}

fn edited_reason(change: &Change, shape: &TableShape, columns: &[usize], exists: bool) -> String {
    let row = format!("{} {}", change.table.name, change.key());
    if columns.is_empty() {
        return if exists {
            format!("{row} was inserted again since")
        } else {
            format!("{row} was deleted since")
        };
    }
    let names: Vec<&str> = columns.iter().map(|&at| shape.columns[at].name.as_str()).collect();
    format!("{row} was edited since: {}", names.join(", "))
}
