//! The world of the model: one stored record under a lease, workers that may die, a network, and a remote.
//!
//! Owns what can happen and when. What follows for the record is computed by the real planner and the real lease; here is
//! only what surrounds them, in the order in which the engine's worker does it: take the lease, store what is sent, send,
//! store the answer under the same lease.
//!
//! Time passes only when a lease ends. The answer to a request comes once; what another copy of it does is seen in the
//! row only. Epochs are hashed by their distance from the newest one: their absolute value decides nothing.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use serde::Serialize;

use super::super::super::conflict::ConflictKind;
use super::super::super::lease::Lease;
use super::super::super::outbox::OutboxState;
use super::super::super::plan::{Dispatch, Event};
use super::super::super::record::{Operation, OperationId, Origin, SyncRecord};
use super::super::Fields;
use super::{Bounds, Fault};
use crate::value::Value;

/// What another user of the remote does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    /// Adds one to the counter.
    Adds,
    /// Takes one off, so that an increment of ours may not show.
    TakesBack,
    /// Writes a value of its own into the register.
    Writes,
    /// Deletes the row.
    Deletes,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// A person here drafts and commits the next edit.
    Edit,
    /// The other user acts.
    Foreign(Foreign),
    /// The row is pulled.
    Pull,
    /// A worker takes the lease and stores what it is about to do.
    Claim,
    /// The worker of this epoch sends its request.
    Transmit(u64),
    /// It finds no connection.
    NotSent(u64),
    /// Something on the way doubles a request.
    Double(usize),
    /// A copy reaches the remote, and its answer the worker, or nobody.
    Deliver(usize, bool),
    /// A copy is turned away, and the worker told so (429).
    TurnAway(usize),
    /// The worker waits no longer.
    GiveUpWaiting(u64),
    /// The worker reads the row.
    Read(u64),
    /// The worker stores what it learned.
    Store(u64),
    /// The worker dies.
    Crash(u64),
    /// The lease ends.
    LeaseEnds,
    /// A person decides the open conflict: mine or theirs, an increment by what happened.
    Decide(bool),
}

/// Where a worker is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) enum Stage {
    /// The store says that it is sent.
    Ready(Dispatch),
    /// Sent.
    Awaiting(OperationId),
    /// About to read.
    Reading(OperationId, u32),
    /// It knows and has not stored it.
    Knows(Event),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Worker {
    pub(super) epoch: u64,
    pub(super) stage: Stage,
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Copy {
    /// Whose.
    pub(super) epoch: u64,
    pub(super) request: Dispatch,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Remote {
    pub(super) version: u64,
    /// None once the row is deleted.
    pub(super) fields: Option<Fields>,
    pub(super) origin: Origin,
    pub(super) effects: Vec<OperationId>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct World {
    pub(super) record: SyncRecord,
    pub(super) lease: Lease,
    /// The epoch that was granted last, noted apart from the lease.
    pub(super) granted: u64,
    pub(super) now: u64,
    pub(super) workers: Vec<Worker>,
    pub(super) copies: Vec<Copy>,
    pub(super) remote: Remote,
    pub(super) foreign: u64,
    pub(super) faults: u64,
    /// How often each committed edit was settled.
    pub(super) settled: Vec<u8>,
    /// The notes written here that have to be accounted for, and those that are.
    pub(super) owed: BTreeSet<i64>,
    pub(super) paid: BTreeSet<i64>,
    /// The notes that were shown here.
    pub(super) shown: BTreeSet<i64>,
    /// The sum of all increments, as long as the row lives.
    pub(super) sum: Option<i64>,
    /// A person decided that a deleted row is to come back.
    pub(super) may_revive: bool,
    pub(super) revived: bool,
    pub(super) revived_unasked: bool,
    pub(super) overwrote_unseen: bool,
    pub(super) stored_without_lease: bool,
    /// What the planner refused although it was said.
    pub(super) refused: Option<String>,
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let age = |epoch: u64| self.granted - epoch;
        let overlay = &self.record.overlay;
        let workers = self.workers.iter().map(|worker| (age(worker.epoch), &worker.stage));
        let copies = self.copies.iter().map(|copy| (age(copy.epoch), &copy.request));
        let moving: (Vec<_>, Vec<_>) = (workers.collect(), copies.collect());
        let notes = (&self.settled, &self.owed, &self.paid, &self.shown, self.sum);
        let flags = [
            self.may_revive,
            self.revived,
            self.revived_unasked,
            self.overwrote_unseen,
            self.stored_without_lease,
            self.lease_runs(),
        ];
        (age(self.lease.epoch), self.foreign, self.faults, notes, flags, &self.refused).hash(state);
        // What the planner's types hold is no key of a map elsewhere, so they have no hash of their own.
        let record = (&self.record.base, &self.record.mirror, overlay, &self.record.conflict);
        let numbers = (self.record.next_number, self.record.conflict_revision, &self.record.dead_letters);
        let remote = (self.remote.version, &self.remote.fields, &self.remote.origin, &self.remote.effects);
        serde_json::to_vec(&(record, numbers, remote, moving)).unwrap().hash(state);
    }
}

pub(super) fn number(fields: Option<&Fields>, name: &str) -> i64 {
    fields.and_then(|row| row.get(name)).and_then(Value::as_integer).unwrap_or(0)
}

impl World {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let fields = Fields::from([("note".into(), Value::Integer(0)), ("count".into(), Value::Integer(0))]);
        let remote =
            Remote { version: 1, fields: Some(fields), origin: Origin::Elsewhere, effects: Vec::new() };
        let mut world = Self {
            record: SyncRecord::new("r"),
            lease: Lease::default(),
            granted: 0,
            now: 0,
            workers: Vec::new(),
            copies: Vec::new(),
            remote,
            foreign: 0,
            faults: 0,
            settled: Vec::new(),
            owed: BTreeSet::new(),
            paid: BTreeSet::new(),
            shown: BTreeSet::new(),
            sum: Some(0),
            may_revive: false,
            revived: false,
            revived_unasked: false,
            overwrote_unseen: false,
            stored_without_lease: false,
            refused: None,
        };
        let row = world.shown_row(bounds);
        world.learn(bounds, Event::Observed(row));
        world
    }

    /// The operation that a worker has to look after.
    pub(super) fn due(&self) -> Option<&Operation> {
        let overlay = &self.record.overlay;
        overlay.sending.as_ref().or(overlay.pending.as_ref()).filter(|operation| {
            matches!(operation.state, OutboxState::Queued | OutboxState::Syncing | OutboxState::Limbo)
        })
    }

    pub(super) fn lease_runs(&self) -> bool {
        self.lease.epoch > 0 && self.now < self.lease.until_ms
    }

    pub(super) fn waits_for(&self, copy: &Copy) -> bool {
        let waits = |worker: &Worker| {
            worker.epoch == copy.epoch && worker.stage == Stage::Awaiting(copy.request.operation.clone())
        };
        self.workers.iter().any(waits)
    }

    /// What can happen now.
    pub(super) fn happenings(&self, bounds: &Bounds) -> Vec<Happening> {
        let mut all = Vec::new();
        let fault = self.faults < bounds.faults;
        if self.committed() < bounds.edits && self.record.conflict.is_none() {
            all.push(Happening::Edit);
        }
        if self.foreign < bounds.foreign && self.remote.fields.is_some() {
            let kinds = [Foreign::Adds, Foreign::TakesBack, Foreign::Writes, Foreign::Deletes];
            all.extend(kinds.map(Happening::Foreign));
        }
        let unseen = self.record.mirror.version().map(|version| version.0) != Some(self.remote.version);
        if unseen && (bounds.fault != Fault::NoDeletions || self.remote.fields.is_some()) {
            all.push(Happening::Pull);
        }
        let forgotten = |operation: &Operation| {
            bounds.fault == Fault::ForgottenOnRestart && operation.state == OutboxState::Syncing
        };
        if !self.lease_runs() && self.due().is_some_and(|operation| !forgotten(operation)) {
            all.push(Happening::Claim);
        }
        let holder_works = self.workers.iter().any(|worker| worker.epoch == self.lease.epoch);
        if self.lease_runs() && (fault || !holder_works) {
            all.push(Happening::LeaseEnds);
        }
        for worker in &self.workers {
            self.happenings_of(worker, fault, &mut all);
        }
        for (at, copy) in self.copies.iter().enumerate() {
            if !self.copies[..at].contains(copy) {
                self.happenings_on_the_way(at, copy, fault, &mut all);
            }
        }
        if let Some(conflict) = &self.record.conflict {
            all.push(Happening::Decide(true));
            let deleted = matches!(conflict.kind, ConflictKind::DeletedThere);
            if deleted || conflict.fields.contains_key("note") {
                all.push(Happening::Decide(false));
            }
        }
        all
    }

    fn happenings_of(&self, worker: &Worker, fault: bool, all: &mut Vec<Happening>) {
        let epoch = worker.epoch;
        match &worker.stage {
            Stage::Ready(_) => {
                all.push(Happening::Transmit(epoch));
                if fault {
                    all.push(Happening::NotSent(epoch));
                }
            }
            Stage::Awaiting(_) => {
                let on_its_way = self.copies.iter().any(|copy| copy.epoch == epoch);
                if fault || !on_its_way {
                    all.push(Happening::GiveUpWaiting(epoch));
                }
            }
            Stage::Reading(..) => all.push(Happening::Read(epoch)),
            Stage::Knows(_) => all.push(Happening::Store(epoch)),
        }
        if fault {
            all.push(Happening::Crash(epoch));
        }
    }

    fn happenings_on_the_way(&self, at: usize, copy: &Copy, fault: bool, all: &mut Vec<Happening>) {
        let twins = self.copies.iter().filter(|other| *other == copy).count();
        let waits = self.waits_for(copy);
        if waits {
            all.push(Happening::Deliver(at, true));
        }
        if !waits || fault || twins > 1 {
            all.push(Happening::Deliver(at, false));
        }
        if fault && twins == 1 {
            all.push(Happening::Double(at));
        }
        if fault && waits {
            all.push(Happening::TurnAway(at));
        }
    }

    /// What follows.
    pub(super) fn after(&self, bounds: &Bounds, happening: Happening) -> Option<Self> {
        let mut next = self.clone();
        match happening {
            Happening::Edit => next.edit(bounds)?,
            Happening::Foreign(what) => next.foreign(what),
            Happening::Pull => {
                let row = next.shown_row(bounds);
                next.learn(bounds, Event::Observed(row));
            }
            Happening::Claim => next.claim(bounds),
            Happening::Transmit(epoch) => {
                let Some(Stage::Ready(request)) = next.stage(epoch).cloned() else { return None };
                next.enter(epoch, Stage::Awaiting(request.operation.clone()));
                next.copies.push(Copy { epoch, request });
            }
            Happening::NotSent(epoch) => {
                let Some(Stage::Ready(request)) = next.stage(epoch).cloned() else { return None };
                next.faults += 1;
                let event = Event::Postponed { operation: request.operation, reason: String::new() };
                next.enter(epoch, Stage::Knows(event));
            }
            Happening::Double(at) => {
                next.faults += 1;
                let copy = next.copies[at].clone();
                next.copies.insert(at, copy);
            }
            Happening::Deliver(at, answered) => next.deliver(bounds, at, answered),
            Happening::TurnAway(at) => {
                next.faults += 1;
                let copy = next.copies.remove(at);
                let event = Event::TurnedAway { operation: copy.request.operation, reason: String::new() };
                next.enter(copy.epoch, Stage::Knows(event));
            }
            Happening::GiveUpWaiting(epoch) => {
                let Some(Stage::Awaiting(operation)) = next.stage(epoch).cloned() else { return None };
                next.faults += u64::from(next.copies.iter().any(|copy| copy.epoch == epoch));
                let event = Event::Unknown { operation, reason: String::new() };
                next.enter(epoch, Stage::Knows(event));
            }
            Happening::Read(epoch) => {
                let Some(Stage::Reading(operation, attempt)) = next.stage(epoch).cloned() else {
                    return None;
                };
                let applied = bounds.tells.then(|| next.remote.effects.contains(&operation));
                let current = next.shown_row(bounds);
                next.enter(epoch, Stage::Knows(Event::ReadBack { operation, attempt, current, applied }));
            }
            Happening::Store(epoch) => next.store(bounds, epoch),
            Happening::Crash(epoch) => {
                next.faults += 1;
                next.workers.retain(|worker| worker.epoch != epoch);
            }
            Happening::LeaseEnds => {
                let holder_works = next.workers.iter().any(|worker| worker.epoch == next.lease.epoch);
                next.faults += u64::from(holder_works);
                next.now = next.lease.until_ms;
            }
            Happening::Decide(mine) => next.decide(bounds, mine),
        }
        Some(next)
    }

    fn stage(&self, epoch: u64) -> Option<&Stage> {
        self.workers.iter().find(|worker| worker.epoch == epoch).map(|worker| &worker.stage)
    }

    pub(super) fn enter(&mut self, epoch: u64, stage: Stage) {
        for worker in self.workers.iter_mut().filter(|worker| worker.epoch == epoch) {
            worker.stage = stage.clone();
        }
    }

    /// What the worker of an epoch knows and has not stored.
    pub(super) fn news(&self, epoch: u64) -> Option<Event> {
        match self.stage(epoch) {
            Some(Stage::Knows(event)) => Some(event.clone()),
            _ => None,
        }
    }
}
