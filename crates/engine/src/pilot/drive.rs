//! Moving members: what the cut-over orders is done and reported back, until nothing is left to do by itself.
//!
//! Owns carrying out [`Order`]s. It decides nothing: [`plimsoll_core::pilot::cutover::step`] does, and a member's state is
//! stored before anything that follows from it is done. Orders follow from the stored state alone, so whoever comes after
//! a crash does the same again, and doing it twice changes nothing.
//!
//! Invariant: a member's state is stored, and the happening written down, in one transaction. What an order means is
//! `orders`' business.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use plimsoll_core::pilot::cutover::cohort::{CohortEvent, CohortRules, CohortStep, step_cohort};
use plimsoll_core::pilot::cutover::{Cutover, Event, Order, Said, Side, Stage, outstanding, step};
use plimsoll_store::StoreUrl;
use serde::Serialize;

use super::carry::{Carried, Carrier, Paces, Reach, prepare};
pub use super::certify::{Key, certificate};
use super::customer::Customer;
use super::declare::Pilot;
use super::fence;
use super::member::{self, Happened, Member};
use crate::error::EngineError;
use crate::session::{Progress, Session};
use crate::sync::take::transact;
use crate::system::System;

/// Rounds of carrying between two looks at the members.
pub(super) const ROUNDS: u32 = 8;

/// What a pass over the members did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Driven {
    /// What was carried.
    pub carried: Carried,
    /// Orders that were done.
    pub orders: u64,
    /// Members whose stage changed.
    pub moved: u64,
    /// Members whom something stops, and what.
    pub stopped: Vec<(String, String)>,
}

/// Moves the members of a pilot.
pub struct Driver<'a> {
    /// Carries changes both ways.
    pub carrier: Carrier<'a>,
    /// The legacy side, for repairs there.
    pub legacy: Session,
    /// What the stages ask.
    pub rules: CohortRules,
    /// Signs certificates.
    pub key: Key<'a>,
    /// What the two sides are called in plans: new and legacy.
    pub systems: (&'a str, &'a str),
}

/// What a driver is opened with.
pub struct Opening<'a> {
    /// The pilot.
    pub pilot: &'static dyn Pilot,
    /// The two sides' systems: legacy and new.
    pub systems: [&'static System; 2],
    /// Where the legacy side is.
    pub legacy: StoreUrl,
    /// The paces of its links.
    pub paces: &'a Paces,
    /// Whose changes are carried.
    pub reach: Reach,
    /// What the stages ask.
    pub rules: CohortRules,
    /// Signs certificates.
    pub key: Key<'a>,
    /// Tells carriers apart; two must not share one.
    pub name: String,
}

impl<'a> Driver<'a> {
    /// Connects to both sides, and brings the tables of pilots up to date.
    ///
    /// # Errors
    /// When a store cannot be opened.
    pub fn open(mut new: Session, mut legacy: Session, opening: Opening<'a>) -> Result<Self, EngineError> {
        let [legacy_system, new_system] = opening.systems;
        prepare(&mut new, &mut legacy, (new_system, legacy_system))?;
        let Opening { pilot, legacy: legacy_url, paces, reach, name, .. } = &opening;
        let carrier = Carrier::open(new, *pilot, legacy_url, paces, *reach, name)?;
        Ok(Self {
            carrier,
            legacy,
            rules: opening.rules,
            key: opening.key,
            systems: (new_system.name, legacy_system.name),
        })
    }
}

impl Driver<'_> {
    /// Every member.
    ///
    /// # Errors
    /// When the store fails.
    pub fn members(&mut self) -> Result<Vec<Member>, EngineError> {
        member::all(self.carrier.session.store.as_mut())
    }

    /// Enrols customers: they become members who wait, and both sides put up their fences. Returns who is new.
    ///
    /// # Errors
    /// Usage for a customer whom the legacy side does not have; when a store fails.
    pub fn enrol(
        &mut self,
        customers: &[Customer],
        canary: &BTreeSet<String>,
        by: &Said,
    ) -> Result<Vec<String>, EngineError> {
        let pilot = self.carrier.pilot();
        // The fences first: a member without one could be written on both sides.
        for customer in customers {
            fence::put_up(self.legacy.store.as_mut(), pilot, Side::Legacy, &customer.number.to_string())?;
        }
        transact(&mut self.carrier.session, |store, now| {
            let mut new = Vec::new();
            for customer in customers {
                fence::put_up(store, pilot, Side::New, &customer.code)?;
                let member = Member {
                    customer: customer.code.clone(),
                    number: customer.number,
                    canary: canary.contains(&customer.code),
                    state: Cutover::new(),
                    enrolled_at: now.to_owned(),
                    enrolled_by: by.actor.clone(),
                    reason: by.reason.clone(),
                };
                if member::enrol(store, &member, now)? {
                    let what = Happened {
                        at: now.to_owned(),
                        customer: customer.code.clone(),
                        actor: by.actor.clone(),
                        kind: "enrol".into(),
                        detail: by.reason.clone(),
                    };
                    member::happen(store, &what)?;
                    new.push(customer.code.clone());
                }
            }
            Ok(new)
        })
    }

    /// Lets something happen to the cohort, or to one member, and stores what follows in one transaction.
    ///
    /// # Errors
    /// As the cohort says; nothing has changed then.
    pub fn happen(&mut self, event: CohortEvent, by: &Said) -> Result<CohortStep, EngineError> {
        let members = self.members()?;
        let cohort = member::cohort(&members);
        let kind = kind_of(&event);
        let followed = step_cohort(&self.rules, &cohort, event)
            .map_err(|error| EngineError::refused(error.to_string()))?;
        transact(&mut self.carrier.session, |store, now| {
            for (customer, after) in &followed.cohort.members {
                let before = &cohort.members[customer];
                if before == after {
                    continue;
                }
                member::moved(store, customer, before, after, now)?;
                let detail = format!("{} -> {}: {}", before.stage, after.stage, by.reason);
                let what = Happened {
                    at: now.to_owned(),
                    customer: customer.clone(),
                    actor: by.actor.clone(),
                    kind: kind.to_owned(),
                    detail,
                };
                member::happen(store, &what)?;
            }
            Ok(())
        })?;
        Ok(followed)
    }

    /// Does what is ordered, pass after pass, until a pass does nothing more or `stop` is set; at most `most` passes.
    ///
    /// # Errors
    /// When a side fails; what was done stays, and the next call goes on.
    pub fn run(&mut self, stop: &AtomicBool, most: u32) -> Result<Driven, EngineError> {
        let mut all = Driven::default();
        self.carrier.snapshot()?;
        for _ in 0..most {
            let pass = self.pass(stop)?;
            all.orders += pass.orders;
            all.moved += pass.moved;
            all.stopped = pass.stopped;
            all.carried = pass.carried;
            if (pass.orders == 0 && all.carried.is_idle()) || stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(all)
    }

    /// One pass: changes are carried, then each member's orders are done.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn pass(&mut self, stop: &AtomicBool) -> Result<Driven, EngineError> {
        let mut driven = Driven::default();
        let members = self.members()?;
        for member in &members {
            if outstanding(&member.state)
                .iter()
                .any(|order| matches!(order, Order::Copy { .. } | Order::Close { .. }))
            {
                self.carrier.make_customer_due(member.number)?;
            }
        }
        driven.carried = self.carrier.settle(stop, ROUNDS)?;
        let total = Some(members.len() as u64);
        for (done, member) in members.into_iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let stage = member.state.stage;
            let name = member.customer.clone();
            let (orders, after, stopped) = self.member(member)?;
            driven.orders += orders;
            driven.moved += u64::from(after != stage);
            driven.stopped.extend(stopped.map(|why| (name, why)));
            (self.carrier.session.progress)(&Progress {
                phase: "moving",
                done: done as u64 + 1,
                total,
                eta_ms: None,
            });
        }
        Ok(driven)
    }

    /// Does what one member's state orders until an order has to wait. Returns how many were done, the stage then, and
    /// what stops it.
    fn member(&mut self, member: Member) -> Result<(u64, Stage, Option<String>), EngineError> {
        let customer = Customer { code: member.customer.clone(), number: member.number };
        let mut state = member.state;
        let (mut done, mut stopped) = (0, None);
        'orders: loop {
            for order in outstanding(&state) {
                match self.order(&customer, &state, &order)? {
                    Ok(event) => {
                        let after = step(&self.rules.member, &state, event)
                            .map_err(|error| EngineError::refused(error.to_string()))?
                            .state;
                        if after == state {
                            continue;
                        }
                        self.store(&customer, &state, &after, &order)?;
                        state = after;
                        done += 1;
                        continue 'orders;
                    }
                    Err(why) => stopped = stopped.or(why),
                }
            }
            return Ok((done, state.stage, stopped));
        }
    }

    fn store(
        &mut self,
        customer: &Customer,
        before: &Cutover,
        after: &Cutover,
        order: &Order,
    ) -> Result<(), EngineError> {
        let actor = self.carrier.session.actor.clone();
        self.carrier.session.probe.reach("pilot:ordered")?;
        transact(&mut self.carrier.session, |store, now| {
            member::moved(store, &customer.code, before, after, now)?;
            if before.stage != after.stage {
                let what = Happened {
                    at: now.to_owned(),
                    customer: customer.code.clone(),
                    actor: actor.clone(),
                    kind: "stage".into(),
                    detail: format!("{} -> {} after {}", before.stage, after.stage, word(order)),
                };
                member::happen(store, &what)?;
            }
            Ok(())
        })?;
        self.carrier.session.probe.reach("pilot:moved")
    }
}

fn kind_of(event: &CohortEvent) -> &'static str {
    match event {
        CohortEvent::Member { event, .. } => match event {
            Event::Start { .. } => "start",
            Event::Advance { .. } => "advance",
            Event::Force { .. } => "force",
            Event::Back { .. } => "rollback",
            Event::Pause => "pause",
            Event::Resume => "resume",
            _ => "event",
        },
        CohortEvent::Start { .. } => "start",
        CohortEvent::Advance { .. } => "advance",
        CohortEvent::Back { .. } => "rollback",
        CohortEvent::Pause => "pause",
        CohortEvent::Resume => "resume",
        CohortEvent::Recover => "recover",
    }
}

fn word(order: &Order) -> &'static str {
    match order {
        Order::Copy { .. } => "copy",
        Order::MeasureLag { .. } => "measuring the lag",
        Order::Compare { .. } => "comparison",
        Order::Repair { .. } => "repair",
        Order::CompareReads { .. } => "shadow reads",
        Order::ProveReverse { .. } => "rehearsal of the way back",
        Order::Close { .. } => "closing",
        Order::Carry { .. } => "carrying",
        Order::Open { .. } => "opening",
        Order::Certify { .. } => "certificate",
    }
}
