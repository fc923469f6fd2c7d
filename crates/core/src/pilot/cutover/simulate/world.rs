//! The simulated world: customers on two stores, the driver, the network between them, and who writes.
//!
//! Owns what a history is made of and the checks at each step. Orders are carried out as the engine does: copying and
//! following look at the stored state in the moment they write, a repair is planned from what is there and applied where
//! that is still so.

use std::collections::BTreeMap;

use super::{Counts, Violation, Weakness};
use crate::gate::Verdict;
use crate::pilot::cutover::cohort::{CohortCutover, CohortEvent, CohortRules, step_cohort};
use crate::pilot::cutover::{
    Cutover, CutoverRules, Event, Fence, Order, Said, Side, Stage, missing, outstanding, standing, step,
};
use crate::seed::Numbers;

/// Records of a customer.
const RECORDS: u64 = 3;
/// Reads that the stages ask for.
const READS: u64 = 2;
/// Rounds without faults in which every customer has to come to its end.
const PATIENCE: u64 = 400;

type Rows = BTreeMap<u64, u64>;

/// One side of a customer.
#[derive(Debug, Clone)]
struct Store {
    fence: Fence,
    rows: Rows,
    /// The writes that it took, in order: its outbox.
    log: Vec<(u64, u64)>,
    /// How many of them the other side has.
    carried: usize,
}

/// A customer.
struct Member {
    state: Cutover,
    stores: [Store; 2],
    /// What every accepted write amounts to.
    truth: Rows,
    /// What each of two writers last heard about who writes.
    heard: [(Side, u64); 2],
    /// Where it is to end.
    wants_done: bool,
    /// Rounds without faults in which nothing moved it.
    stuck: u64,
}

#[derive(Debug, Clone)]
enum Message {
    Order(Order),
    Answer(Event),
    Write {
        side: Side,
        epoch: u64,
        record: u64,
        value: u64,
    },
    /// A planned repair: what was found, and what it is to be.
    Repair {
        turn: u64,
        target: Side,
        rows: Vec<(u64, Option<u64>, Option<u64>)>,
    },
    /// Only under [`Weakness::EarlyPosition`].
    LateClose {
        side: Side,
        epoch: u64,
    },
}

pub(super) struct World {
    seed: u64,
    random: Numbers,
    steps: u64,
    now_ms: u64,
    next_value: u64,
    weakness: Weakness,
    rules: CohortRules,
    members: Vec<Member>,
    network: Vec<(usize, Message)>,
    pub(super) counts: Counts,
}

fn at(side: Side) -> usize {
    usize::from(side == Side::New)
}

fn said() -> Said {
    Said { actor: "simulation".into(), reason: "chance".into() }
}

fn differing(member: &Member) -> (u64, u64) {
    let moving = |record: &u64| {
        member.stores.iter().any(|store| store.log[store.carried..].iter().any(|(one, _)| one == record))
    };
    let [legacy, new] = &member.stores;
    let differs = (0..RECORDS).filter(|record| legacy.rows.get(record) != new.rows.get(record));
    let (pending, differing): (Vec<u64>, Vec<u64>) = differs.partition(moving);
    (differing.len() as u64, pending.len() as u64)
}

impl World {
    pub(super) fn new(seed: u64, weakness: Weakness) -> Self {
        let member = CutoverRules {
            shadow_reads: READS,
            canary_reads: READS,
            soak_ms: 60_000,
            ..CutoverRules::default()
        };
        let mut world = Self {
            seed,
            random: Numbers::of(seed),
            steps: 0,
            now_ms: 1_000,
            next_value: 1,
            weakness,
            rules: CohortRules { member, handovers_at_most: 2 },
            members: Vec::new(),
            network: Vec::new(),
            counts: Counts::default(),
        };
        let customers = 1 + world.below(4);
        for _ in 0..customers {
            let rows: Rows = (0..RECORDS).map(|record| (record, world.value())).collect();
            let legacy = Store { fence: Fence::unmoved(Side::Legacy), rows, log: Vec::new(), carried: 0 };
            let new = Store { fence: Fence::unmoved(Side::New), rows: Rows::new(), ..legacy.clone() };
            let wants_done = world.below(2) == 0;
            world.members.push(Member {
                state: Cutover::new(),
                truth: legacy.rows.clone(),
                stores: [legacy, new],
                heard: [(Side::Legacy, 1); 2],
                wants_done,
                stuck: 0,
            });
        }
        world.counts.customers = customers;
        world
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    fn value(&mut self) -> u64 {
        self.next_value += 1;
        self.next_value
    }

    fn broken(&self, invariant: &'static str, what: String) -> Violation {
        Violation { seed: self.seed, step: self.steps, invariant, what }
    }

    /// One random thing happens.
    pub(super) fn chance(&mut self) -> Result<(), Violation> {
        self.steps += 1;
        self.now_ms += self.below(20_000);
        let whom = self.below(self.members.len() as u64);
        let whom = usize::try_from(whom).unwrap_or(0);
        match self.below(100) {
            0..=39 => self.deliver_one()?,
            40..=54 => {
                let writer = usize::from(self.below(2) == 1);
                let (side, epoch) = self.members[whom].heard[writer];
                let (record, value) = (self.below(RECORDS), self.value());
                self.network.push((whom, Message::Write { side, epoch, record, value }));
            }
            55..=62 => {
                let member = &mut self.members[whom];
                if let Some(writer) = member.state.writer {
                    let heard = (writer, member.state.epoch);
                    let which = usize::from(self.below(2) == 1);
                    self.members[whom].heard[which] = heard;
                }
            }
            63..=76 => self.follow(whom),
            77..=80 => self.say(whom, Event::Start { at_ms: self.now_ms }),
            81..=88 => self.advance_cohort(),
            89..=90 => self.say(whom, Event::Back { by: said(), at_ms: self.now_ms }),
            91 => self.say(whom, Event::Pause),
            92..=93 => self.say(whom, Event::Resume),
            94..=96 => {
                // The driver died: what it had not sent is gone, and it finds its orders again. Writers live on, and so
                // does another driver that is about to apply a repair.
                self.counts.faults[2] += 1;
                let before = self.network.len();
                self.network
                    .retain(|(_, message)| matches!(message, Message::Write { .. } | Message::Repair { .. }));
                self.counts.faults[0] += (before - self.network.len()) as u64;
                for whom in 0..self.members.len() {
                    self.say(whom, Event::Recover);
                }
            }
            _ => self.plant(whom),
        }
        self.check()
    }

    /// A message arrives, in any order; some arrive twice, some never.
    fn deliver_one(&mut self) -> Result<(), Violation> {
        if self.network.is_empty() {
            return Ok(());
        }
        let which = self.below(self.network.len() as u64);
        let which = usize::try_from(which).unwrap_or(0);
        // A run takes its time: much may happen between a repair's plan and its writes.
        if matches!(self.network[which].1, Message::Repair { .. }) && self.below(20) > 0 {
            return Ok(());
        }
        match self.below(20) {
            0 => {
                self.counts.faults[0] += 1;
                self.network.swap_remove(which);
                Ok(())
            }
            1 => {
                self.counts.faults[1] += 1;
                let (whom, message) = self.network[which].clone();
                self.deliver(whom, message)
            }
            _ => {
                let (whom, message) = self.network.swap_remove(which);
                self.deliver(whom, message)
            }
        }
    }

    fn deliver(&mut self, whom: usize, message: Message) -> Result<(), Violation> {
        match message {
            Message::Answer(event) => self.say(whom, event),
            Message::Order(order) => self.execute(whom, order),
            Message::LateClose { side, epoch } => {
                let store = &mut self.members[whom].stores[at(side)];
                store.fence = store.fence.close(epoch).unwrap_or(store.fence);
            }
            Message::Repair { turn, target, rows } => self.repair(whom, turn, target, rows),
            Message::Write { side, epoch, record, value } => {
                let member = &mut self.members[whom];
                let store = &mut member.stores[at(side)];
                if store.fence.guard(epoch).is_err() && self.weakness != Weakness::NoFencing {
                    self.counts.refused += 1;
                    return Ok(());
                }
                if store.rows != member.truth {
                    let what = format!(
                        "the {side} side takes a write and holds {:?}, and {:?} was accepted",
                        store.rows, member.truth
                    );
                    let what = (if store.fence.open { "C2" } else { "C1" }, what);
                    return Err(self.broken(what.0, what.1));
                }
                if !store.fence.open {
                    return Err(
                        self.broken("C1", format!("the {side} side takes a write while it is closed"))
                    );
                }
                store.rows.insert(record, value);
                store.log.push((record, value));
                member.truth.insert(record, value);
                self.counts.accepted += 1;
            }
        }
        Ok(())
    }

    /// Gives the planner an event; what it orders is sent. A refusal changes nothing.
    fn say(&mut self, whom: usize, event: Event) {
        let handed = matches!(event, Event::Opened { .. });
        let member = &mut self.members[whom];
        if let Ok(followed) = step(&self.rules.member, &member.state, event) {
            self.counts.handovers += u64::from(handed && followed.state != member.state);
            member.state = followed.state;
            self.network.extend(followed.orders.into_iter().map(|order| (whom, Message::Order(order))));
        }
    }

    /// The next wave is let on, as the cohort says.
    fn advance_cohort(&mut self) {
        let name = |whom: usize| whom.to_string();
        let members = self.members.iter().enumerate();
        let cohort = CohortCutover {
            members: members.map(|(whom, member)| (name(whom), member.state.clone())).collect(),
            canary: [name(0)].into(),
        };
        let event = CohortEvent::Advance { verdict: Verdict::Go, at_ms: self.now_ms };
        let Ok(followed) = step_cohort(&self.rules, &cohort, event) else { return };
        for (whom, state) in followed.cohort.members {
            if let Ok(whom) = whom.parse::<usize>() {
                self.members[whom].state = state;
            }
        }
        for (whom, order) in followed.orders {
            if let Ok(whom) = whom.parse::<usize>() {
                self.network.push((whom, Message::Order(order)));
            }
        }
    }

    /// The carrier takes one write over, when the stored state says that it travels.
    fn follow(&mut self, whom: usize) {
        let member = &mut self.members[whom];
        let holds = standing(&member.state);
        for from in Side::BOTH {
            if if from == Side::Legacy { holds.forward } else { holds.reverse } {
                carry_one(member, from);
            }
        }
    }

    /// Somebody changes a row of the side that is not written, behind the fences.
    fn plant(&mut self, whom: usize) {
        let (record, value) = (self.below(RECORDS), self.value());
        let member = &mut self.members[whom];
        if matches!(member.state.stage, Stage::Verify | Stage::ShadowReads | Stage::Canary) {
            member.stores[at(Side::New)].rows.insert(record, value);
            self.counts.planted += 1;
        }
    }

    /// Carries an order out, and sends its answer.
    fn execute(&mut self, whom: usize, order: Order) {
        let (at_ms, weakness) = (self.now_ms, self.weakness);
        let member = &mut self.members[whom];
        let blind = weakness == Weakness::NotCarried;
        let answer = match order {
            Order::Copy { turn } => {
                if !standing(&member.state).forward {
                    return;
                }
                let [legacy, new] = &mut member.stores;
                new.rows.clone_from(&legacy.rows);
                legacy.carried = legacy.log.len();
                Event::Copied { turn, position: legacy.log.len() as u64, at_ms }
            }
            Order::MeasureLag { turn } => {
                let legacy = &member.stores[0];
                Event::Lag { turn, changes: (legacy.log.len() - legacy.carried) as u64, at_ms }
            }
            Order::Compare { turn } => {
                let (differing, pending) = if blind { (0, 0) } else { differing(member) };
                Event::Compared { turn, differing, pending, at_ms }
            }
            Order::Repair { turn, truth } => {
                let (good, bad) = (&member.stores[at(truth)].rows, &member.stores[at(truth.other())].rows);
                let rows = (0..RECORDS)
                    .filter(|record| good.get(record) != bad.get(record))
                    .map(|record| (record, bad.get(&record).copied(), good.get(&record).copied()))
                    .collect();
                self.network.push((whom, Message::Repair { turn, target: truth.other(), rows }));
                return;
            }
            Order::CompareReads { turn } => {
                // The driver asks again when answers differ; it reports what is equal in the end.
                if differing(member).0 > 0 && !blind {
                    return;
                }
                Event::ReadsCompared { turn, compared: READS, differing: 0 }
            }
            Order::ProveReverse { turn } => Event::ReverseProved { turn, proof: "rehearsal".into(), at_ms },
            Order::Close { turn, side, epoch } => {
                let store = &mut member.stores[at(side)];
                let position = store.log.len() as u64;
                match store.fence.close(epoch) {
                    Ok(_) if weakness == Weakness::EarlyPosition => {
                        self.network.push((whom, Message::LateClose { side, epoch }));
                    }
                    Ok(fence) => store.fence = fence,
                    Err(_) => return,
                }
                Event::Closed { turn, side, position }
            }
            Order::Carry { turn, from, through } => {
                let behind = through.saturating_sub(member.stores[at(from)].carried as u64);
                for _ in 0..if blind { 0 } else { behind } {
                    carry_one(member, from);
                }
                Event::Carried { turn, from, through }
            }
            Order::Open { turn, side, epoch } => {
                let store = &mut member.stores[at(side)];
                match store.fence.open(epoch) {
                    Ok(fence) => store.fence = fence,
                    Err(_) => return,
                }
                Event::Opened { turn, at_ms }
            }
            Order::Certify { turn } => Event::Certified { turn },
        };
        self.network.push((whom, Message::Answer(answer)));
    }

    /// Applies a planned repair where what it found is still there.
    fn repair(&mut self, whom: usize, turn: u64, target: Side, rows: Vec<(u64, Option<u64>, Option<u64>)>) {
        let store = &mut self.members[whom].stores[at(target)];
        for (record, before, after) in rows {
            if store.rows.get(&record).copied() != before && self.weakness != Weakness::BlindRepair {
                self.counts.left_alone += 1;
                continue;
            }
            match after {
                Some(value) => store.rows.insert(record, value),
                None => store.rows.remove(&record),
            };
            self.counts.repaired += 1;
        }
        self.network.push((whom, Message::Answer(Event::Repaired { turn })));
    }

    fn check(&self) -> Result<(), Violation> {
        for (whom, member) in self.members.iter().enumerate() {
            if member.stores.iter().all(|store| store.fence.open) {
                return Err(self.broken("C1", format!("both sides of customer {whom} are open")));
            }
        }
        Ok(())
    }

    /// The faults stop: everything arrives, and every customer goes to the end that it was given.
    pub(super) fn calm(&mut self) -> Result<(), Violation> {
        for whom in 0..self.members.len() {
            self.say(whom, Event::Resume);
            self.say(whom, Event::Recover);
        }
        for _ in 0..PATIENCE {
            self.steps += 1;
            self.now_ms += 30_000;
            // What follows from an answer may be another order; a weak environment could go on for ever.
            for _ in 0..PATIENCE {
                let Some((whom, message)) = self.network.pop() else { break };
                self.deliver(whom, message)?;
                self.check()?;
            }
            let left: Vec<usize> = (0..self.members.len()).filter(|whom| !self.is_over(*whom)).collect();
            if left.is_empty() {
                return self.judge();
            }
            for whom in left {
                self.lead(whom);
            }
        }
        let stages: Vec<String> = self.members.iter().map(|member| member.state.stage.to_string()).collect();
        Err(self.broken("C4", format!("after {PATIENCE} rounds customers are at {}", stages.join(", "))))
    }

    fn is_over(&self, whom: usize) -> bool {
        let member = &self.members[whom];
        match member.state.stage {
            Stage::Done => true,
            Stage::RolledBack => !member.wants_done && member.state.certified,
            _ => false,
        }
    }

    /// A person and the driver do for a customer what is next.
    fn lead(&mut self, whom: usize) {
        for _ in 0..RECORDS * PATIENCE {
            self.follow(whom);
        }
        let (at_ms, rules) = (self.now_ms, self.rules.member.clone());
        let member = &mut self.members[whom];
        let orders = outstanding(&member.state);
        member.stuck = if orders.is_empty() { 0 } else { member.stuck + 1 };
        let stage = member.state.stage;
        let goes_back = !member.wants_done || member.stuck > 20;
        if goes_back && !matches!(stage, Stage::GoingBack | Stage::RolledBack | Stage::Done | Stage::Waiting)
        {
            self.say(whom, Event::Back { by: said(), at_ms });
        } else if matches!(stage, Stage::Waiting | Stage::RolledBack)
            && (member.wants_done || stage == Stage::Waiting)
        {
            self.say(whom, Event::Start { at_ms });
        } else if missing(&rules, &member.state, at_ms).is_empty() {
            self.say(whom, Event::Advance { verdict: Verdict::Go, at_ms });
        } else {
            // The engine may compare unasked: a comparison grows old.
            let turn = self.members[whom].state.turn;
            self.execute(whom, Order::Compare { turn });
        }
        let orders = outstanding(&self.members[whom].state);
        self.network.extend(orders.into_iter().map(|order| (whom, Message::Order(order))));
    }

    fn judge(&mut self) -> Result<(), Violation> {
        for whom in 0..self.members.len() {
            let member = &self.members[whom];
            let (side, holder) = match member.state.stage {
                Stage::Done => (Side::New, &member.stores[1]),
                _ => (Side::Legacy, &member.stores[0]),
            };
            if !holder.fence.open || member.state.writer != Some(side) {
                return Err(
                    self.broken("C4", format!("customer {whom} ended on the {side} side, which is closed"))
                );
            }
            if holder.rows != member.truth {
                let what = format!(
                    "customer {whom} ended on the {side} side with {:?}, and {:?} was accepted",
                    holder.rows, member.truth
                );
                return Err(self.broken("C5", what));
            }
            if side == Side::Legacy {
                self.counts.back += 1;
            } else {
                self.counts.done += 1;
            }
        }
        Ok(())
    }
}

/// The next write of a side that the other one does not have.
fn carry_one(member: &mut Member, from: Side) {
    let store = &member.stores[at(from)];
    if let Some((record, value)) = store.log.get(store.carried).copied() {
        member.stores[at(from.other())].rows.insert(record, value);
        member.stores[at(from)].carried += 1;
    }
}
