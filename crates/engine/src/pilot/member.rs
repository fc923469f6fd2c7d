//! The members of a pilot: who was enrolled, and where each stands.
//!
//! Owns their lines and what happened to them. Who is chosen is a selection's; where a member goes next is
//! [`plimsoll_core::pilot::cutover`]'s.
//!
//! Invariants: a member is never forgotten, also not after a rollback; the stage in the line is the one in the state.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::pilot::cutover::cohort::CohortCutover;
use plimsoll_core::pilot::cutover::{Cutover, Stage};
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use crate::change::cells::Cells;
use crate::error::EngineError;

/// A member.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Member {
    /// The customer's code.
    pub customer: String,
    /// The customer's legacy number.
    pub number: i64,
    /// Whether it goes before the others.
    pub canary: bool,
    /// Where it stands.
    pub state: Cutover,
    /// When it was enrolled.
    pub enrolled_at: String,
    /// By whom.
    pub enrolled_by: String,
    /// Why.
    pub reason: String,
}

const COLUMNS: &str = "customer, number, canary, state, enrolled_at, enrolled_by, reason";

fn member(row: Vec<Value>) -> Result<Member, EngineError> {
    let cells = Cells(row);
    Ok(Member {
        customer: cells.text(0)?,
        number: cells.integer(1)?,
        canary: cells.integer(2)? == 1,
        state: serde_json::from_str(&cells.text(3)?)?,
        enrolled_at: cells.text(4)?,
        enrolled_by: cells.text(5)?,
        reason: cells.text(6)?,
    })
}

/// Enrols a customer. One who is a member already stays as it is; `false` then.
///
/// # Errors
/// When the store fails.
pub fn enrol(store: &mut dyn Store, new: &Member, now: &str) -> Result<bool, EngineError> {
    let sql = "INSERT INTO plimsoll_pilot_member (customer, number, canary, stage, state, enrolled_at, enrolled_by, reason, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6) ON CONFLICT (customer) DO NOTHING";
    let parameters = [
        Value::text(new.customer.as_str()),
        Value::Integer(new.number),
        Value::Integer(i64::from(new.canary)),
        Value::text(new.state.stage.as_str()),
        Value::text(serde_json::to_string(&new.state)?),
        Value::text(now),
        Value::text(new.enrolled_by.as_str()),
        Value::text(new.reason.as_str()),
    ];
    Ok(store.execute(sql, &parameters)? == 1)
}

/// Every member, by code.
///
/// # Errors
/// When the store fails.
pub fn all(store: &mut dyn Store) -> Result<Vec<Member>, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_pilot_member ORDER BY customer");
    store.query(&sql, &[])?.into_iter().map(member).collect()
}

/// Whether a pilot was ever prepared in this store.
///
/// # Errors
/// When the store fails.
pub fn has_begun(store: &mut dyn Store) -> Result<bool, EngineError> {
    Ok(store.shape("plimsoll_pilot_member")?.is_some())
}

/// The codes of members who were taken back to the legacy side. A store without members has none.
///
/// # Errors
/// When the store fails.
pub fn rolled_back(store: &mut dyn Store) -> Result<BTreeSet<String>, EngineError> {
    if !has_begun(store)? {
        return Ok(BTreeSet::new());
    }
    let sql = "SELECT customer FROM plimsoll_pilot_member WHERE stage = $1";
    let rows = store.query(sql, &[Value::text(Stage::RolledBack.as_str())])?;
    rows.into_iter().map(|row| Cells(row).text(0)).collect()
}

/// One member.
///
/// # Errors
/// Usage when there is no such member.
pub fn one(store: &mut dyn Store, customer: &str) -> Result<Member, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_pilot_member WHERE customer = $1");
    // Where no pilot was ever prepared nobody is a member, which is no failure of the store.
    let rows = if has_begun(store)? { store.query(&sql, &[Value::text(customer)])? } else { Vec::new() };
    let found = rows.into_iter().next();
    found.map_or_else(
        || {
            Err(EngineError::usage(format!(
                "`{customer}` is no member of the pilot\nhint: `plimsoll pilot status` lists the members"
            )))
        },
        member,
    )
}

/// Where the customer with this legacy number stands; none for one who is no member.
pub(super) fn by_number(store: &mut dyn Store, number: i64) -> Result<Option<Cutover>, EngineError> {
    let sql = "SELECT state FROM plimsoll_pilot_member WHERE number = $1";
    let row = store.query(sql, &[Value::Integer(number)])?.into_iter().next();
    row.map(|row| Ok(serde_json::from_str(&Cells(row).text(0)?)?)).transpose()
}

/// Writes where a member stands, if it stands where it was read.
///
/// # Errors
/// Refused when somebody else moved it meanwhile.
pub fn moved(
    store: &mut dyn Store,
    customer: &str,
    before: &Cutover,
    after: &Cutover,
    now: &str,
) -> Result<(), EngineError> {
    let sql = "UPDATE plimsoll_pilot_member SET stage = $2, state = $3, changed_at = $4 WHERE customer = $1 AND state = $5";
    let parameters = [
        Value::text(customer),
        Value::text(after.stage.as_str()),
        Value::text(serde_json::to_string(after)?),
        Value::text(now),
        Value::text(serde_json::to_string(before)?),
    ];
    if store.execute(sql, &parameters)? == 1 {
        return Ok(());
    }
    Err(EngineError::refused(format!(
        "{customer} was moved by somebody else at this moment\nhint: look where it stands now, and try again"
    )))
}

/// The members as one cohort.
pub fn cohort(members: &[Member]) -> CohortCutover {
    let states: BTreeMap<String, Cutover> =
        members.iter().map(|member| (member.customer.clone(), member.state.clone())).collect();
    let canary: BTreeSet<String> =
        members.iter().filter(|member| member.canary).map(|member| member.customer.clone()).collect();
    CohortCutover { members: states, canary }
}

/// Something that happened to a member.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Happened {
    /// When.
    pub at: String,
    /// To whom.
    pub customer: String,
    /// Who did it.
    pub actor: String,
    /// What, in a word.
    pub kind: String,
    /// The particulars.
    pub detail: String,
}

/// Writes down that something happened to a member.
///
/// # Errors
/// When the store fails.
pub fn happen(store: &mut dyn Store, what: &Happened) -> Result<(), EngineError> {
    let sql = "INSERT INTO plimsoll_pilot_event (number, customer, at, actor, kind, detail)
        SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5 FROM plimsoll_pilot_event";
    let parameters = [&what.customer, &what.at, &what.actor, &what.kind, &what.detail];
    let parameters: Vec<Value> = parameters.map(|text| Value::text(text.as_str())).to_vec();
    store.execute(sql, &parameters)?;
    Ok(())
}

/// What happened to a member, or to all, newest last, at most `limit`.
///
/// # Errors
/// When the store fails.
pub fn happenings(
    store: &mut dyn Store,
    customer: Option<&str>,
    limit: u64,
) -> Result<Vec<Happened>, EngineError> {
    let sql = "SELECT at, customer, actor, kind, detail FROM plimsoll_pilot_event
        WHERE $1 = '' OR customer = $1 ORDER BY number DESC LIMIT $2";
    let limit = Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = store.query(sql, &[Value::text(customer.unwrap_or_default()), limit])?;
    let read = |row: Vec<Value>| {
        let cells = Cells(row);
        Ok(Happened {
            at: cells.text(0)?,
            customer: cells.text(1)?,
            actor: cells.text(2)?,
            kind: cells.text(3)?,
            detail: cells.text(4)?,
        })
    };
    let mut found: Vec<Happened> = rows.into_iter().map(read).collect::<Result<_, EngineError>>()?;
    found.reverse();
    Ok(found)
}
