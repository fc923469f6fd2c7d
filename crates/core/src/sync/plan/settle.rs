//! The merge that every event ends in: what waits to be sent, against the row as it is at the remote now.
//!
//! Owns the settling of the pending operation and the life of the conflict. It runs only while nothing is on its way:
//! the outcome of what was sent decides what the pending operation is based on.

use std::collections::BTreeMap;

use super::super::conflict::{Conflict, ConflictKind, FieldConflict};
use super::super::merge::{Lost, Side, merge_write};
use super::super::outbox::{OutboxEvent, OutboxState};
use super::super::record::{Expected, Exposed, FieldEdit, Fields, Intent, Operation, RowState};
use super::{Action, Outcome, PlanError, Planner};
use crate::value::Value;

impl Planner<'_> {
    pub(super) fn settle_pending_unless_sending(&mut self) -> Result<(), PlanError> {
        if self.record.overlay.sending.is_none() { self.settle_pending() } else { Ok(()) }
    }

    pub(super) fn settle_pending(&mut self) -> Result<(), PlanError> {
        let Some(mut operation) = self.record.overlay.pending.take() else {
            self.record.base = self.record.mirror.clone();
            self.close_conflict();
            return Ok(());
        };
        let intent = std::mem::replace(&mut operation.intent, Intent::Write(BTreeMap::new()));
        match (intent, self.record.mirror.clone()) {
            (Intent::Delete { .. }, RowState::Unknown | RowState::Gone { .. }) => {
                self.over(operation, OutboxEvent::Arrive, Outcome::AlreadyThere)
            }
            (Intent::Delete { seen }, RowState::Present(row)) => {
                let same = row.fields == seen && !operation.doubtful;
                let fields = differences(&seen, &row.fields);
                operation.intent = Intent::Delete { seen };
                if same {
                    self.queue(operation)
                } else {
                    self.clash(operation, ConflictKind::DeletedHere, fields)
                }
            }
            (Intent::Write(edits), RowState::Unknown | RowState::Gone { .. })
                if !self.may_create(&operation) =>
            {
                let fields = edits.iter().map(|(name, edit)| (name.clone(), shown(edit, None))).collect();
                operation.intent = Intent::Write(edits);
                self.clash(operation, ConflictKind::DeletedThere, fields)
            }
            (Intent::Write(edits), _) => self.settle_write(operation, edits),
        }
    }

    /// Whether the author knew that there is no row, and still knows all there is to know about it.
    fn may_create(&self, operation: &Operation) -> bool {
        let gone = match self.record.mirror {
            RowState::Gone { version } => Some(version),
            RowState::Unknown | RowState::Present(_) => None,
        };
        operation.expected == (Expected::Absent { gone }) && !(operation.doubtful && gone.is_some())
    }

    /// What of the operation the row may hold already. The row that an attempt expected holds nothing of it, and as
    /// long as it stands the remote applies at most one of all attempts and copies.
    fn may_hold<'a>(
        &self,
        operation: &'a Operation,
        edits: &BTreeMap<String, FieldEdit>,
    ) -> Option<&'a Exposed> {
        let row = self.record.mirror.fields();
        let there = |name: &String| row.and_then(|row| row.get(name)).cloned().unwrap_or_default();
        let moved = operation.expected != self.record.mirror.expected()
            || edits.iter().any(|(name, edit)| there(name) != edit.seen);
        operation.exposed.as_ref().filter(|_| moved)
    }

    fn settle_write(
        &mut self,
        mut operation: Operation,
        edits: BTreeMap<String, FieldEdit>,
    ) -> Result<(), PlanError> {
        let row = match &self.record.mirror {
            RowState::Present(row) => Some(row),
            RowState::Unknown | RowState::Gone { .. } => None,
        };
        let fields = row.map(|row| &row.fields);
        let merge = merge_write(self.shape, self.rules, &edits, row, self.may_hold(&operation, &edits));
        if merge.clashes.is_empty() && !merge.remaining.is_empty() {
            let merged = Intent::Write(merge.remaining.clone());
            let whole = merged.over(fields).unwrap_or_default();
            if let Err(broken) = self.rules.check(fields, &whole) {
                let names = broken.fields.iter().chain(edits.keys());
                let ask = |name: &String| {
                    let theirs = fields.and_then(|fields| fields.get(name)).cloned();
                    let base = edits.get(name).map(|edit| edit.seen.clone()).or_else(|| theirs.clone());
                    let base = base.unwrap_or_default();
                    (name.clone(), FieldConflict { base, mine: whole.get(name).cloned(), theirs })
                };
                let asked = names.map(ask).collect();
                // The edits stay as their authors made them: the next row may fit them again.
                operation.intent = Intent::Write(edits);
                return self.clash(operation, ConflictKind::BrokenRule(broken.message), asked);
            }
        }
        let gave_way = merge.lost.iter().any(|lost| lost.side == Side::Mine);
        self.actions.extend(merge.lost.into_iter().map(Action::Journal));
        operation.intent = Intent::Write(merge.remaining.clone());
        if !merge.clashes.is_empty() {
            let kind = if merge.doubtful { ConflictKind::Doubtful } else { ConflictKind::Edits };
            return self.clash(operation, kind, merge.clashes);
        }
        if !merge.remaining.is_empty() {
            return self.queue(operation);
        }
        if gave_way {
            self.over(operation, OutboxEvent::Yield, Outcome::GaveWay)
        } else {
            self.over(operation, OutboxEvent::Arrive, Outcome::AlreadyThere)
        }
    }

    /// The operation fits the row: it may be sent, and the remote is to guard exactly this row.
    fn queue(&mut self, mut operation: Operation) -> Result<(), PlanError> {
        let waited = operation.state == OutboxState::Queued;
        operation.state = operation.state.after(OutboxEvent::Enqueue)?;
        let expected = self.record.mirror.expected();
        if operation.expected != expected {
            // Copies of earlier attempts find another row than they expect.
            operation.exposed = None;
        }
        operation.expected = expected;
        operation.doubtful = false;
        operation.reason = None;
        if !waited {
            self.actions.push(Action::Enqueue(operation.id.clone()));
        }
        self.record.base = self.record.mirror.clone();
        self.record.overlay.pending = Some(operation);
        self.close_conflict();
        Ok(())
    }

    /// Nothing is left of the pending operation.
    pub(super) fn over(
        &mut self,
        operation: Operation,
        event: OutboxEvent,
        outcome: Outcome,
    ) -> Result<(), PlanError> {
        self.settle(operation, event, outcome)?;
        self.record.base = self.record.mirror.clone();
        self.close_conflict();
        Ok(())
    }

    pub(super) fn settle(
        &mut self,
        operation: Operation,
        event: OutboxEvent,
        outcome: Outcome,
    ) -> Result<(), PlanError> {
        operation.state.after(event)?;
        let edits = operation.edits.into_iter().map(|edit| edit.id).collect();
        self.actions.push(Action::Settle { operation: operation.id, edits, outcome });
        Ok(())
    }

    fn clash(
        &mut self,
        mut operation: Operation,
        kind: ConflictKind,
        fields: BTreeMap<String, FieldConflict>,
    ) -> Result<(), PlanError> {
        operation.state = operation.state.after(OutboxEvent::Clash)?;
        self.record.overlay.pending = Some(operation);
        let theirs_version = self.record.mirror.version();
        let mut conflict = Conflict { revision: 0, kind, fields, theirs_version };
        if let Some(open) = &mut self.record.conflict
            && open.asks_the_same(&conflict)
        {
            open.theirs_version = theirs_version;
            return Ok(());
        }
        self.record.conflict_revision += 1;
        conflict.revision = self.record.conflict_revision;
        let known = self.record.conflict.is_some();
        let action = if known { Action::ReopenConflict } else { Action::RaiseConflict };
        self.actions.push(action(conflict.revision));
        self.record.conflict = Some(conflict);
        Ok(())
    }

    fn close_conflict(&mut self) {
        let closed = self.record.conflict.take();
        self.actions.extend(closed.map(|conflict| Action::CloseConflict(conflict.revision)));
    }

    /// Journals what an intent wanted and will not get.
    pub(super) fn journal_intent(&mut self, intent: &Intent) {
        for (field, value) in intent.values() {
            self.actions.push(Action::Journal(Lost { field, side: Side::Mine, value }));
        }
    }
}

fn shown(edit: &FieldEdit, theirs: Option<Value>) -> FieldConflict {
    FieldConflict { base: edit.seen.clone(), mine: Some(edit.mine.clone()), theirs }
}

/// The fields that differ between the row that was deleted here and the row that is there.
fn differences(seen: &Fields, row: &Fields) -> BTreeMap<String, FieldConflict> {
    let names = seen.keys().chain(row.keys());
    let differing = names.filter(|name| seen.get(*name) != row.get(*name));
    let ask = |name: &String| {
        let base = seen.get(name).cloned().unwrap_or_default();
        (name.clone(), FieldConflict { base, mine: None, theirs: row.get(name).cloned() })
    };
    differing.map(ask).collect()
}
