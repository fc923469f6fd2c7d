//! The network, and the accounts that the invariants are checked against.

use std::collections::{BTreeMap, BTreeSet};

use super::super::conflict::ConflictKind;
use super::super::field::{Broken, ChangeUnit, FieldClass, LinkShape, Policy, Rules};
use super::super::hybrid::HybridClock;
use super::super::merge::Side;
use super::super::outbox::OutboxState;
use super::super::plan::{Action, Dispatch, Event, PlanError, step};
use super::super::record::{Expected, Fields, OperationId, RowState, SyncRecord};
use super::remote::Remote;
use super::{Counts, Violation};
use crate::seed::Numbers;
use crate::value::Value;

/// Fields whose values are unique in a history, so that every one can be accounted for.
pub(super) const REGISTERS: [&str; 8] = ["note", "owner", "cost", "rank", "start", "end", "floor", "ceiling"];
pub(super) const STATUSES: [&str; 4] = ["planned", "ordered", "delivered", "closed"];

/// The one rule of the simulated system.
pub(super) struct FloorBelowCeiling;

impl Rules for FloorBelowCeiling {
    fn check(&self, _before: Option<&Fields>, merged: &Fields) -> Result<(), Broken> {
        let value = |name: &str| merged.get(name).and_then(Value::as_integer);
        match (value("floor"), value("ceiling")) {
            (Some(floor), Some(ceiling)) if floor > ceiling => Err(Broken {
                fields: vec!["floor".into(), "ceiling".into()],
                message: "the floor is above the ceiling".into(),
            }),
            _ => Ok(()),
        }
    }
}

fn shape() -> LinkShape {
    let unit = |fields: &[&str], class, policy| ChangeUnit {
        fields: fields.iter().map(ToString::to_string).collect(),
        class,
        policy,
    };
    let order = STATUSES.iter().map(ToString::to_string).collect();
    let units = vec![
        unit(&["owner"], FieldClass::Register, Policy::Theirs),
        unit(&["cost"], FieldClass::Register, Policy::Mine),
        unit(&["rank"], FieldClass::Register, Policy::Newest),
        unit(&["count"], FieldClass::Counter, Policy::Merge),
        unit(&["status"], FieldClass::ForwardOnly(order), Policy::Merge),
        unit(&["tags"], FieldClass::Set, Policy::Merge),
        unit(&["start", "end"], FieldClass::Register, Policy::Manual),
    ];
    LinkShape::new(units).unwrap_or_default()
}

pub(super) struct World {
    pub(super) counts: Counts,
    pub(super) seed: u64,
    random: Numbers,
    pub(super) steps: u64,
    pub(super) unique: i64,
    pub(super) shape: LinkShape,
    pub(super) record: SyncRecord,
    pub(super) remote: Remote,
    pub(super) clock: HybridClock,
    pub(super) requests: Vec<Dispatch>,
    pub(super) reads: Vec<(OperationId, u32)>,
    pub(super) arriving: Vec<Event>,
    /// Everything that was ever observed, to be delivered once more at the end.
    pub(super) pages: Vec<RowState>,
    /// The committed edits and how often each was settled.
    pub(super) settled: BTreeMap<String, u32>,
    /// Register values committed here, and those that are accounted for.
    pub(super) owed: BTreeSet<(String, String)>,
    pub(super) paid: BTreeSet<(String, String)>,
    /// Register values that somebody here saw, wrote, or that the journal names as overwritten.
    pub(super) known: BTreeSet<(String, String)>,
    pub(super) may_create: bool,
    pub(super) counter: i64,
    pub(super) counter_exact: bool,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let knows_keys = !seed.is_multiple_of(3);
        let mut world = Self {
            counts: Counts::default(),
            seed,
            random: Numbers::of(seed),
            steps: 0,
            unique: 0,
            shape: shape(),
            record: SyncRecord::new(format!("s{seed}")),
            remote: Remote::new(knows_keys),
            clock: HybridClock::new("here"),
            requests: Vec::new(),
            reads: Vec::new(),
            arriving: Vec::new(),
            pages: Vec::new(),
            settled: BTreeMap::new(),
            owed: BTreeSet::new(),
            paid: BTreeSet::new(),
            known: BTreeSet::new(),
            may_create: true,
            counter: 0,
            counter_exact: true,
        };
        if world.pick(4) > 0 {
            world.foreign_edit();
        }
        world
    }

    /// A number from the seed, below `below`.
    pub(super) fn pick(&mut self, below: u64) -> u64 {
        self.random.below(below)
    }

    pub(super) fn violation(&self, invariant: &'static str, what: impl Into<String>) -> Violation {
        Violation { seed: self.seed, step: self.steps, invariant, what: what.into() }
    }

    /// One random thing happens.
    pub(super) fn chance(&mut self) -> Result<(), Violation> {
        self.steps += 1;
        match self.pick(24) {
            0..=3 => self.local_edit()?,
            4..=6 => self.foreign_edit(),
            7 if self.pick(5) == 0 => self.foreign_delete(),
            8 if self.pick(5) == 0 => self.local_delete()?,
            9..=12 => self.send(true)?,
            13..=14 => self.deliver_request(true)?,
            15..=17 => self.deliver_answer(true)?,
            18 => self.pull(),
            19 => self.lose_answer()?,
            20 => self.drop_request()?,
            21 if self.pick(3) == 0 => {
                self.counts.faults.restarts += 1;
                self.try_step(Event::Recover)?;
            }
            22 => self.decide()?,
            23 => self.deliver_read(true),
            _ => {}
        }
        Ok(())
    }

    /// The faults stop: everything that is on its way arrives, and people decide what waits for them.
    pub(super) fn calm(&mut self) -> Result<(), Violation> {
        for round in 0..400 {
            self.steps += 1;
            while !self.requests.is_empty() {
                self.deliver_request(false)?;
            }
            while !self.reads.is_empty() {
                self.deliver_read(false);
            }
            while !self.arriving.is_empty() {
                self.deliver_answer(false)?;
            }
            self.try_step(Event::Observed(self.remote.state()))?;
            if round % 3 == 2 {
                self.decide()?;
            }
            // An operation that is on its way, with nothing on its way, has lost its answer.
            self.try_step(Event::Recover)?;
            let overlay = &self.record.overlay;
            let over = overlay.sending.is_none() && overlay.pending.is_none();
            if over && self.record.dead_letters.is_empty() && self.reads.is_empty() {
                return Ok(());
            }
            self.send(false)?;
        }
        Err(self.violation("I8", format!("no rest after 400 rounds: {:?}", self.record.overlay)))
    }

    pub(super) fn judge(&mut self) -> Result<(), Violation> {
        let row = self.remote.row.clone();
        if self.record.mirror.fields() != row.as_ref() || self.record.base.fields() != row.as_ref() {
            return Err(self.violation("I1", format!("{:?} is not {row:?}", self.record.mirror)));
        }
        if let Some((edit, times)) = self.settled.iter().find(|(_, times)| **times != 1) {
            return Err(self.violation("I2", format!("edit {edit} was settled {times} times")));
        }
        if let Some(missing) = self.owed.difference(&self.paid).next() {
            return Err(self.violation("I2", format!("{missing:?} is neither there nor journaled")));
        }
        if self.counter_exact {
            self.counts.counted = 1;
            let found = row.as_ref().and_then(|row| row.get("count")).and_then(Value::as_integer);
            if row.is_some() && found.unwrap_or(0) != self.counter {
                let what = format!("the counter is {found:?}, the increments sum to {}", self.counter);
                return Err(self.violation("I3", what));
            }
        }
        let rest = self.record.clone();
        for page in std::mem::take(&mut self.pages) {
            let actions = self.try_step(Event::Observed(page))?.unwrap_or_default();
            if !actions.is_empty() || self.record.mirror != rest.mirror {
                return Err(self.violation("I5", format!("an old page caused {actions:?}")));
            }
        }
        if self.try_step(Event::Send)?.is_some() {
            return Err(self.violation("I5", "something is sent after the rest"));
        }
        Ok(())
    }

    /// Takes an event. Commands may be refused (`None`); what the remote says may not.
    pub(super) fn try_step(&mut self, event: Event) -> Result<Option<Vec<Action>>, Violation> {
        let version = self.record.mirror.version();
        let taken = match step(&self.shape, &FloorBelowCeiling, &self.record, event.clone()) {
            Ok(taken) => taken,
            Err(error) => {
                let command = matches!(
                    event,
                    Event::Draft { .. }
                        | Event::DraftDelete { .. }
                        | Event::Commit { .. }
                        | Event::Discard { .. }
                        | Event::Send
                        | Event::Answer(_)
                        | Event::Requeue { .. }
                );
                let illegal = matches!(error, PlanError::Illegal(_)) && event != Event::Send;
                return if command && !illegal {
                    Ok(None)
                } else {
                    Err(self.violation("table", format!("{event:?}: {error}")))
                };
            }
        };
        self.record = taken.record;
        if self.record.mirror.version() < version {
            return Err(self.violation("I6", format!("the mirror went back by {event:?}")));
        }
        if self.record.overlay.sending.as_ref().is_some_and(|sending| sending.state == OutboxState::Conflict)
        {
            return Err(self.violation("table", "a conflict is on its way"));
        }
        for action in &taken.actions {
            self.account(action)?;
        }
        Ok(Some(taken.actions))
    }

    pub(super) fn account(&mut self, action: &Action) -> Result<(), Violation> {
        match action {
            Action::Dispatch(request) => {
                let creates = request.fields.is_some() && matches!(request.expected, Expected::Absent { .. });
                if creates && !self.may_create {
                    return Err(self.violation("I6", "a row known to be deleted is revived unasked"));
                }
                self.requests.push(request.clone());
            }
            // From now on we know, so whoever wants the row back has to say so.
            Action::WriteMirror(RowState::Gone { .. }) => self.may_create = false,
            Action::ReadBack { operation, attempt } => {
                self.counts.limbo += 1;
                self.reads.push((operation.clone(), *attempt));
            }
            Action::RaiseConflict(_) | Action::ReopenConflict(_) => {
                self.counts.conflicts += 1;
                let kind = self.record.conflict.as_ref().map(|conflict| &conflict.kind);
                self.counts.undecidable += u64::from(kind == Some(&ConflictKind::Doubtful));
            }
            Action::DeadLetter { .. } => self.counts.dead_letters += 1,
            Action::Journal(lost) => {
                self.counts.lost += 1;
                let entry = (lost.field.clone(), lost.value.to_string());
                match lost.side {
                    Side::Mine => drop(self.paid.insert(entry)),
                    Side::Theirs => drop(self.known.insert(entry)),
                }
                if lost.field == "count" {
                    self.counter_exact = false;
                }
            }
            Action::Settle { edits, .. } => {
                for edit in edits {
                    *self.settled.entry(edit.clone()).or_default() += 1;
                }
            }
            Action::WriteMirror(_)
            | Action::Enqueue(_)
            | Action::Coalesce { .. }
            | Action::CloseConflict(_) => {}
        }
        Ok(())
    }

    pub(super) fn send(&mut self, faults: bool) -> Result<(), Violation> {
        // A refused one waits for a person, a conflict, or has nothing to say.
        if self.try_step(Event::Send)?.is_none() || !faults || self.pick(8) > 0 {
            return Ok(());
        }
        // There is no connection: nothing leaves, which only we can know.
        let Some(Dispatch { operation, .. }) = self.requests.pop() else { return Ok(()) };
        self.counts.faults.not_sent += 1;
        self.try_step(Event::Postponed { operation, reason: "no connection".into() }).map(drop)
    }

    pub(super) fn deliver_request(&mut self, faults: bool) -> Result<(), Violation> {
        if self.requests.is_empty() {
            return Ok(());
        }
        let place = usize::try_from(self.pick(self.requests.len() as u64)).unwrap_or(0);
        let twice = faults && self.pick(6) == 0;
        self.counts.faults.doubled_requests += u64::from(twice);
        let request = if twice { self.requests[place].clone() } else { self.requests.swap_remove(place) };
        self.counts.requests += 1;
        let applied = self.remote.take(&request, self.steps);
        if let Some((before, after)) = applied.change {
            self.counts.effects += 1;
            // A version never returns, but absence does: a doubled creation that arrives after a deletion can be told
            // apart by a remote that knows keys only.
            let guarded = self.remote.knows_keys || matches!(request.expected, Expected::Version(_));
            if guarded && self.remote.effects.get(&request.operation).is_some_and(|times| *times > 1) {
                return Err(self.violation("I3", format!("{} was applied twice", request.operation)));
            }
            self.check_overwrite(before.as_ref(), after.as_ref())?;
        }
        if !faults || self.pick(4) > 0 {
            self.arriving.push(applied.answer);
        } else {
            self.counts.faults.lost_answers += 1;
        }
        Ok(())
    }

    pub(super) fn check_overwrite(
        &mut self,
        before: Option<&Fields>,
        after: Option<&Fields>,
    ) -> Result<(), Violation> {
        if after.is_some_and(|row| FloorBelowCeiling.check(None, row).is_err()) {
            return Err(self.violation("rules", "a merged row that breaks a rule was written"));
        }
        for name in REGISTERS {
            let value = |row: Option<&Fields>| row.and_then(|row| row.get(name)).cloned();
            let (old, new) = (value(before), value(after));
            if let Some(new) = &new {
                self.paid.insert((name.into(), new.to_string()));
            }
            if let Some(old) = old.filter(|old| Some(old) != new.as_ref())
                && !self.known.contains(&(name.into(), old.to_string()))
            {
                return Err(
                    self.violation("I4", format!("{name} = {old} was overwritten, and nobody saw it"))
                );
            }
        }
        Ok(())
    }

    pub(super) fn deliver_answer(&mut self, faults: bool) -> Result<(), Violation> {
        if self.arriving.is_empty() {
            return Ok(());
        }
        let place = usize::try_from(self.pick(self.arriving.len() as u64)).unwrap_or(0);
        let twice = faults && self.pick(6) == 0;
        self.counts.faults.doubled_answers += u64::from(twice);
        let event = if twice { self.arriving[place].clone() } else { self.arriving.swap_remove(place) };
        self.try_step(event).map(drop)
    }

    pub(super) fn deliver_read(&mut self, faults: bool) {
        let Some((operation, attempt)) = self.reads.pop() else { return };
        if faults && self.pick(5) == 0 {
            self.counts.faults.lost_reads += 1;
            return self.reads.push((operation, attempt));
        }
        let applied = self.remote.was_applied(&operation);
        let current = self.remote.state();
        self.pages.push(current.clone());
        self.arriving.push(Event::ReadBack { operation, attempt, current, applied });
    }

    pub(super) fn pull(&mut self) {
        let page = self.remote.state();
        self.pages.push(page.clone());
        self.arriving.push(Event::Observed(page));
    }

    pub(super) fn lose_answer(&mut self) -> Result<(), Violation> {
        let Some(sending) = &self.record.overlay.sending else { return Ok(()) };
        if sending.state != OutboxState::Syncing {
            return Ok(());
        }
        let operation = sending.id.clone();
        self.counts.faults.late_answers += 1;
        self.try_step(Event::Unknown { operation, reason: "timeout".into() }).map(drop)
    }

    /// A request, or one copy of it, does not reach the remote, and we are told so.
    pub(super) fn drop_request(&mut self) -> Result<(), Violation> {
        let Some(request) = self.requests.pop() else { return Ok(()) };
        self.counts.faults.turned_away += 1;
        let operation = request.operation;
        let event = if self.pick(4) == 0 {
            Event::Refused { operation, reason: "422".into() }
        } else {
            Event::TurnedAway { operation, reason: "429".into() }
        };
        self.arriving.push(event);
        Ok(())
    }
}
