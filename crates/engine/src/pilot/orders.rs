//! What each order of a cut-over means on two stores.
//!
//! Owns carrying out one order and answering it: comparing, repairing, asking both sides, fencing, certifying. Which order is
//! due, and storing what follows from its answer, is [`super::drive`]'s.
//!
//! Invariants: a fence moves only on an order, under the order's epoch; positions are read after the fence is closed; a
//! comparison counts what is on its way apart.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use plimsoll_core::pilot::cutover::{Cutover, Event, Order, Side, Stage, standing};
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::carry::Carried;
use super::certify::{issue, measure};
use super::customer::{Customer, CustomerParity, compare, on_their_way};
use super::declare::{Pilot, Question};
use super::drive::{Driver, ROUNDS};
use super::due::{all_pulled_through, new_place};
use super::fence;
use super::member;
use super::reads::{Asked, ask};
use super::record::SideStore;
use super::rehearse::rehearse;
use super::repair::{Repair, plan_repair};
use crate::change::apply::{self, StartRun};
use crate::error::EngineError;

impl Driver<'_> {
    /// Carries out an order: its answer, or why it has to wait, where there is more to say than that changes travel.
    pub(super) fn order(
        &mut self,
        customer: &Customer,
        state: &Cutover,
        order: &Order,
    ) -> Result<Result<Event, Option<String>>, EngineError> {
        let at_ms = crate::sync::now_ms(&self.carrier.session);
        let pilot = self.carrier.pilot();
        Ok(match order {
            Order::Copy { turn } => {
                if self.is_moving(customer)? {
                    return Ok(Err(None));
                }
                let pulled = all_pulled_through(self.carrier.session.store.as_mut(), pilot)?;
                let position = u64::try_from(pulled).unwrap_or(0);
                Ok(Event::Copied { turn: *turn, position, at_ms })
            }
            Order::MeasureLag { turn } => {
                let changes = self.lag()?;
                if changes > self.rules.member.catch_up_lag {
                    return Ok(Err(Some(format!("{changes} legacy changes are not carried over"))));
                }
                Ok(Event::Lag { turn: *turn, changes, at_ms })
            }
            Order::Compare { turn } => {
                let parity = self.compare(customer)?;
                if parity.pending > 0 && parity.differing == 0 {
                    return Ok(Err(Some(format!("{} records are on their way", parity.pending))));
                }
                if let Some(handover) = &state.handover
                    && parity.differing == 0
                {
                    // Both sides are closed, and equal: what a certificate says is measured now.
                    let kind = if handover.to == Side::New { "switched" } else { "closed" };
                    self.measure(customer, kind)?;
                }
                Ok(Event::Compared {
                    turn: *turn,
                    differing: parity.differing,
                    pending: parity.pending,
                    at_ms,
                })
            }
            Order::Repair { turn, truth } => match self.repair(customer, *truth)? {
                Ok(()) => Ok(Event::Repaired { turn: *turn }),
                Err(why) => Err(Some(why)),
            },
            Order::CompareReads { turn } => {
                let known = state.evidence.reads;
                let wanted = match state.stage {
                    Stage::ShadowReads => self.rules.member.shadow_reads,
                    _ => self.rules.member.canary_reads,
                };
                if known.compared >= wanted {
                    return Ok(Err(None));
                }
                let (compared, differing) = self.compare_reads(customer, wanted)?;
                if differing > 0 {
                    let why = format!("{differing} of {compared} reads differed");
                    return Ok(if known.differing >= differing && known.compared >= compared {
                        Err(Some(why))
                    } else {
                        Ok(Event::ReadsCompared { turn: *turn, compared, differing })
                    });
                }
                Ok(Event::ReadsCompared { turn: *turn, compared, differing })
            }
            Order::ProveReverse { turn } => {
                let new = self.carrier.session.store.as_mut();
                let rehearsal = rehearse(self.legacy.store.as_mut(), new, pilot, customer)?;
                if let Some(failure) = rehearsal.failures.first() {
                    return Ok(Err(Some(format!("the way back does not work: {failure}"))));
                }
                let proof = format!("rehearsal of {} records at {at_ms}", rehearsal.records);
                Ok(Event::ReverseProved { turn: *turn, proof, at_ms })
            }
            Order::Close { turn, side, epoch } => {
                let (store, key) = self.side(*side, customer);
                let position = fence::close(store, pilot, *side, &key, *epoch)?;
                Ok(Event::Closed { turn: *turn, side: *side, position })
            }
            Order::Carry { turn, from, through } => {
                if self.is_carried(customer, *from, *through)? {
                    Ok(Event::Carried { turn: *turn, from: *from, through: *through })
                } else {
                    return Ok(Err(Some(format!("changes of the {from} side are on their way"))));
                }
            }
            Order::Open { turn, side, epoch } => {
                let (store, key) = self.side(*side, customer);
                fence::open(store, pilot, *side, &key, *epoch)?;
                Ok(Event::Opened { turn: *turn, at_ms })
            }
            Order::Certify { turn } => {
                let now = self.carrier.session.clock.now();
                let new = self.carrier.session.store.as_mut();
                issue(self.legacy.store.as_mut(), new, pilot, customer, state, &self.key, &now)?;
                Ok(Event::Certified { turn: *turn })
            }
        })
    }

    fn side(&mut self, side: Side, customer: &Customer) -> (&mut dyn Store, String) {
        match side {
            Side::Legacy => (self.legacy.store.as_mut(), customer.number.to_string()),
            Side::New => (self.carrier.session.store.as_mut(), customer.code.clone()),
        }
    }

    fn measure(&mut self, customer: &Customer, kind: &str) -> Result<(), EngineError> {
        let pilot = self.carrier.pilot();
        let (actor, now) = (self.carrier.session.actor.clone(), self.carrier.session.clock.now());
        let new = self.carrier.session.store.as_mut();
        measure(self.legacy.store.as_mut(), new, pilot, customer, (kind, &actor, &now))
    }

    /// Compares a customer's records.
    ///
    /// # Errors
    /// When a side fails.
    pub fn compare(&mut self, customer: &Customer) -> Result<CustomerParity, EngineError> {
        let pilot = self.carrier.pilot();
        compare(self.legacy.store.as_mut(), self.carrier.session.store.as_mut(), pilot, customer)
    }

    /// Carries everything of a customer over now, in at most so many rounds, and compares it.
    ///
    /// # Errors
    /// When a side fails.
    pub fn sync(
        &mut self,
        customer: &Customer,
        rounds: u32,
    ) -> Result<(Carried, CustomerParity), EngineError> {
        self.carrier.snapshot()?;
        self.carrier.make_customer_due(customer.number)?;
        let carried = self.carrier.settle(&AtomicBool::new(false), rounds)?;
        Ok((carried, self.compare(customer)?))
    }

    /// Whether something of the customer is due or open.
    fn is_moving(&mut self, customer: &Customer) -> Result<bool, EngineError> {
        let pilot = self.carrier.pilot();
        for entity in pilot.entities().iter().filter(|entity| entity.owner.is_some()) {
            if !on_their_way(self.carrier.session.store.as_mut(), pilot, entity, customer)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Legacy changes that no mirror has yet.
    fn lag(&mut self) -> Result<u64, EngineError> {
        let entities = self.carrier.pilot().entities().iter();
        entities.map(|entity| self.carrier.unpulled(entity, i64::MAX, i64::MAX)).sum()
    }

    fn is_carried(&mut self, customer: &Customer, from: Side, through: u64) -> Result<bool, EngineError> {
        let pilot = self.carrier.pilot();
        let through = i64::try_from(through).unwrap_or(i64::MAX);
        match from {
            Side::Legacy => {
                for entity in pilot.entities() {
                    if self.carrier.unpulled(entity, through, 1)? > 0 {
                        return Ok(false);
                    }
                }
            }
            Side::New => {
                let store = self.carrier.session.store.as_mut();
                let place = new_place(store)?;
                let lines = pilot.outbox().seen(store, place)?;
                if lines.iter().any(|line| line.place.position <= through && line.origin.is_none()) {
                    return Ok(false);
                }
            }
        }
        Ok(!self.is_moving(customer)?)
    }

    /// Asks both sides every question so often that `wanted` answers were compared.
    fn compare_reads(&mut self, customer: &Customer, wanted: u64) -> Result<(u64, u64), EngineError> {
        let pilot = self.carrier.pilot();
        let (mut compared, mut differing) = (0, 0);
        if pilot.questions().is_empty() {
            return Ok((wanted, 0));
        }
        while compared < wanted {
            for question in pilot.questions() {
                let asked = self.ask_once(pilot, question, customer)?;
                if asked.is_equal == Some(false) {
                    // What changed between the two answers, or is on its way, is no difference.
                    self.carrier.settle(&AtomicBool::new(false), ROUNDS)?;
                    let again = self.ask_once(pilot, question, customer)?;
                    if again.is_equal == Some(false) {
                        if self.is_moving(customer)? {
                            continue;
                        }
                        differing += 1;
                    }
                }
                compared += 1;
            }
            if differing > 0 {
                break;
            }
        }
        Ok((compared, differing))
    }

    fn ask_once(
        &mut self,
        pilot: &dyn Pilot,
        question: &Question,
        customer: &Customer,
    ) -> Result<Asked, EngineError> {
        let stores: (&mut dyn Store, &mut dyn Store) =
            (self.legacy.store.as_mut(), self.carrier.session.store.as_mut());
        ask(stores, pilot, question, customer, Side::Legacy, true)
    }

    /// A question of a user: the side whose turn it is answers, and where both are compared the other one is asked too.
    ///
    /// # Errors
    /// Usage for a question that there is not.
    pub fn read(&mut self, code: &str, question: &str) -> Result<Asked, EngineError> {
        let pilot = self.carrier.pilot();
        let member = member::one(self.carrier.session.store.as_mut(), code)?;
        let known = pilot.questions().iter().find(|known| known.name == question).ok_or_else(|| {
            let names: Vec<&str> = pilot.questions().iter().map(|known| known.name).collect();
            EngineError::usage(format!(
                "there is no question `{question}`\nhint: there are {}",
                names.join(", ")
            ))
        })?;
        let standing = standing(&member.state);
        let customer = Customer { code: member.customer, number: member.number };
        let stores: (&mut dyn Store, &mut dyn Store) =
            (self.legacy.store.as_mut(), self.carrier.session.store.as_mut());
        ask(stores, pilot, known, &customer, standing.reads, standing.compare_reads)
    }

    /// Why a record of the customer cannot be carried, when all that differ cannot.
    fn held_of(
        &mut self,
        customer: &Customer,
        parity: &CustomerParity,
    ) -> Result<Option<String>, EngineError> {
        let mut first = None;
        for entity in &parity.entities {
            for one in &entity.shown {
                let key = one.record.0.first().map(ToString::to_string).unwrap_or_default();
                let sql = "SELECT held FROM plimsoll_pilot_record WHERE entity = $1 AND record_key = $2 AND held IS NOT NULL
                    UNION ALL SELECT 'waits: ' || waits FROM plimsoll_pilot_due WHERE entity = $1 AND record_key = $2 AND waits IS NOT NULL";
                let parameters = [Value::text(entity.entity.as_str()), Value::text(key.as_str())];
                let held = self.carrier.session.store.query(sql, &parameters)?;
                let Some(why) = held.first().and_then(|row| row.first()).and_then(Value::as_text) else {
                    return Ok(None);
                };
                first.get_or_insert_with(|| format!("{} {key}: {why}", entity.entity));
            }
        }
        let many = parity.differing;
        Ok(first.map(|first| format!("{many} of {} records cannot be carried: {first}; mend it on the legacy side, or take {} back", parity.records, customer.code)))
    }

    /// Makes the other side's records what they are on the side that is right, as a run.
    fn repair(&mut self, customer: &Customer, truth: Side) -> Result<Result<(), String>, EngineError> {
        let pilot = self.carrier.pilot();
        let parity = self.compare(customer)?;
        // What cannot be carried is no better after a plan; each pass would make another one.
        if let Some(why) = self.held_of(customer, &parity)? {
            return Ok(Err(why));
        }
        let target = truth.other();
        let plan = match target {
            Side::New => {
                let mut other = SideStore { side: truth, store: self.legacy.store.as_mut(), pilot };
                let repair = Repair { target, system: self.systems.0, pilot };
                plan_repair(&mut self.carrier.session, repair, &mut other, &parity.entities)?
            }
            Side::Legacy => {
                let mut other = SideStore { side: truth, store: self.carrier.session.store.as_mut(), pilot };
                let repair = Repair { target, system: self.systems.1, pilot };
                plan_repair(&mut self.legacy, repair, &mut other, &parity.entities)?
            }
        };
        if plan.refused > 0 {
            let first =
                parity.entities.iter().flat_map(|entity| &entity.shown).find_map(|one| one.reason.clone());
            let why = first.unwrap_or_else(|| format!("plan {} names them", plan.id));
            return Ok(Err(format!("{} records cannot be carried: {why}", plan.refused)));
        }
        let session = match target {
            Side::New => &mut self.carrier.session,
            Side::Legacy => &mut self.legacy,
        };
        session.passage = Some(Arc::new(fence::FencePassage(pilot)));
        let run = apply::start(session, &plan, &StartRun::default())
            .and_then(|run| apply::drive(session, &run.id, None));
        session.passage = None;
        let run = run?;
        if run.tally.quarantined + run.tally.conflicted > 0 {
            return Ok(Err(format!(
                "{} of {} records could not be repaired; run {} names them",
                run.tally.quarantined + run.tally.conflicted,
                plan.items,
                run.id
            )));
        }
        Ok(Ok(()))
    }
}
