//! The people on both sides: who edits, deletes, commits and decides.

use std::collections::{BTreeMap, BTreeSet};

use super::super::conflict::{Answer, ConflictKind, Pick};
use super::super::field::Rules;
use super::super::plan::Event;
use super::super::record::{Edit, FieldEdit, Fields, Intent, Version};
use super::Violation;
use super::world::{FloorBelowCeiling, REGISTERS, STATUSES, World};
use crate::value::Value;

impl World {
    fn next_unique(&mut self) -> i64 {
        self.unique += 1;
        // The leading part decides about the rule, the rest makes the value unique.
        let leading = i64::try_from(self.pick(10)).unwrap_or(0);
        leading * 100_000 + self.unique
    }

    /// New values for one or two fields of a row.
    fn new_values(&mut self, row: Option<&Fields>) -> Fields {
        let mut fields = Fields::new();
        for _ in 0..=self.pick(2) {
            let value_of = |name: &str| row.and_then(|row| row.get(name));
            match self.pick(11) {
                8 => {
                    let old = value_of("count").and_then(Value::as_integer).unwrap_or(0);
                    // Down as well, so that others take back exactly what was added.
                    let more = [-2, -1, 1, 2, 5][usize::try_from(self.pick(5)).unwrap_or(0)];
                    fields.insert("count".into(), Value::Integer(old + more));
                }
                9 => {
                    let old = value_of("status").and_then(Value::as_text).unwrap_or(STATUSES[0]);
                    let place = STATUSES.iter().position(|status| *status == old).unwrap_or(0);
                    let next = STATUSES[(place + 1).min(STATUSES.len() - 1)];
                    fields.insert("status".into(), Value::text(next));
                }
                10 => {
                    let old = value_of("tags").and_then(Value::as_text).unwrap_or("[]");
                    let mut tags: BTreeSet<u64> = serde_json::from_str(old).unwrap_or_default();
                    let tag = self.pick(8);
                    if !tags.remove(&tag) {
                        tags.insert(tag);
                    }
                    let texts: Vec<String> = tags.iter().map(ToString::to_string).collect();
                    fields.insert("tags".into(), Value::Json(format!("[{}]", texts.join(","))));
                }
                field => {
                    let name = REGISTERS[usize::try_from(field).unwrap_or(0)];
                    fields.insert(name.into(), Value::Integer(self.next_unique()));
                }
            }
        }
        fields
    }

    pub(super) fn foreign_edit(&mut self) {
        let before = self.remote.row.clone();
        if before.is_none() && self.remote.version > 0 && self.pick(4) > 0 {
            return;
        }
        let mut after = before.clone().unwrap_or_else(|| Fields::from([("count".into(), Value::Integer(0))]));
        after.extend(self.new_values(before.as_ref()));
        if FloorBelowCeiling.check(None, &after).is_err() {
            return;
        }
        let count = |row: &Fields| row.get("count").and_then(Value::as_integer).unwrap_or(0);
        self.counter += count(&after) - before.as_ref().map_or(0, count);
        self.counts.foreign += 1;
        self.remote.change(Some(after), self.steps);
    }

    pub(super) fn foreign_delete(&mut self) {
        if self.remote.row.is_some() {
            self.counts.foreign += 1;
            self.counter_exact = false;
            self.remote.change(None, self.steps);
        }
    }

    pub(super) fn local_edit(&mut self) -> Result<(), Violation> {
        let view = self.record.view();
        let creates = view.is_none().then(|| self.record.mirror.version());
        let fields = self.new_values(view.as_ref());
        self.unique += 1;
        let edit = Edit { id: format!("e{}", self.unique), author: "someone".into() };
        let at = self.clock.now(self.steps);
        let id = edit.id.clone();
        if self.try_step(Event::Draft { edit, at, fields })?.is_none() {
            return Ok(());
        }
        // Sometimes the world moves between the draft and its commit.
        if self.pick(4) == 0 {
            self.deliver_answer(true)?;
        }
        self.commit(id, creates)
    }

    pub(super) fn local_delete(&mut self) -> Result<(), Violation> {
        self.unique += 1;
        let edit = Edit { id: format!("d{}", self.unique), author: "someone".into() };
        let id = edit.id.clone();
        self.counter_exact = false;
        if self.try_step(Event::DraftDelete { edit })?.is_some() { self.commit(id, None) } else { Ok(()) }
    }

    /// `creates` is the mirror's version at the time of the draft, when there was no row then.
    fn commit(&mut self, edit: String, creates: Option<Option<Version>>) -> Result<(), Violation> {
        let drafts = &self.record.overlay.drafts;
        let drafted = drafts.iter().find(|draft| draft.edits.iter().any(|known| known.id == edit));
        let Some(intent) = drafted.map(|draft| draft.intent.clone()) else { return Ok(()) };
        let before: Vec<&Intent> = self
            .record
            .overlay
            .sending
            .iter()
            .chain(&self.record.overlay.pending)
            .map(|op| &op.intent)
            .collect();
        // What an earlier edit of ours wrote and this one replaces is accounted for by this one.
        let replaced: Vec<(String, String)> = before
            .iter()
            .flat_map(|intent| intent.values())
            .map(|(name, value)| (name, value.to_string()))
            .collect();
        let mut expected = self.settled.clone();
        expected.entry(edit.clone()).or_default();
        let known = std::mem::replace(&mut self.settled, expected);
        if self.try_step(Event::Commit { edit: edit.clone() })?.is_none() {
            self.settled = known;
            self.try_step(Event::Discard { edit })?;
            return Ok(());
        }
        self.counts.commits += 1;
        self.may_create |= creates == Some(self.record.mirror.version());
        match intent {
            Intent::Write(edits) => {
                for (name, FieldEdit { seen, mine, .. }) in edits {
                    let entry = |value: &Value| (name.clone(), value.to_string());
                    if name == "count" {
                        let delta = |value: &Value| value.as_integer().unwrap_or(0);
                        self.counter += delta(&mine) - delta(&seen);
                    }
                    if REGISTERS.contains(&name.as_str()) {
                        self.known.extend([entry(&seen), entry(&mine)]);
                        if seen != mine {
                            self.owed.insert(entry(&mine));
                            self.paid.extend(replaced.iter().filter(|(field, _)| *field == name).cloned());
                        }
                    }
                }
            }
            Intent::Delete { seen } => {
                self.known.extend(seen.into_iter().map(|(name, value)| (name, value.to_string())));
                self.paid.extend(replaced);
            }
        }
        Ok(())
    }

    /// People look after the conflict and the dead letters.
    pub(super) fn decide(&mut self) -> Result<(), Violation> {
        if let Some(letter) = self.record.dead_letters.first() {
            let operation = letter.id.clone();
            let again = self.pick(2) == 0;
            if !again || self.try_step(Event::Requeue { operation: operation.clone() })?.is_none() {
                self.counter_exact = false;
                self.try_step(Event::Dismiss { operation })?;
            }
            return Ok(());
        }
        let Some(conflict) = self.record.conflict.clone() else { return Ok(()) };
        let old = Answer { shown: conflict.revision - 1, otherwise: Pick::Mine, fields: BTreeMap::new() };
        if self.try_step(Event::Answer(old))?.is_some() {
            return Err(self.violation("I4", "an answer to an older revision was taken"));
        }
        let otherwise = if self.pick(2) == 0 { Pick::Mine } else { Pick::Theirs };
        let deletes = matches!(conflict.kind, ConflictKind::DeletedHere | ConflictKind::DeletedThere);
        // Whoever is asked about an increment looks it up at the remote.
        let exposed = self.record.overlay.pending.as_ref().and_then(|pending| pending.exposed.as_ref());
        let asked = exposed
            .filter(|exposed| conflict.kind == ConflictKind::Doubtful && exposed.operations.len() == 1)
            // A counter that began with a creation on both sides has no sum.
            .filter(|exposed| exposed.increments.get("count").is_some_and(|edit| edit.seen != Value::Null));
        let truth = asked.map(|exposed| {
            let arrived = self.remote.effects.contains_key(&exposed.operations[0]);
            if arrived { Pick::Theirs } else { Pick::Mine }
        });
        if truth.is_none() && conflict.fields.contains_key("count") || deletes {
            self.counter_exact = false;
        }
        let fields: BTreeMap<String, Pick> =
            truth.map(|pick| ("count".to_owned(), pick)).into_iter().collect();
        // Whoever answers has seen both values.
        for (name, field) in &conflict.fields {
            let shown = [&field.mine, &field.theirs];
            self.known.extend(shown.into_iter().flatten().map(|value| (name.clone(), value.to_string())));
        }
        if deletes && otherwise == Pick::Mine {
            self.may_create = true;
            self.known.extend(
                self.record
                    .mirror
                    .fields()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), value.to_string())),
            );
        }
        let answer = |otherwise| Answer { shown: conflict.revision, otherwise, fields: fields.clone() };
        // Mine may still break the rule; theirs never does.
        if self.try_step(Event::Answer(answer(otherwise)))?.is_none()
            && self.try_step(Event::Answer(answer(Pick::Theirs)))?.is_none()
        {
            return Err(self.violation("I8", "a conflict cannot be decided"));
        }
        Ok(())
    }
}
