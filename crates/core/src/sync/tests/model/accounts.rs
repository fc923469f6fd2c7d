//! How events reach the record, what people do, and the accounts that the properties are read from.

use std::collections::BTreeMap;

use super::super::super::conflict::{Answer, ConflictKind, Pick};
use super::super::super::field::NoRules;
use super::super::super::hybrid::HybridTime;
use super::super::super::plan::{Action, Event, PlanError, step};
use super::super::super::record::{Edit, RowState};
use super::super::Fields;
use super::Bounds;
use super::world::{Stage, World, number};
use crate::value::Value;

impl World {
    /// Lets the real planner take an event.
    fn take(&mut self, bounds: &Bounds, event: Event) -> Result<Vec<Action>, PlanError> {
        let taken = step(&bounds.shape, &NoRules, &self.record, event)?;
        self.record = taken.record;
        for action in &taken.actions {
            match action {
                Action::Settle { edits, .. } => {
                    for edit in edits {
                        self.settled[edit.parse::<usize>().unwrap()] += 1;
                    }
                }
                Action::Journal(lost) if lost.field == "note" => self.paid.extend(lost.value.as_integer()),
                Action::WriteMirror(RowState::Present(row)) => {
                    self.shown.insert(number(Some(&row.fields), "note"));
                }
                _ => {}
            }
        }
        Ok(taken.actions)
    }

    /// What is said cannot be refused.
    pub(super) fn learn(&mut self, bounds: &Bounds, event: Event) -> Vec<Action> {
        self.take(bounds, event).unwrap_or_else(|error| {
            self.refused = Some(error.to_string());
            Vec::new()
        })
    }

    /// How many edits were committed.
    pub(super) fn committed(&self) -> usize {
        self.settled.len()
    }

    /// Whether both writers did all that the bounds let them do.
    pub(super) fn has_seen_all(&self, bounds: &Bounds) -> bool {
        let gone = self.remote.fields.is_none();
        gone || (self.committed() == bounds.edits && self.foreign == bounds.foreign)
    }

    /// The next edit: a new note, and one more.
    pub(super) fn edit(&mut self, bounds: &Bounds) -> Option<()> {
        let id = self.committed().to_string();
        let note = i64::try_from(self.committed()).unwrap() + 1;
        // Nobody edits what is deleted.
        let view = self.record.view()?;
        let fields = Fields::from([
            ("note".into(), Value::Integer(note)),
            ("count".into(), Value::Integer(number(Some(&view), "count") + 1)),
        ]);
        let at = HybridTime { ms: 0, tick: 0, node: String::new() };
        let edit = Edit { id: id.clone(), author: String::new() };
        self.settled.push(0);
        self.learn(bounds, Event::Draft { edit, at, fields });
        self.learn(bounds, Event::Commit { edit: id });
        self.sum = self.sum.map(|sum| sum + 1);
        // The note that was shown to the author is replaced knowingly.
        self.paid.insert(number(Some(&view), "note"));
        self.owed.insert(note);
        Some(())
    }

    /// A person decides the open conflict.
    pub(super) fn decide(&mut self, bounds: &Bounds, mine: bool) {
        let Some(conflict) = self.record.conflict.clone() else { return };
        self.may_revive |= mine && conflict.kind == ConflictKind::DeletedThere;
        let exposed = self.record.overlay.pending.as_ref().and_then(|pending| pending.exposed.clone());
        let arrived = exposed
            .is_some_and(|exposed| exposed.operations.iter().any(|id| self.remote.effects.contains(id)));
        let count = if arrived { Pick::Theirs } else { Pick::Mine };
        let fields = BTreeMap::from([("count".to_owned(), count)]);
        let otherwise = if mine { Pick::Mine } else { Pick::Theirs };
        self.learn(bounds, Event::Answer(Answer { shown: conflict.revision, otherwise, fields }));
    }

    /// Whether every edit that was committed is either over, once, or still to be seen here.
    pub(super) fn keeps_every_edit(&self) -> bool {
        let overlay = &self.record.overlay;
        let open = overlay.sending.iter().chain(&overlay.pending).chain(&self.record.dead_letters);
        let open: Vec<&str> =
            open.flat_map(|operation| &operation.edits).map(|edit| edit.id.as_str()).collect();
        self.settled.iter().enumerate().all(|(edit, settled)| {
            let waiting = open.iter().filter(|id| **id == edit.to_string()).count();
            usize::from(*settled) + waiting == 1
        })
    }

    /// Whether nothing is left to do, for workers, the network or people, and both sides hold the same row.
    pub(super) fn rests(&self) -> bool {
        let record = &self.record;
        let row = self.remote.fields.as_ref();
        record.overlay.sending.is_none()
            && record.overlay.pending.is_none()
            && record.conflict.is_none()
            && record.dead_letters.is_empty()
            && self.workers.is_empty()
            && self.copies.is_empty()
            && record.mirror.fields() == row
            && record.base.fields() == row
            && record.view().as_ref() == row
    }

    /// Whether an echo of the row is taken for what it is, and nothing is sent.
    pub(super) fn is_silent(&self, bounds: &Bounds) -> bool {
        let said = |event| step(&bounds.shape, &NoRules, &self.record, event);
        let echo = said(Event::Observed(self.shown_row(bounds)));
        let writes = |action: &Action| !matches!(action, Action::WriteMirror(_));
        echo.is_ok_and(|echo| !echo.actions.iter().any(writes)) && said(Event::Send).is_err()
    }

    /// Whether each increment of both sides is in the row exactly once.
    pub(super) fn adds_up(&self) -> bool {
        self.sum.is_none_or(|sum| number(self.remote.fields.as_ref(), "count") == sum)
    }

    /// Whether each note written here was at the remote, was replaced by someone who saw it, or gave way by the journal.
    pub(super) fn accounts_for_notes(&self) -> bool {
        self.owed.is_subset(&self.paid)
    }

    /// Whether an operation had two effects.
    pub(super) fn applied_twice(&self) -> bool {
        let effects = &self.remote.effects;
        effects.iter().enumerate().any(|(at, id)| effects[..at].contains(id))
    }

    /// Whether a worker knows something that it may not store any more.
    pub(super) fn holds_stale_news(&self) -> bool {
        self.workers.iter().any(|worker| worker.epoch != self.granted && self.news(worker.epoch).is_some())
    }

    /// Whether a worker was told "not this copy" of a request whose other copy took effect.
    pub(super) fn holds_answer_of_another_copy(&self) -> bool {
        self.workers.iter().any(|worker| match &worker.stage {
            Stage::Knows(Event::TurnedAway { operation, .. }) => self.remote.effects.contains(operation),
            _ => false,
        })
    }
}
