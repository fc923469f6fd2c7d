//! Where members stand, and what a pilot amounts to so far.
//!
//! Owns reading it from the stores, for the command, for HTTP and for gates. It moves nobody.
//!
//! Invariant: every number is counted when it is asked for; nothing of it is kept.

use std::collections::BTreeMap;

use plimsoll_core::pilot::cutover::{CutoverRules, Order, Side, Stage, missing, outstanding};
use plimsoll_store::Store;
use serde::Serialize;

use super::customer::Customer;
use super::declare::Pilot;
use super::drive::Driver;
use super::due::{HeldRecord, held};
use super::member::{self, Happened, Member};
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::session::Session;
use crate::sync::{now_ms, status};

/// Held records that are told at most.
const SHOWN: u64 = 50;
/// Happenings of a member that are told at most.
const HAPPENINGS: u64 = 100;

/// Where a member stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The customer's code.
    pub customer: String,
    /// Its legacy number.
    pub number: i64,
    /// Whether it goes before the others.
    pub canary: bool,
    /// Its stage.
    pub stage: Stage,
    /// Who writes; nobody for the moments of a handover.
    pub writer: Option<Side>,
    /// Whose answers users see.
    pub reads: Side,
    /// The epoch under which that holds.
    pub epoch: u64,
    /// Whether it stops there.
    pub paused: bool,
    /// What is missing before it may go on.
    pub missing: Vec<String>,
    /// When it was enrolled.
    pub enrolled_at: String,
    /// By whom.
    pub enrolled_by: String,
    /// Why.
    pub reason: String,
}

/// Members with what stops them and what happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The members.
    pub members: Vec<Line>,
    /// Records that cannot be carried, the first of them.
    pub held: Vec<HeldRecord>,
    /// What happened to the member that was asked for.
    pub happened: Vec<Happened>,
}

/// Where every member stands, or one with what happened to it.
///
/// # Errors
/// Usage when there is no such member; when a store fails.
pub fn standing(
    new: &mut Session,
    rules: &CutoverRules,
    customer: Option<&str>,
) -> Result<Standing, EngineError> {
    let at_ms = now_ms(new);
    let store = new.store.as_mut();
    if !member::has_begun(store)? && customer.is_none() {
        return Ok(Standing { members: Vec::new(), held: Vec::new(), happened: Vec::new() });
    }
    let (members, happened) = match customer {
        Some(code) => (vec![member::one(store, code)?], member::happenings(store, Some(code), HAPPENINGS)?),
        None => (member::all(store)?, Vec::new()),
    };
    let line = |one: Member| Line {
        missing: missing(rules, &one.state, at_ms),
        customer: one.customer,
        number: one.number,
        canary: one.canary,
        stage: one.state.stage,
        writer: one.state.writer,
        reads: one.state.reads,
        epoch: one.state.epoch,
        paused: one.state.paused,
        enrolled_at: one.enrolled_at,
        enrolled_by: one.enrolled_by,
        reason: one.reason,
    };
    Ok(Standing { members: members.into_iter().map(line).collect(), held: held(store, SHOWN)?, happened })
}

/// An order that waits to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waiting {
    /// The member.
    pub customer: String,
    /// The order.
    pub order: Order,
}

/// What the next pass over the members would do.
///
/// # Errors
/// When the store fails.
pub fn waiting(driver: &mut Driver<'_>) -> Result<Vec<Waiting>, EngineError> {
    let of = |member: Member| {
        let orders = outstanding(&member.state).into_iter();
        orders.map(move |order| Waiting { customer: member.customer.clone(), order }).collect::<Vec<_>>()
    };
    Ok(driver.members()?.into_iter().flat_map(of).collect())
}

/// A link of the pilot and how far it is.
#[derive(Debug, Clone, Serialize)]
pub struct LinkStanding {
    /// The entity that it carries.
    pub entity: String,
    /// Its name.
    pub link: String,
    /// How far it is.
    pub status: status::Status,
}

/// What a pilot amounts to so far.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Members in all.
    pub members: u64,
    /// Members by stage; a stage without any is left out.
    pub stages: BTreeMap<Stage, u64>,
    /// Reads that were compared in the members' present stages.
    pub reads_compared: u64,
    /// Those that differed.
    pub reads_differing: u64,
    /// Steps that were forced.
    pub forced_steps: u64,
    /// Members with a certificate of a rollback.
    pub certificates: u64,
    /// Records that cannot be carried.
    pub held: u64,
    /// Each link.
    pub links: Vec<LinkStanding>,
}

/// Sums the pilot up.
///
/// # Errors
/// When a store fails.
pub fn report(new: &mut Session, pilot: &dyn Pilot) -> Result<Report, EngineError> {
    let mut report = Report {
        members: 0,
        stages: BTreeMap::new(),
        reads_compared: 0,
        reads_differing: 0,
        forced_steps: 0,
        certificates: 0,
        held: 0,
        links: Vec::new(),
    };
    if !member::has_begun(new.store.as_mut())? {
        return Ok(report);
    }
    let members = member::all(new.store.as_mut())?;
    report.members = members.len() as u64;
    for one in &members {
        *report.stages.entry(one.state.stage).or_default() += 1;
        report.reads_compared += one.state.evidence.reads.compared;
        report.reads_differing += one.state.evidence.reads.differing;
        report.forced_steps += one.state.forced.len() as u64;
    }
    for entity in pilot.entities() {
        let link = pilot.link(entity.name);
        report.links.push(LinkStanding {
            entity: entity.name.to_owned(),
            link: link.name().to_owned(),
            status: status::of(new, link)?,
        });
    }
    let store = new.store.as_mut();
    report.certificates = count(store, "SELECT count(DISTINCT customer) FROM plimsoll_pilot_certificate")?;
    report.held = count(store, "SELECT count(*) FROM plimsoll_pilot_record WHERE held IS NOT NULL")?;
    Ok(report)
}

/// Members whose records were compared now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MembersParity {
    /// Members that are under way: begun, and not taken back.
    pub members: u64,
    /// Records of theirs.
    pub records: u64,
    /// Those that differ without a change on its way.
    pub differing: u64,
    /// Those with a change on its way.
    pub pending: u64,
    /// The members with records that differ, and how many.
    pub unequal: BTreeMap<String, u64>,
}

/// Compares every member that is under way.
///
/// # Errors
/// When a store fails.
pub fn compare_members(driver: &mut Driver<'_>) -> Result<MembersParity, EngineError> {
    let mut found = MembersParity::default();
    for member in driver.members()? {
        if matches!(member.state.stage, Stage::Waiting | Stage::RolledBack) {
            continue;
        }
        let customer = Customer { code: member.customer, number: member.number };
        let parity = driver.compare(&customer)?;
        found.members += 1;
        found.records += parity.records;
        found.differing += parity.differing;
        found.pending += parity.pending;
        if parity.differing > 0 {
            found.unequal.insert(customer.code, parity.differing);
        }
    }
    Ok(found)
}

/// What the gate between stages asks: facts that are recorded as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Records of members that were compared now.
    pub records: u64,
    /// Those that differ without a change on its way.
    pub differences: u64,
    /// Writes of users that were heard on both sides.
    pub writes: u64,
    /// Records whose change failed for good.
    pub failed: u64,
}

/// Compares every member that is under way, and counts writes.
///
/// # Errors
/// When a store fails.
pub fn facts(driver: &mut Driver<'_>) -> Result<Facts, EngineError> {
    let found = compare_members(driver)?;
    let mut facts = Facts { records: found.records, differences: found.differing, writes: 0, failed: 0 };
    let users = format!("SELECT count(*) FROM {} WHERE origin IS NULL", driver.carrier.pilot().outbox().0);
    let new = driver.carrier.session.store.as_mut();
    facts.writes = count(driver.legacy.store.as_mut(), &users)? + count(new, &users)?;
    facts.failed = count(new, "SELECT count(*) FROM plimsoll_sync_record WHERE badge = 'failed'")?;
    Ok(facts)
}

fn count(store: &mut dyn Store, sql: &str) -> Result<u64, EngineError> {
    store.query(sql, &[])?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
}
