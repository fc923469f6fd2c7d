//! Who could be chosen: every customer of the legacy side, read from one snapshot of it.
//!
//! Owns reading and counting, and the ids of those whom no code tells apart. What a row says of a customer is the system's
//! ([`CandidateSource::read`]). It writes nothing, and chooses nobody.
//!
//! Invariants: each legacy row is one candidate, so that a percentage is a share of all of them; an id names one candidate.
//! A member keeps its id though another row took its code since: its legacy number tells which of them it is.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::pilot::mapping::References;
use plimsoll_core::pilot::selection::Customer;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, in_transaction};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::pilot::declare::{Pilot, PilotEntity};

/// The mark of a customer without a code.
pub const NO_CODE: &str = "no_code";
/// The mark of a customer whose code another one has too.
pub const DUPLICATE_CODE: &str = "duplicate_code";
/// The mark of a customer whom the mapping refuses.
pub const CANNOT_BE_CARRIED: &str = "cannot_be_carried";

/// The mark of a customer who has an order that the mapping refuses: both sides could never be equal.
pub const ORDER_CANNOT_BE_CARRIED: &str = "order_cannot_be_carried";

/// The marks with which nobody is chosen: such a customer cannot be moved as it is.
pub const UNMOVABLE: [&str; 4] = [NO_CODE, DUPLICATE_CODE, CANNOT_BE_CARRIED, ORDER_CANNOT_BE_CARRIED];

/// Orders that cannot be carried and are told of a customer.
const TOLD: usize = 3;

/// What a legacy row says of a customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    /// The customer, without its orders. The id is the code that the new side would give it; empty where it has none.
    pub customer: Customer,
    /// Why it cannot be carried; empty where it can.
    pub problems: Vec<String>,
    /// Why orders of it cannot be carried; the engine finds out.
    pub orders: Vec<String>,
}

/// Where a system's candidates are.
#[derive(Clone, Copy)]
pub struct CandidateSource {
    /// The entity whose records are chosen.
    pub entity: &'static str,
    /// The entity whose records are counted as orders; it refers to the first.
    pub orders: &'static str,
    /// What a legacy row of the entity says.
    pub read: fn(&Fields) -> Candidate,
}

/// A candidate as it is kept with a selection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// What the selection asked of it. The id is its code; where that names nobody, or several, its number follows:
    /// `#17`, `D0000001#17`.
    pub customer: Customer,
    /// Its number in the legacy database.
    pub number: i64,
    /// Why it, or an order of it, cannot be carried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl Listed {
    /// Whether a person who writes this code or id means this candidate.
    pub fn is_meant_by(&self, code: &str) -> bool {
        let id = self.customer.id.as_str();
        id == code || id.strip_suffix(&format!("#{}", self.number)).is_some_and(|own| own == code)
    }
}

/// Every candidate, in the order of the legacy numbers. `members` are those chosen before, with their legacy numbers.
///
/// # Errors
/// When the store fails or lacks a table; usage when the pilot declares no such entity.
pub fn read(
    legacy: &mut dyn Store,
    pilot: &dyn Pilot,
    members: &BTreeMap<String, i64>,
) -> Result<Vec<Listed>, EngineError> {
    let source = pilot.candidates();
    let customers = entity(pilot, source.entity)?;
    let orders = entity(pilot, source.orders)?;
    let reference = orders.references.iter().find(|one| one.entity == customers.name).ok_or_else(|| {
        EngineError::usage(format!("the pilot's `{}` do not refer to `{}`", orders.name, customers.name))
    })?;
    let (mut found, mut orders) = in_transaction(legacy, Access::ReadOnly, |store| {
        let known = known(store, pilot, orders)?;
        let all = read_orders(store, pilot, orders, reference.legacy, known)?;
        Ok::<_, EngineError>((rows(store, customers.legacy_table, source)?, all))
    })?;
    for (number, candidate) in &mut found {
        let Some(own) = orders.remove(number) else { continue };
        candidate.customer.orders = own.count;
        if own.refused > 0 {
            candidate.customer.marks.insert(ORDER_CANNOT_BE_CARRIED.into());
            candidate.orders = own.told;
        }
    }
    Ok(named(found, members))
}

fn entity(pilot: &dyn Pilot, name: &str) -> Result<&'static PilotEntity, EngineError> {
    let found = pilot.entities().iter().find(|entity| entity.name == name);
    found.ok_or_else(|| EngineError::usage(format!("the pilot has no entity `{name}`")))
}

/// The orders of one customer.
#[derive(Default)]
struct Orders {
    count: u64,
    refused: u64,
    told: Vec<String>,
}

/// Numbers of records that can be carried and to which orders refer. Every customer is among them: whether it can be
/// carried is asked of itself.
#[derive(Default)]
struct Known(BTreeMap<&'static str, BTreeSet<i64>>);

impl References for Known {
    fn code_of(&self, entity: &str, legacy_id: i64) -> Option<String> {
        // No row is written, so any code will do.
        self.0.get(entity)?.contains(&legacy_id).then(|| legacy_id.to_string())
    }

    fn legacy_id_of(&self, _entity: &str, _code: &str) -> Option<i64> {
        None
    }
}

fn known(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    orders: &'static PilotEntity,
) -> Result<Known, EngineError> {
    let mut known = Known::default();
    for reference in orders.references {
        let target = entity(pilot, reference.entity)?;
        let is_customer = target.name == pilot.candidates().entity;
        let mut numbers = BTreeSet::new();
        each(store, target.legacy_table, &mut |number, fields| {
            if is_customer || pilot.to_new(target.name, &fields, &Known::default()).is_ok() {
                numbers.insert(number);
            }
        })?;
        known.0.insert(target.name, numbers);
    }
    Ok(known)
}

/// The orders of each customer, by its number; what refers to nobody is nobody's.
fn read_orders(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    orders: &'static PilotEntity,
    column: &str,
    known: Known,
) -> Result<BTreeMap<i64, Orders>, EngineError> {
    let mut found: BTreeMap<i64, Orders> = BTreeMap::new();
    each(store, orders.legacy_table, &mut |number, fields| {
        let Some(customer) = fields.get(column).and_then(Value::as_integer) else { return };
        let own = found.entry(customer).or_default();
        own.count += 1;
        if let Err(problems) = pilot.to_new(orders.name, &fields, &known) {
            own.refused += 1;
            if let Some(first) = problems.first().filter(|_| own.told.len() < TOLD) {
                own.told.push(format!("{} {number}: {}: {}", orders.name, first.column, first.reason));
            }
        }
    })?;
    Ok(found)
}

fn rows(
    store: &mut dyn Store,
    table: &str,
    source: CandidateSource,
) -> Result<Vec<(i64, Candidate)>, EngineError> {
    let mut found = Vec::new();
    each(store, table, &mut |number, fields| found.push((number, (source.read)(&fields))))?;
    Ok(found)
}

/// Every row of a legacy table with its number.
fn each(store: &mut dyn Store, table: &str, take: &mut dyn FnMut(i64, Fields)) -> Result<(), EngineError> {
    let shape = store.shape(table)?.ok_or_else(|| {
        EngineError::usage(format!(
            "{} has no table `{table}`\nhint: `plimsoll systems` names the store of each side",
            store.url()
        ))
    })?;
    store.scan_rows(&shape, &mut |image| {
        let number = shape.key_of(&image).0.first().and_then(Value::as_integer).unwrap_or_default();
        take(number, shape.columns.iter().map(|column| column.name.clone()).zip(image).collect());
        Ok(())
    })?;
    Ok(())
}

/// Gives each candidate an id of its own, and the marks of those that cannot be moved.
fn named(found: Vec<(i64, Candidate)>, members: &BTreeMap<String, i64>) -> Vec<Listed> {
    let mut holders: BTreeMap<String, u64> = BTreeMap::new();
    for (_, candidate) in &found {
        *holders.entry(candidate.customer.id.clone()).or_default() += 1;
    }
    let list = |(number, candidate): (i64, Candidate)| {
        let Candidate { mut customer, mut problems, orders } = candidate;
        if !problems.is_empty() {
            customer.marks.insert(CANNOT_BE_CARRIED.into());
        }
        if customer.id.is_empty() {
            customer.marks.insert(NO_CODE.into());
            customer.id = format!("#{number}");
        } else if holders.get(&customer.id).is_some_and(|holders| *holders > 1) {
            customer.marks.insert(DUPLICATE_CODE.into());
            if members.get(&customer.id) != Some(&number) {
                customer.id = format!("{}#{number}", customer.id);
            }
        }
        problems.extend(orders);
        Listed { customer, number, problems }
    };
    found.into_iter().map(list).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(code: &str, problems: &[&str]) -> Candidate {
        Candidate {
            customer: Customer { id: code.into(), ..Customer::default() },
            problems: problems.iter().map(ToString::to_string).collect(),
            orders: Vec::new(),
        }
    }

    #[test]
    fn codes_that_name_nobody_or_several_are_told_apart_and_a_member_keeps_its_id() {
        let found = || {
            vec![
                (1, candidate("A", &[])),
                (2, candidate("A", &[])),
                (3, candidate("", &["client_code: the row must have a value here"])),
                (4, candidate("B", &["notes: no Big5"])),
            ]
        };
        let ids = |members: &BTreeMap<String, i64>| -> Vec<String> {
            named(found(), members).into_iter().map(|one| one.customer.id).collect()
        };
        assert_eq!(ids(&BTreeMap::new()), ["A#1", "A#2", "#3", "B"]);
        assert_eq!(ids(&BTreeMap::from([("A".to_owned(), 2)])), ["A#1", "A", "#3", "B"]);
        let all = named(found(), &BTreeMap::new());
        let marks = |at: usize| all[at].customer.marks.iter().map(String::as_str).collect::<BTreeSet<_>>();
        assert_eq!(marks(1), [DUPLICATE_CODE].into());
        assert_eq!(marks(2), [CANNOT_BE_CARRIED, NO_CODE].into());
        assert_eq!(marks(3), [CANNOT_BE_CARRIED].into());
        let meant = |code: &str| all.iter().filter(|one| one.is_meant_by(code)).count();
        assert_eq!((meant("A"), meant("A#2"), meant("#3"), meant("B"), meant("C")), (2, 1, 1, 1, 0));
    }
}
