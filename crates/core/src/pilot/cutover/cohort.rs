//! Cohorts: many customers moved together.
//!
//! Owns which members an advance moves, in which waves, and what is in the way. Each member keeps a state of its own
//! ([`super::step`]); there is none for the cohort beside the members' and the list of canary customers.
//!
//! The waves: the canary customers leave the shadow reads, and later the canary stage, before the others. The others
//! follow once every canary customer is ahead and nothing speaks against it there. No more than
//! [`CohortRules::handovers_at_most`] members are without a writer at a time.
//!
//! Invariants: an advance moves a whole wave or nobody, except that handovers may wait for a place; a member that was
//! rolled back stops nobody, unless it was a canary customer and others are to follow it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::{CutoverError, Event, Order, Said};
use super::plan::{missing, outstanding, step};
use super::state::{Cutover, CutoverRules, Stage};
use crate::gate::Verdict;

/// What a cohort asks beside its members' rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortRules {
    /// The rules of each member.
    pub member: CutoverRules,
    /// So many handovers at a time, at least one.
    pub handovers_at_most: usize,
}

impl Default for CohortRules {
    /// The usual rules of members, and four handovers at a time.
    fn default() -> Self {
        Self { member: CutoverRules::default(), handovers_at_most: 4 }
    }
}

/// The members and their states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CohortCutover {
    /// The members, by id.
    pub members: BTreeMap<String, Cutover>,
    /// Those who go first.
    pub canary: BTreeSet<String>,
}

/// What happened to the cohort, or to one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CohortEvent {
    /// To one member.
    Member {
        /// Its id.
        customer: String,
        /// What.
        event: Event,
    },
    /// All members that wait begin.
    Start {
        /// When, in milliseconds.
        at_ms: u64,
    },
    /// The gate of the next stage was judged.
    Advance {
        /// Its verdict.
        verdict: Verdict,
        /// When, in milliseconds.
        at_ms: u64,
    },
    /// All members that can go back do.
    Back {
        /// By whom, and why.
        by: Said,
        /// When, in milliseconds.
        at_ms: u64,
    },
    /// All members that are under way stop where they are.
    Pause,
    /// All members that are paused go on.
    Resume,
    /// The program started again.
    Recover,
}

/// What followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortStep {
    /// The cohort afterwards.
    pub cohort: CohortCutover,
    /// What is to be done, for whom.
    pub orders: Vec<(String, Order)>,
    /// Whom the event moved.
    pub moved: Vec<String>,
    /// Who waits for a handover to end; advance again then.
    pub waiting: Vec<String>,
    /// Members whom the event does not concern, with the reason: those that are done cannot go back.
    pub unmoved: Vec<(String, CutoverError)>,
}

/// Why a cohort does not move. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CohortError {
    /// There is no such member.
    #[error("`{0}` is no member of the cohort\nhint: `pilot show` lists the members")]
    NoMember(String),
    /// One member refuses.
    #[error("{customer}: {error}")]
    Member {
        /// The member.
        customer: String,
        /// Why.
        error: CutoverError,
    },
    /// Nobody is at a stage that somebody has to let on.
    #[error(
        "nobody of the cohort waits to be let on: the hindmost is {0}\nhint: it goes on by itself when its orders are answered"
    )]
    NobodyWaits(Stage),
    /// A canary customer speaks against it.
    #[error(
        "the canary customer `{customer}` speaks against it: {reason}\nhint: repair it; or find out why it was taken back, and name other canary customers"
    )]
    Canary {
        /// The canary customer.
        customer: String,
        /// What is wrong.
        reason: String,
    },
}

impl CohortCutover {
    /// A cohort that was not begun. Canary customers who are no members are left out.
    pub fn new(members: impl IntoIterator<Item = String>, canary: impl IntoIterator<Item = String>) -> Self {
        let members: BTreeMap<String, Cutover> = members.into_iter().map(|id| (id, Cutover::new())).collect();
        let canary = canary.into_iter().filter(|id| members.contains_key(id)).collect();
        Self { members, canary }
    }

    /// The stage of the hindmost member; of all that are rolled back, that. `None` without members.
    pub fn stage(&self) -> Option<Stage> {
        let stages = self.members.values().map(|member| progress(member.stage));
        stages.min().map(|(_, stage)| stage)
    }

    /// How many members are at each stage.
    pub fn counts(&self) -> BTreeMap<Stage, u64> {
        let mut counts = BTreeMap::new();
        for member in self.members.values() {
            *counts.entry(member.stage).or_default() += 1;
        }
        counts
    }

    /// Everything that the members wait for.
    pub fn outstanding(&self) -> Vec<(String, Order)> {
        let orders = |(id, member): (&String, &Cutover)| {
            let id = id.clone();
            outstanding(member).into_iter().map(move |order| (id.clone(), order))
        };
        self.members.iter().flat_map(orders).collect()
    }

    /// Who would be moved by the next advance.
    ///
    /// # Errors
    /// [`CohortError`] when nobody waits for one, or a canary customer speaks against it.
    pub fn wave(&self) -> Result<Vec<String>, CohortError> {
        let stage = self.stage().unwrap_or(Stage::Waiting);
        if !matches!(stage, Stage::Verify | Stage::ShadowReads | Stage::Canary | Stage::Soak) {
            return Err(CohortError::NobodyWaits(stage));
        }
        let there = self.members.iter().filter(|(_, member)| member.stage == stage);
        let (first, others): (Vec<_>, Vec<_>) =
            there.map(|(id, _)| id.clone()).partition(|id| self.canary.contains(id));
        if !matches!(stage, Stage::ShadowReads | Stage::Canary) {
            return Ok(first.into_iter().chain(others).collect());
        }
        if !first.is_empty() {
            return Ok(first);
        }
        for customer in &self.canary {
            let member = &self.members[customer];
            if let Some(reason) = against(member) {
                return Err(CohortError::Canary { customer: customer.clone(), reason });
            }
        }
        Ok(others)
    }

    fn take(
        &mut self,
        rules: &CohortRules,
        customer: &str,
        event: Event,
    ) -> Result<Vec<Order>, CutoverError> {
        let Some(member) = self.members.get_mut(customer) else { return Ok(Vec::new()) };
        let followed = step(&rules.member, member, event)?;
        *member = followed.state;
        Ok(followed.orders)
    }
}

/// The order of the stages, for the question who is hindmost. A rolled-back member is behind nobody; one on its way back
/// to the canary stage or out counts as being in a handover.
fn progress(stage: Stage) -> (u8, Stage) {
    let rank = match stage {
        Stage::Waiting => 0,
        Stage::Snapshot => 1,
        Stage::CatchUp => 2,
        Stage::Verify => 3,
        Stage::ShadowReads => 4,
        Stage::Canary => 5,
        Stage::WriteSwitch | Stage::GoingBack => 6,
        Stage::Soak => 7,
        Stage::Done => 8,
        Stage::RolledBack => 9,
    };
    (rank, stage)
}

/// What a canary customer ahead says against following.
fn against(member: &Cutover) -> Option<String> {
    let evidence = &member.evidence;
    match member.stage {
        Stage::WriteSwitch | Stage::GoingBack => Some(format!("it is in {}", member.stage)),
        Stage::RolledBack => member.back.as_ref().map(|by| format!("it was taken back: {}", by.reason)),
        _ if evidence.reads.differing > 0 => {
            Some(format!("{} of its reads differed", evidence.reads.differing))
        }
        Stage::Done => None,
        _ => match evidence.parity {
            None => Some(format!("it was not compared in {}", member.stage)),
            Some(parity) if parity.differing > 0 => Some(format!("{} of its rows differ", parity.differing)),
            Some(_) => None,
        },
    }
}

/// What follows from `event` for `cohort`.
///
/// # Errors
/// [`CohortError`] when it is not allowed; nothing has changed then.
pub fn step_cohort(
    rules: &CohortRules,
    cohort: &CohortCutover,
    event: CohortEvent,
) -> Result<CohortStep, CohortError> {
    let mut after = CohortStep {
        cohort: cohort.clone(),
        orders: Vec::new(),
        moved: Vec::new(),
        waiting: Vec::new(),
        unmoved: Vec::new(),
    };
    match event {
        CohortEvent::Member { customer, event } => {
            if !cohort.members.contains_key(&customer) {
                return Err(CohortError::NoMember(customer));
            }
            after.strictly(rules, customer, event)?;
        }
        CohortEvent::Advance { verdict, at_ms } => after.advance(rules, verdict, at_ms)?,
        CohortEvent::Start { at_ms } => after.all(rules, &Event::Start { at_ms }),
        CohortEvent::Back { by, at_ms } => after.all(rules, &Event::Back { by, at_ms }),
        CohortEvent::Pause => after.all(rules, &Event::Pause),
        CohortEvent::Resume => after.all(rules, &Event::Resume),
        CohortEvent::Recover => after.all(rules, &Event::Recover),
    }
    Ok(after)
}

impl CohortStep {
    fn strictly(&mut self, rules: &CohortRules, customer: String, event: Event) -> Result<(), CohortError> {
        match self.cohort.take(rules, &customer, event) {
            Ok(orders) => self.moved(customer, orders),
            Err(error) => return Err(CohortError::Member { customer, error }),
        }
        Ok(())
    }

    fn moved(&mut self, customer: String, orders: Vec<Order>) {
        self.orders.extend(orders.into_iter().map(|order| (customer.clone(), order)));
        self.moved.push(customer);
    }

    /// Gives the event to every member; whom it does not concern stays as it is and is named.
    fn all(&mut self, rules: &CohortRules, event: &Event) {
        let customers: Vec<String> = self.cohort.members.keys().cloned().collect();
        for customer in customers {
            match self.cohort.take(rules, &customer, event.clone()) {
                Ok(orders) => self.moved(customer, orders),
                Err(error) => self.unmoved.push((customer, error)),
            }
        }
    }

    fn advance(&mut self, rules: &CohortRules, verdict: Verdict, at_ms: u64) -> Result<(), CohortError> {
        let wave = self.cohort.wave()?;
        // Whoever has to wait for a place must be ready too: the wave is one decision.
        for customer in &wave {
            let member = &self.cohort.members[customer];
            let missing = missing(&rules.member, member, at_ms);
            if !missing.is_empty() {
                let error = CutoverError::NotReady { stage: member.stage, missing };
                return Err(CohortError::Member { customer: customer.clone(), error });
            }
        }
        let under_way = self.cohort.members.values().filter(|member| member.handover.is_some()).count();
        let mut places = rules.handovers_at_most.max(1).saturating_sub(under_way);
        for customer in wave {
            if self.cohort.members[&customer].stage == Stage::Canary {
                if places == 0 {
                    self.waiting.push(customer);
                    continue;
                }
                places -= 1;
            }
            self.strictly(rules, customer, Event::Advance { verdict, at_ms })?;
        }
        Ok(())
    }
}
