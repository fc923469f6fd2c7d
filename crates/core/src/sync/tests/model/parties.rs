//! What the parties do: the workers under their lease, the other user, and the remote.

use super::super::super::outbox::OutboxState;
use super::super::super::plan::{Action, Event};
use super::super::super::record::{Expected, Observed, Origin, RowState, Version};
use super::world::{Copy, Foreign, Stage, Worker, World, number};
use super::{Bounds, Fault};
use crate::value::Value;

impl World {
    /// The row as the remote shows it.
    pub(super) fn shown_row(&self, bounds: &Bounds) -> RowState {
        let version = Version(self.remote.version);
        let Some(fields) = self.remote.fields.clone() else { return RowState::Gone { version } };
        let origin = if bounds.tells { self.remote.origin.clone() } else { Origin::Untold };
        RowState::Present(Observed { version, fields, changed_at: None, origin })
    }

    /// As the engine's worker: the lease, and what the record needs by its state alone.
    pub(super) fn claim(&mut self, bounds: &Bounds) {
        // A worker that starts again does not know what it was.
        let name = format!("worker {}", self.lease.epoch + 1);
        self.lease = self.lease.take(&name, self.now, 1).unwrap();
        let epoch = self.lease.epoch;
        self.granted = epoch;
        let state = self.due().map(|operation| operation.state);
        if state == Some(OutboxState::Syncing) {
            self.learn(bounds, Event::Recover);
        }
        let stage = match state {
            Some(OutboxState::Queued) => {
                let actions = self.learn(bounds, Event::Send);
                actions.into_iter().find_map(|action| match action {
                    Action::Dispatch(request) => Some(Stage::Ready(request)),
                    _ => None,
                })
            }
            _ => self.due().map(|operation| Stage::Reading(operation.id.clone(), operation.attempts)),
        };
        self.workers.extend(stage.map(|stage| Worker { epoch, stage }));
    }

    /// A worker stores what it learned, if it still may.
    pub(super) fn store(&mut self, bounds: &Bounds, epoch: u64) {
        let Some(event) = self.news(epoch) else { return };
        self.workers.retain(|worker| worker.epoch != epoch);
        if self.lease.guard(epoch, self.now).is_err() && bounds.fault != Fault::NoFence {
            return;
        }
        self.stored_without_lease |= epoch != self.granted;
        self.learn(bounds, bounds.taken_for(event));
        self.lease.until_ms = 0;
    }

    pub(super) fn foreign(&mut self, what: Foreign) {
        self.foreign += 1;
        self.remote.version += 1;
        self.remote.origin = Origin::Elsewhere;
        if what == Foreign::Deletes {
            self.remote.fields = None;
            self.sum = None;
            // Whoever deletes a row has seen it.
            return;
        }
        let Some(fields) = &mut self.remote.fields else { return };
        let more = match what {
            Foreign::Adds => 1,
            Foreign::TakesBack => -1,
            Foreign::Writes | Foreign::Deletes => 0,
        };
        let count = number(Some(fields), "count") + more;
        fields.insert("count".into(), Value::Integer(count));
        self.sum = self.sum.map(|sum| sum + more);
        if what == Foreign::Writes {
            // Whoever writes a note has seen the one before.
            self.paid.insert(number(Some(fields), "note"));
            let note = 100 + i64::try_from(self.foreign).unwrap();
            fields.insert("note".into(), Value::Integer(note));
        }
    }

    /// A copy reaches the remote.
    pub(super) fn deliver(&mut self, bounds: &Bounds, at: usize, answered: bool) {
        let alone = self.copies.iter().filter(|copy| **copy == self.copies[at]).count() == 1;
        let answer_lost = self.waits_for(&self.copies[at]) && alone && !answered;
        self.faults += u64::from(answer_lost);
        let copy = self.copies.remove(at);
        let operation = copy.request.operation.clone();
        let known = bounds.tells && self.remote.effects.contains(&operation);
        let fits = self.fits(bounds, &copy);
        if fits && !known {
            self.apply(copy.clone());
        }
        if answered {
            let current = self.shown_row(bounds);
            let event = if fits || known {
                Event::Acknowledged { operation, current }
            } else {
                Event::Rejected { operation, current }
            };
            self.enter(copy.epoch, Stage::Knows(event));
        }
    }

    /// Whether the remote holds what the request expects. It keeps tombstones.
    fn fits(&self, bounds: &Bounds, copy: &Copy) -> bool {
        let version = Version(self.remote.version);
        match copy.request.expected {
            Expected::Version(_) if bounds.fault == Fault::NewestVersion => self.remote.fields.is_some(),
            Expected::Version(expected) => self.remote.fields.is_some() && expected == version,
            Expected::Absent { gone } => self.remote.fields.is_none() && gone == Some(version),
        }
    }

    fn apply(&mut self, copy: Copy) {
        let operation = copy.request.operation;
        let old = self.remote.fields.take();
        self.revived |= old.is_none();
        self.revived_unasked |= old.is_none() && !self.may_revive;
        let mut fields = old.clone().unwrap_or_default();
        fields.extend(copy.request.fields.unwrap_or_default());
        let (before, after) = (number(old.as_ref(), "note"), number(Some(&fields), "note"));
        self.overwrote_unseen |= old.is_some() && before != after && !self.shown.contains(&before);
        self.paid.insert(after);
        self.remote.fields = Some(fields);
        self.remote.version += 1;
        self.remote.origin = Origin::Operation(operation.clone());
        self.remote.effects.push(operation);
    }
}
