//! Enrolment: the customers of a selection become members, and the pilot's flag has them by name.
//!
//! Owns the order of it - fences, members, flag - and what is said of it. Who was selected is [`super::select`]'s; the fences
//! and lines are put up by [`Driver::enrol`].
//!
//! Invariants: nobody is enrolled who is not in the selection; the flag has members by name, so that whoever asks it gets
//! the same people however percentages change. A death between the two leaves members whom the flag does not have: the
//! same enrolment again adds them and changes nothing else.

use std::collections::BTreeSet;

use plimsoll_core::flag::{Algorithm, Flag, Percent, Rollout, State};
use plimsoll_core::pilot::cutover::Said;
use plimsoll_store::Store;
use serde::Serialize;

use super::customer::Customer;
use super::drive::Driver;
use super::select::kept::StoredSelection;
use super::select::{SALT, kept};
use crate::error::EngineError;
use crate::flag::change::{How, create, update};
use crate::flag::store::lookup;
use crate::session::Session;

/// Who is to be enrolled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The selection's number, id or prefix; the newest when absent.
    pub selection: Option<String>,
    /// Only these of it; all when empty.
    pub customers: BTreeSet<String>,
    /// Those who go before the others.
    pub canary: BTreeSet<String>,
}

/// Customers of a selection who are to be enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The selection's number.
    pub selection: u64,
    /// Whom.
    pub customers: Vec<Customer>,
    canary: BTreeSet<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enrolled {
    /// The selection's number.
    pub selection: u64,
    /// Who is a member now and was none before.
    pub enrolled: Vec<String>,
    /// Customers of the enrolment, earlier members among them.
    pub members: u64,
    /// The flag that has them.
    pub flag: &'static str,
}

/// The selection that is meant: the newest one, unless it is named.
///
/// # Errors
/// Usage when there is none.
pub fn selection(new: &mut dyn Store, name: Option<&str>) -> Result<StoredSelection, EngineError> {
    match name {
        Some(name) => kept::find(new, name),
        None => kept::latest(new)?.ok_or_else(|| {
            EngineError::usage("nobody was selected yet\nhint: plimsoll pilot select --percent 10")
        }),
    }
}

/// Finds the customers in their selection.
///
/// # Errors
/// Usage, naming a customer who is not in it.
pub fn plan(new: &mut dyn Store, wanted: &Wanted) -> Result<Enrolment, EngineError> {
    let selection = selection(new, wanted.selection.as_deref())?;
    let chosen = selection.members();
    let mut named = wanted.customers.iter().chain(&wanted.canary);
    if let Some(other) = named.find(|code| !chosen.contains_key(*code)) {
        return Err(EngineError::usage(format!(
            "`{other}` is not in selection {0}\nhint: plimsoll pilot show {0} --customer {other} says why",
            selection.number
        )));
    }
    let customers = chosen
        .into_iter()
        .filter(|(code, _)| wanted.customers.is_empty() || wanted.customers.contains(code))
        .map(|(code, number)| Customer { code, number })
        .collect();
    Ok(Enrolment { selection: selection.number, customers, canary: wanted.canary.clone() })
}

/// Makes them members, and writes them into the flag.
///
/// # Errors
/// As [`make_members`] and [`write_flag`].
pub fn enrol(
    driver: &mut Driver<'_>,
    control: &mut Session,
    enrolment: &Enrolment,
    by: &Said,
) -> Result<Enrolled, EngineError> {
    let enrolled = make_members(driver, enrolment, by)?;
    write_flag(control, enrolment, enrolled, &by.reason)
}

/// The first half: fences and members. Returns who is new. [`write_flag`] has to follow.
///
/// # Errors
/// As [`Driver::enrol`].
pub fn make_members(
    driver: &mut Driver<'_>,
    enrolment: &Enrolment,
    by: &Said,
) -> Result<Vec<String>, EngineError> {
    driver.enrol(&enrolment.customers, &enrolment.canary, by)
}

/// The second half: the flag has them by name.
///
/// # Errors
/// When the control store fails; the same enrolment again adds what is missing.
pub fn write_flag(
    control: &mut Session,
    enrolment: &Enrolment,
    enrolled: Vec<String>,
    reason: &str,
) -> Result<Enrolled, EngineError> {
    freeze(control, &enrolment.customers, reason)?;
    let members = enrolment.customers.len() as u64;
    Ok(Enrolled { selection: enrolment.selection, enrolled, members, flag: SALT })
}

fn freeze(control: &mut Session, customers: &[Customer], reason: &str) -> Result<(), EngineError> {
    let how = How::because(reason);
    if lookup(control.store.as_mut(), SALT)?.is_none_or(|stored| stored.archived) {
        let mut flag = Flag::new(SALT);
        flag.description = "Customers of the pilot: those who are enrolled, and nobody else".into();
        flag.key = "customerId".into();
        flag.rollout = Some(Rollout {
            percent: Percent::NOBODY,
            algorithm: Algorithm::default(),
            salt: SALT.into(),
            stages: Vec::new(),
            constraints: Vec::new(),
            segments: Vec::new(),
        });
        create(control, flag, &how)?;
    }
    update(control, SALT, "flag.allowed", &how, |flag| {
        flag.state = State::On;
        flag.allow.extend(customers.iter().map(|one| (one.code.clone(), None)));
        Ok(())
    })?;
    Ok(())
}
