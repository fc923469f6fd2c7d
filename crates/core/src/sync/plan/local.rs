//! What people do: draft, commit, discard, decide a conflict, look after dead letters.
//!
//! Owns these commands. Whatever is refused here leaves the draft, the conflict or the dead letter where it was.

use std::collections::BTreeMap;

use super::super::conflict::{Answer, Conflict, ConflictKind, Pick};
use super::super::field::FieldClass;
use super::super::hybrid::HybridTime;
use super::super::merge::{Lost, Side};
use super::super::outbox::{OutboxEvent, OutboxState};
use super::super::record::{
    Edit, Expected, FieldEdit, Fields, Intent, Operation, OperationId, RowState, Version,
};
use super::{Action, Outcome, PlanError, Planner};
use crate::value::Value;

impl Planner<'_> {
    pub(super) fn draft(&mut self, edit: Edit, at: &HybridTime, fields: Fields) -> Result<(), PlanError> {
        let begun = self.record.overlay.drafts.iter().position(|draft| is_of(draft, &edit.id));
        let earlier = begun.map(|place| self.record.overlay.drafts.remove(place));
        let view = self.editable_view()?;
        // Whoever goes on editing sees what they drafted already.
        let seen = earlier.as_ref().map_or_else(|| view.clone(), |draft| draft.intent.over(view.as_ref()));
        let value_of = |name: &str| seen.as_ref().and_then(|row| row.get(name)).cloned().unwrap_or_default();
        let mut edits = BTreeMap::new();
        for name in fields.keys() {
            let unit = self.shape.unit_of(name);
            for member in &unit.fields {
                let old = value_of(member);
                let new = fields.get(member).unwrap_or(&old).clone();
                if let FieldClass::ForwardOnly(order) = &unit.class {
                    refuse_backward(member, order, &old, &new)?;
                }
                edits.insert(member.clone(), FieldEdit { seen: old, mine: new, at: at.clone() });
            }
        }
        let intent = Intent::Write(edits);
        let draft = match earlier {
            Some(draft) => Operation { intent: draft.intent.then(intent), ..draft },
            None => self.new_draft(edit, intent, view.is_some()),
        };
        self.record.overlay.drafts.push(draft);
        Ok(())
    }

    pub(super) fn draft_delete(&mut self, edit: Edit) -> Result<(), PlanError> {
        self.record.overlay.drafts.retain(|draft| !is_of(draft, &edit.id));
        let seen = self.editable_view()?.ok_or(PlanError::Deleted)?;
        let draft = self.new_draft(edit, Intent::Delete { seen }, true);
        self.record.overlay.drafts.push(draft);
        Ok(())
    }

    pub(super) fn made(
        &mut self,
        edit: Edit,
        at: &HybridTime,
        seen: Option<Fields>,
        fields: Option<Fields>,
    ) -> Result<(), PlanError> {
        if let Some(conflict) = &self.record.conflict {
            return Err(PlanError::ConflictOpen(conflict.revision));
        }
        let saw_row = seen.is_some();
        let seen = seen.unwrap_or_default();
        let intent = match fields {
            None => Intent::Delete { seen },
            Some(fields) => {
                let value_of = |name: &str| seen.get(name).cloned().unwrap_or_default();
                let members = fields.keys().flat_map(|name| self.shape.unit_of(name).fields);
                let edited = members.map(|member| {
                    let old = value_of(&member);
                    let mine = fields.get(&member).unwrap_or(&old).clone();
                    (member, FieldEdit { seen: old, mine, at: at.clone() })
                });
                Intent::Write(edited.collect())
            }
        };
        // A row that was deleted here and made anew before the deletion was sent.
        self.editable_view()?;
        let mut made = self.new_draft(edit, intent, saw_row);
        made.state = made.state.after(OutboxEvent::Commit)?;
        let operation = match self.record.overlay.pending.take() {
            None => made,
            Some(waiting) => self.join(waiting, made),
        };
        self.record.overlay.pending = Some(operation);
        self.settle_pending_unless_sending()
    }

    fn new_draft(&mut self, edit: Edit, intent: Intent, saw_row: bool) -> Operation {
        // A row that exists here only, because its creation is still on its way, is a row to its author: if the
        // creation fails, the edit must not create a half row in its place.
        let expected = match self.record.mirror.expected() {
            Expected::Absent { .. } if saw_row => Expected::Version(Version(0)),
            expected => expected,
        };
        Operation {
            id: self.record.next_id(),
            intent,
            expected,
            edits: vec![edit],
            state: OutboxState::Draft,
            attempts: 0,
            doubtful: false,
            exposed: None,
            reason: None,
        }
    }

    fn editable_view(&self) -> Result<Option<Fields>, PlanError> {
        let view = self.record.view();
        let overlay = &self.record.overlay;
        let edited = overlay.sending.is_some() || overlay.pending.is_some();
        if view.is_none() && edited { Err(PlanError::Deleted) } else { Ok(view) }
    }

    pub(super) fn commit(&mut self, edit: &str) -> Result<(), PlanError> {
        let mut draft = self.take_draft(edit)?;
        if let Some(conflict) = &self.record.conflict {
            return Err(PlanError::ConflictOpen(conflict.revision));
        }
        let view = self.editable_view()?;
        self.refuse_stale(&draft.intent, view.as_ref())?;
        if let Some(whole) = draft.intent.over(view.as_ref()) {
            let checked = self.rules.check(self.record.mirror.fields(), &whole);
            checked.map_err(|broken| PlanError::Broken(broken.message))?;
        }
        draft.state = draft.state.after(OutboxEvent::Commit)?;
        let operation = match self.record.overlay.pending.take() {
            None => draft,
            Some(waiting) => self.join(waiting, draft),
        };
        self.record.overlay.pending = Some(operation);
        self.settle_pending_unless_sending()
    }

    /// The remote's edits are met by the merge; those of colleagues are met here, where the author can still look.
    fn refuse_stale(&self, intent: &Intent, view: Option<&Fields>) -> Result<(), PlanError> {
        let overlay = &self.record.overlay;
        let local: Vec<&Intent> =
            overlay.sending.iter().chain(&overlay.pending).map(|operation| &operation.intent).collect();
        if local.is_empty() {
            return Ok(());
        }
        let edited_here = |name: &String| {
            local.iter().any(|intent| matches!(intent, Intent::Write(edits) if edits.contains_key(name)))
        };
        let now = |name: &String| view.and_then(|row| row.get(name)).cloned().unwrap_or_default();
        let stale: Vec<String> = match intent {
            Intent::Write(edits) => {
                let changed = edits.iter().filter(|(name, edit)| edited_here(name) && now(name) != edit.seen);
                changed.map(|(name, _)| name.clone()).collect()
            }
            Intent::Delete { seen } => {
                let row = view.cloned().unwrap_or_default();
                let names = row.keys().filter(|name| edited_here(name) && row.get(*name) != seen.get(*name));
                names.cloned().collect()
            }
        };
        if stale.is_empty() { Ok(()) } else { Err(PlanError::Stale(stale)) }
    }

    pub(super) fn discard(&mut self, edit: &str) -> Result<(), PlanError> {
        let draft = self.take_draft(edit)?;
        draft.state.after(OutboxEvent::Discard)?;
        Ok(())
    }

    fn take_draft(&mut self, edit: &str) -> Result<Operation, PlanError> {
        let drafts = &mut self.record.overlay.drafts;
        let place = drafts.iter().position(|draft| is_of(draft, edit));
        let place = place.ok_or_else(|| PlanError::Missing { what: "draft", id: edit.to_owned() })?;
        Ok(drafts.remove(place))
    }

    pub(super) fn answer(&mut self, answer: &Answer) -> Result<(), PlanError> {
        let open = self.record.conflict.clone().zip(self.record.overlay.pending.take());
        let Some((conflict, mut operation)) = open else {
            return Err(PlanError::Missing { what: "conflict", id: answer.shown.to_string() });
        };
        if conflict.revision != answer.shown {
            return Err(PlanError::Moved { shown: answer.shown, now: conflict.revision });
        }
        let asked = operation.exposed.clone().filter(|_| conflict.kind == ConflictKind::Doubtful);
        let asked = asked.map(|exposed| exposed.increments).unwrap_or_default();
        // A person has looked at the row: it no longer matters what became of earlier attempts, unless one of them
        // still fits it.
        operation.doubtful = false;
        let expected = self.record.mirror.expected();
        operation.exposed.take_if(|_| operation.expected != expected);
        let intent = std::mem::replace(&mut operation.intent, Intent::Write(BTreeMap::new()));
        operation.intent = match (&conflict.kind, intent) {
            (ConflictKind::DeletedThere | ConflictKind::DeletedHere, intent) => match answer.otherwise {
                Pick::Value(_) => return Err(PlanError::NeedsSide),
                Pick::Theirs => {
                    self.journal_intent(&intent);
                    return self.over(operation, OutboxEvent::Yield, Outcome::GaveWay);
                }
                Pick::Mine => {
                    operation.expected = self.record.mirror.expected();
                    self.insist(intent)
                }
            },
            (_, Intent::Write(edits)) => self.decide_fields(answer, &conflict, edits, &asked)?,
            (_, delete @ Intent::Delete { .. }) => delete,
        };
        let gave_up = |action: &Action| matches!(action, Action::Journal(lost) if lost.side == Side::Mine);
        if matches!(&operation.intent, Intent::Write(_))
            && operation.intent.values().is_empty()
            && self.actions.iter().any(gave_up)
        {
            return self.over(operation, OutboxEvent::Yield, Outcome::GaveWay);
        }
        operation.state = operation.state.after(OutboxEvent::Requeue)?;
        if operation.attempts > 0 {
            operation.id = self.record.next_id();
        }
        self.record.overlay.pending = Some(operation);
        self.settle_pending()
    }

    /// The local intent again, against the row as it is at the remote now.
    fn insist(&self, intent: Intent) -> Intent {
        match (intent, &self.record.mirror) {
            (Intent::Delete { .. }, RowState::Present(row)) => Intent::Delete { seen: row.fields.clone() },
            (Intent::Write(edits), RowState::Unknown | RowState::Gone { .. }) => {
                // The row is created anew, so it needs the fields that nobody edited too.
                let Some(at) = edits.values().map(|edit| edit.at.clone()).max() else {
                    return Intent::Write(edits);
                };
                let whole = Intent::Write(edits).over(self.record.base.fields()).unwrap_or_default();
                let create = |(name, mine)| (name, FieldEdit { seen: Value::Null, mine, at: at.clone() });
                Intent::Write(whole.into_iter().map(create).collect())
            }
            (intent, _) => intent,
        }
    }

    fn decide_fields(
        &mut self,
        answer: &Answer,
        conflict: &Conflict,
        mut edits: BTreeMap<String, FieldEdit>,
        doubted: &BTreeMap<String, FieldEdit>,
    ) -> Result<Intent, PlanError> {
        let row = self.record.mirror.fields().cloned().unwrap_or_default();
        let at = edits.values().map(|edit| edit.at.clone()).max();
        for (name, field) in &conflict.fields {
            let there = row.get(name).cloned().unwrap_or_default();
            let edit = edits.remove(name);
            let pick = answer.fields.get(name).unwrap_or(&answer.otherwise);
            if doubted.contains_key(name) {
                // Asked was whether an increment is in there, and what was shown are the sums that follow.
                let sum = match pick {
                    Pick::Mine => field.mine.clone(),
                    Pick::Theirs => field.theirs.clone(),
                    Pick::Value(value) => Some(value.clone()),
                };
                let counted = edit.zip(sum).filter(|(_, sum)| *sum != there);
                edits.extend(
                    counted.map(|(edit, mine)| (name.clone(), FieldEdit { seen: there, mine, ..edit })),
                );
                continue;
            }
            let mine = edit.as_ref().map_or_else(|| there.clone(), |edit| edit.mine.clone());
            let chosen = match pick {
                Pick::Mine => mine.clone(),
                Pick::Theirs => there.clone(),
                Pick::Value(value) => value.clone(),
            };
            if mine != chosen && edit.is_some() {
                let lost = Lost { field: name.clone(), side: Side::Mine, value: mine };
                self.actions.push(Action::Journal(lost));
            }
            if chosen == there {
                continue;
            }
            self.actions.push(Action::Journal(Lost {
                field: name.clone(),
                side: Side::Theirs,
                value: there.clone(),
            }));
            if let Some(at) = edit.map(|edit| edit.at).or_else(|| at.clone()) {
                edits.insert(name.clone(), FieldEdit { seen: there, mine: chosen, at });
            }
        }
        let intent = Intent::Write(edits);
        // An answer to a broken rule has to mend it. One to another question may lead to this one, which the merge
        // then asks. Giving up every edit is always allowed, even when the remote's row itself breaks a rule.
        if matches!(conflict.kind, ConflictKind::BrokenRule(_)) && !intent.values().is_empty() {
            let whole = intent.over(Some(&row)).unwrap_or_default();
            let checked = self.rules.check(Some(&row), &whole);
            checked.map_err(|broken| PlanError::Broken(broken.message))?;
        }
        Ok(intent)
    }

    pub(super) fn requeue(&mut self, id: &OperationId) -> Result<(), PlanError> {
        let overlay = &self.record.overlay;
        if overlay.sending.is_some() || overlay.pending.is_some() {
            return Err(PlanError::Busy);
        }
        let mut operation = self.take_dead_letter(id)?;
        operation.state = operation.state.after(OutboxEvent::Requeue)?;
        operation.id = self.record.next_id();
        if matches!(self.record.mirror, RowState::Present(_))
            && matches!(operation.expected, Expected::Absent { .. })
        {
            operation.expected = self.record.mirror.expected();
        }
        self.record.overlay.pending = Some(operation);
        self.settle_pending()
    }

    pub(super) fn dismiss(&mut self, id: &OperationId) -> Result<(), PlanError> {
        let operation = self.take_dead_letter(id)?;
        self.journal_intent(&operation.intent);
        self.settle(operation, OutboxEvent::Discard, Outcome::GaveWay)
    }

    fn take_dead_letter(&mut self, id: &OperationId) -> Result<Operation, PlanError> {
        let place = self.record.dead_letters.iter().position(|operation| operation.id == *id);
        let place = place.ok_or_else(|| PlanError::Missing { what: "dead letter", id: id.to_string() })?;
        Ok(self.record.dead_letters.remove(place))
    }
}

fn is_of(draft: &Operation, edit: &str) -> bool {
    draft.edits.iter().any(|known| known.id == edit)
}

fn refuse_backward(field: &str, order: &[String], old: &Value, new: &Value) -> Result<(), PlanError> {
    let place = |value: &Value| order.iter().position(|name| value.as_text() == Some(name));
    let known = place(new);
    if old == new || (known.is_some() && known >= place(old)) {
        return Ok(());
    }
    Err(PlanError::NotForward { field: field.into(), from: old.to_string(), to: new.to_string() })
}
