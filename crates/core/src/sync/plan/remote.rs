//! What the remote says: observations, answers, and their absence.
//!
//! Owns the reaction to each. Every answer brings or stands for an observation, and the observation counts even when
//! the operation that it answers is long settled.

use super::super::outbox::{OutboxEvent, OutboxState};
use super::super::record::{Expected, FieldEdit, Intent, Operation, OperationId, Origin, RowState, Version};
use super::{Action, Outcome, PlanError, Planner};
use crate::value::Value;

impl Planner<'_> {
    pub(super) fn observed(&mut self, state: RowState) -> Result<(), PlanError> {
        let changed = self.observe(state);
        self.after_observation(changed)
    }

    pub(super) fn acknowledged(&mut self, id: &OperationId, current: RowState) -> Result<(), PlanError> {
        let changed = self.observe(current);
        if self.is_sending(id) { self.decide(Some(true)) } else { self.after_observation(changed) }
    }

    pub(super) fn rejected(&mut self, id: &OperationId, current: RowState) -> Result<(), PlanError> {
        let changed = self.observe(current);
        self.expose(id);
        let sent = self.record.overlay.sending.as_ref().filter(|operation| operation.id == *id);
        let Some(operation) = sent else { return self.after_observation(changed) };
        let waits_for_this = operation.state == OutboxState::Syncing;
        if waits_for_this && !self.moved() && !self.is_there(operation, None) {
            // Merging again would send the same request again, for ever.
            return self.fail_sending("the remote rejects the version that it shows".into());
        }
        if operation.state == OutboxState::Limbo && !self.moved() {
            return Ok(());
        }
        self.judge()
    }

    pub(super) fn refused(&mut self, id: &OperationId, reason: String) -> Result<(), PlanError> {
        self.expose(id);
        if self.is_sending(id) { self.fail_sending(reason) } else { Ok(()) }
    }

    pub(super) fn unknown(&mut self, id: &OperationId, reason: String) -> Result<(), PlanError> {
        self.expose(id);
        let sent = self.record.overlay.sending.as_mut().filter(|operation| operation.id == *id);
        let Some(operation) = sent else { return Ok(()) };
        operation.state = operation.state.after(OutboxEvent::LoseAnswer)?;
        operation.doubtful = true;
        operation.reason = Some(reason);
        self.actions.push(Action::ReadBack { operation: id.clone(), attempt: operation.attempts });
        Ok(())
    }

    pub(super) fn turned_away(&mut self, id: &OperationId, reason: String) -> Result<(), PlanError> {
        self.expose(id);
        self.postponed(id, reason)
    }

    pub(super) fn postponed(&mut self, id: &OperationId, reason: String) -> Result<(), PlanError> {
        let sent = self.record.overlay.sending.as_mut().filter(|operation| operation.id == *id);
        let Some(operation) = sent else { return Ok(()) };
        operation.state = operation.state.after(OutboxEvent::Postpone)?;
        operation.reason = Some(reason);
        // The mirror may have moved while nobody could judge it.
        self.after_observation(false)
    }

    pub(super) fn read_back(
        &mut self,
        id: &OperationId,
        attempt: u32,
        current: RowState,
        applied: Option<bool>,
    ) -> Result<(), PlanError> {
        let (known, seen) = (self.record.base.version(), current.version());
        let had_moved = seen > known || (seen == known && self.record.base.fields() != current.fields());
        let changed = self.observe(current);
        let sent = self.record.overlay.sending.as_ref().filter(|operation| operation.id == *id);
        match sent {
            Some(operation) if operation.state == OutboxState::Limbo => {
                // What an earlier read knew says nothing about the attempts after it, unless it found it.
                let current_read = attempt == operation.attempts || applied == Some(true);
                let applied = applied.filter(|_| current_read);
                // "Not applied" is final only of a row that no copy fits any more. One that moved after this reading
                // may have moved by ours.
                if applied != Some(true) && self.in_doubt(operation) && !(current_read && had_moved) {
                    let (operation, attempt) = (id.clone(), operation.attempts);
                    self.actions.push(Action::ReadBack { operation, attempt });
                    return Ok(());
                }
                self.decide(applied)
            }
            _ => self.after_observation(changed),
        }
    }

    pub(super) fn give_up(&mut self, id: &OperationId, reason: String) -> Result<(), PlanError> {
        if self.is_sending(id) {
            if !self.is_queued() {
                self.expose(id);
            }
            return self.fail_sending(reason);
        }
        let Some(operation) = self.record.overlay.pending.take_if(|operation| operation.id == *id) else {
            return Ok(());
        };
        self.fail(operation, reason)?;
        self.settle_pending_unless_sending()
    }

    fn fail_sending(&mut self, reason: String) -> Result<(), PlanError> {
        let Some(operation) = self.record.overlay.sending.take() else { return Ok(()) };
        self.fail(operation, reason)?;
        // What was committed on top was based on values that never came about; the merge shows it.
        self.settle_pending()
    }

    fn fail(&mut self, mut operation: Operation, reason: String) -> Result<(), PlanError> {
        operation.state = operation.state.after(OutboxEvent::Fail)?;
        operation.reason = Some(reason.clone());
        self.actions.push(Action::DeadLetter { operation: operation.id.clone(), reason });
        self.record.dead_letters.push(operation);
        Ok(())
    }

    fn is_sending(&self, id: &OperationId) -> bool {
        self.record.overlay.sending.as_ref().is_some_and(|operation| operation.id == *id)
    }

    /// Whether the operation on its way waits here for its next attempt.
    fn is_queued(&self) -> bool {
        self.record.overlay.sending.as_ref().is_some_and(|operation| operation.state == OutboxState::Queued)
    }

    /// An attempt went out and was not acknowledged.
    fn expose(&mut self, id: &OperationId) {
        if let Some(operation) = self.record.overlay.sending.as_mut().filter(|operation| operation.id == *id)
        {
            let exposed = operation.exposed.get_or_insert_default();
            if !exposed.operations.contains(id) {
                exposed.operations.push(id.clone());
            }
            if let Intent::Write(edits) = &operation.intent {
                let added = edits
                    .iter()
                    .filter(|(name, edit)| edit.mine != edit.seen && self.shape.unit_of(name).adds_up());
                exposed.increments.extend(added.map(|(name, edit)| (name.clone(), edit.clone())));
            }
        }
    }

    /// Whether the row may hold the operation's increment although no value of it can show so.
    fn in_doubt(&self, operation: &Operation) -> bool {
        let adds = operation.exposed.as_ref().is_some_and(|exposed| !exposed.increments.is_empty());
        adds && self.moved() && !self.is_there(operation, None)
    }

    /// Takes an observation into the mirror; false when it says nothing new.
    fn observe(&mut self, state: RowState) -> bool {
        let mirror = &mut self.record.mirror;
        let is_new = match (mirror.version(), state.version()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(known), Some(seen)) if seen != known => seen > known,
            // The same version. A row does not come back out of its own deletion, but a row of a known version can
            // vanish; and a remote whose versions are too coarse may have changed the values under it.
            (Some(_), Some(_)) => match (&mut *mirror, &state) {
                (RowState::Present(known), RowState::Present(seen)) => {
                    if known.fields == seen.fields && known.origin == Origin::Untold {
                        known.origin.clone_from(&seen.origin);
                    }
                    known.fields != seen.fields
                }
                (RowState::Present(_), _) => true,
                _ => false,
            },
        };
        if is_new {
            *mirror = state.clone();
            self.actions.push(Action::WriteMirror(state));
        }
        is_new
    }

    /// Whether the remote's row is another than the one that the operation on its way was based on.
    fn moved(&self) -> bool {
        let (base, mirror) = (&self.record.base, &self.record.mirror);
        base.version() != mirror.version() || base.fields() != mirror.fields()
    }

    fn after_observation(&mut self, changed: bool) -> Result<(), PlanError> {
        let Some(operation) = &self.record.overlay.sending else {
            return if changed { self.settle_pending() } else { Ok(()) };
        };
        let origin_is_ours = self.record.mirror.origin() == Some(&operation.id);
        // While the answer is awaited a moved row proves nothing: it may be ours.
        let decidable = operation.state != OutboxState::Syncing && self.moved();
        if origin_is_ours || decidable { self.judge() } else { Ok(()) }
    }

    /// Decides about the operation that was sent, unless the remote has to be asked first what became of it.
    fn judge(&mut self) -> Result<(), PlanError> {
        let doubted = self.record.overlay.sending.as_ref().filter(|operation| self.in_doubt(operation));
        let Some((id, state)) = doubted.map(|operation| (operation.id.clone(), operation.state)) else {
            return self.decide(None);
        };
        if state == OutboxState::Limbo {
            // It is being read.
            return Ok(());
        }
        let Some(operation) = &mut self.record.overlay.sending else { return Ok(()) };
        operation.state = state.after(OutboxEvent::LoseAnswer)?;
        self.actions.push(Action::ReadBack { operation: id, attempt: operation.attempts });
        Ok(())
    }

    /// Whether the remote's row shows that the operation is there.
    fn is_there(&self, operation: &Operation, applied: Option<bool>) -> bool {
        let mirror = &self.record.mirror;
        if applied == Some(true) || mirror.origin() == Some(&operation.id) {
            return true;
        }
        let (Intent::Write(_), RowState::Present(row)) = (&operation.intent, mirror) else {
            let deletes = matches!(operation.intent, Intent::Delete { .. });
            return deletes && !matches!(mirror, RowState::Present(_));
        };
        operation.intent.values().iter().all(|(name, value)| {
            // The equal sum of another user is not ours, and ours may hide in another one.
            !self.shape.unit_of(name).adds_up() && row.fields.get(name).unwrap_or(&Value::Null) == value
        })
    }

    /// Decides about the operation that was sent, from the mirror and what the remote said of it.
    fn decide(&mut self, applied: Option<bool>) -> Result<(), PlanError> {
        let Some(mut operation) = self.record.overlay.sending.take() else { return Ok(()) };
        if self.is_there(&operation, applied) {
            let ours = applied == Some(true) || self.record.mirror.origin() == Some(&operation.id);
            let outcome = if ours || operation.doubtful { Outcome::Arrived } else { Outcome::AlreadyThere };
            self.follow_up(&operation);
            self.settle(operation, OutboxEvent::Arrive, outcome)?;
            return self.settle_pending();
        }
        if !self.moved() {
            if operation.state == OutboxState::Limbo {
                operation.state = operation.state.after(OutboxEvent::Repeat)?;
            }
            self.record.overlay.sending = Some(operation);
            return Ok(());
        }
        // The row moved, so what was sent can no longer be applied: its expected version is gone. What it wanted is
        // merged with the new row and, being another request, gets another id.
        operation.state = operation.state.after(OutboxEvent::Rebase)?;
        operation.doubtful &= applied != Some(false);
        // What is known of this id says nothing of another one under which it went out before.
        let id = &operation.id;
        operation.exposed.take_if(|exposed| applied == Some(false) && exposed.operations.iter().eq([id]));
        operation.id = self.record.next_id();
        if let Some(later) = self.record.overlay.pending.take() {
            operation = self.join(operation, later);
        }
        self.record.overlay.pending = Some(operation);
        self.settle_pending()
    }

    /// Tells the operation that waits what became of the one that it was built on.
    fn follow_up(&mut self, arrived: &Operation) {
        let mirror = &self.record.mirror;
        let Some(pending) = &mut self.record.overlay.pending else { return };
        if matches!(arrived.intent, Intent::Write(_)) {
            pending.expected = Expected::Version(mirror.version().unwrap_or(Version(0)));
        }
        // The remote may have stored the values in its own way, rounded or trimmed. The row that our operation made
        // is what its author's values became, so later edits are based on it.
        let (Some(row), true) = (mirror.fields(), mirror.origin() == Some(&arrived.id)) else { return };
        match &mut pending.intent {
            // What others changed before that is still news to whoever deletes the row.
            Intent::Delete { seen } => {
                let before = self.record.base.fields();
                let ours = |(name, value): &(&String, &Value)| {
                    before.and_then(|before| before.get(*name)) != Some(*value)
                };
                seen.extend(row.iter().filter(ours).map(|(name, value)| (name.clone(), value.clone())));
            }
            Intent::Write(edits) => {
                for name in arrived.intent.values().keys() {
                    let Some(FieldEdit { seen, mine, .. }) = edits.get_mut(name) else { continue };
                    let value = row.get(name).cloned().unwrap_or_default();
                    if mine == seen {
                        mine.clone_from(&value);
                    }
                    *seen = value;
                }
            }
        }
    }
}
