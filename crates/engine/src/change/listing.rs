//! Plans, runs and quarantined items as people list them: newest first, a page at a time, of the systems that they may see.
//!
//! Owns which of them are wanted, and asking the store for no more than is shown: a store of a system whose every request is
//! a run has very many. Reading a whole one is [`super::plan`]'s, [`super::run`]'s and [`super::quarantine`]'s.

use std::collections::BTreeMap;

use plimsoll_core::id::Id;
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde::Serialize;

use super::cells::{Cells, number};
use super::plan::{self, Plan};
use super::quarantine::{self, Quarantined};
use super::run::{self, Run};
use crate::error::EngineError;

/// Which plans, runs or quarantined items are wanted; whatever is not said does not matter.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of one of these systems. Of none when there is none.
    pub systems: Vec<String>,
    /// Of this change kind.
    pub change: Option<String>,
    /// In this status.
    pub status: Option<String>,
    /// Runs of this plan.
    pub plan: Option<String>,
    /// Quarantined items of this run.
    pub run: Option<String>,
    /// With this text in the id, the change kind, the source, the label or the reason, in any case of letters.
    pub text: Option<String>,
}

impl Wanted {
    /// Everything of these systems.
    pub fn of(systems: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { systems: systems.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The condition, and what it is asked with. `texts` are the columns in which a text is looked for.
    fn condition(&self, texts: &[&str]) -> (String, Vec<Value>) {
        let mut parameters: Vec<Value> = self.systems.iter().map(Value::text).collect();
        let places: Vec<String> = (1..=parameters.len()).map(|at| format!("${at}")).collect();
        let mut parts = vec![match places.as_slice() {
            [] => "1 = 0".to_owned(),
            _ => format!("system IN ({})", places.join(", ")),
        }];
        for (column, value) in [
            ("change_kind", &self.change),
            ("status", &self.status),
            ("plan", &self.plan),
            ("run", &self.run),
        ] {
            if let Some(value) = value {
                parameters.push(Value::text(value));
                parts.push(format!("{column} = ${}", parameters.len()));
            }
        }
        if let Some(text) = &self.text {
            let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            parameters.push(Value::text(format!("%{escaped}%")));
            let at = parameters.len();
            let each = texts.iter().map(|column| format!("lower({column}) LIKE ${at} ESCAPE '\\'"));
            parts.push(format!("({})", each.collect::<Vec<_>>().join(" OR ")));
        }
        (parts.join(" AND "), parameters)
    }
}

/// The newest plans that are wanted, at most so many, and how many there are in all. Plans that are still being made are not
/// among them.
///
/// # Errors
/// When the store fails.
pub fn plans(store: &mut dyn Store, wanted: &Wanted, limit: u64) -> Result<(Vec<Plan>, u64), EngineError> {
    let wanted = Wanted { plan: None, run: None, ..wanted.clone() };
    let (condition, parameters) = wanted.condition(&["id", "change_kind", "source"]);
    let condition = format!("{condition} AND status <> 'building'");
    let (rows, total) = newest(store, "plimsoll_plan", plan::COLUMNS, &condition, parameters, limit)?;
    Ok((rows.into_iter().map(plan::read_plan).collect::<Result<_, _>>()?, total))
}

/// The newest runs that are wanted, at most so many, and how many there are in all.
///
/// # Errors
/// When the store fails.
pub fn runs(store: &mut dyn Store, wanted: &Wanted, limit: u64) -> Result<(Vec<Run>, u64), EngineError> {
    let wanted = Wanted { run: None, ..wanted.clone() };
    let (condition, parameters) = wanted.condition(&["id", "change_kind", "reason"]);
    let (rows, total) = newest(store, "plimsoll_run", run::COLUMNS, &condition, parameters, limit)?;
    let runs = rows.iter().map(run::read_run).collect::<Result<Vec<_>, _>>()?;
    Ok((run::with_all_sums(store, runs)?, total))
}

/// The quarantined items that are wanted, those of the newest plan first and in its order, at most so many, and how many
/// there are in all.
///
/// # Errors
/// When the store fails.
pub fn quarantined(
    store: &mut dyn Store,
    wanted: &Wanted,
    limit: u64,
) -> Result<(Vec<Quarantined>, u64), EngineError> {
    let wanted = Wanted { plan: None, change: None, ..wanted.clone() };
    let (condition, parameters) = wanted.condition(&["id", "label", "reason"]);
    let (table, columns) = ("plimsoll_quarantine", quarantine::COLUMNS);
    let (rows, total) = some(store, table, columns, &condition, "plan DESC, item", parameters, limit)?;
    Ok((rows.into_iter().map(quarantine::read).collect::<Result<_, _>>()?, total))
}

fn newest(
    store: &mut dyn Store,
    table: &str,
    columns: &str,
    condition: &str,
    parameters: Vec<Value>,
    limit: u64,
) -> Result<(Vec<Cells>, u64), EngineError> {
    let (rows, total) = some(store, table, columns, condition, "number DESC", parameters, limit)?;
    Ok((rows.into_iter().map(Cells).collect(), total))
}

/// The first rows in an order, and how many there are. Nothing of what is asked comes from outside but the parameters.
fn some(
    store: &mut dyn Store,
    table: &str,
    columns: &str,
    condition: &str,
    order: &str,
    mut parameters: Vec<Value>,
    limit: u64,
) -> Result<(Vec<Vec<Value>>, u64), EngineError> {
    let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
    let total =
        store.query(&sql, &parameters)?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
    parameters.push(number(limit));
    let sql = format!(
        "SELECT {columns} FROM {table} WHERE {condition} ORDER BY {order} LIMIT ${}",
        parameters.len()
    );
    Ok((store.query(&sql, &parameters)?, total))
}

/// A run that applied a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedBy {
    /// The run.
    pub id: Id,
    /// Where it stands.
    pub status: RunStatus,
}

/// How many plans are asked about at once; databases take only so many parameters.
const ASKED_AT_ONCE: usize = 500;

/// The newest run of each of these plans that has one, by the plan's id. A plan stays what it is when it was applied; that
/// it was is what its runs say.
///
/// # Errors
/// When the store fails.
pub fn applied_by(store: &mut dyn Store, plans: &[Plan]) -> Result<BTreeMap<String, AppliedBy>, EngineError> {
    let mut found = BTreeMap::new();
    for some in plans.chunks(ASKED_AT_ONCE) {
        let places: Vec<String> = (1..=some.len()).map(|at| format!("${at}")).collect();
        let sql = format!(
            "SELECT plan, id, status FROM plimsoll_run WHERE plan IN ({}) ORDER BY number",
            places.join(", ")
        );
        let parameters: Vec<Value> = some.iter().map(|plan| Value::text(plan.id.as_str())).collect();
        for row in store.query(&sql, &parameters)? {
            let cells = Cells(row);
            let by = AppliedBy { id: Id(cells.text(1)?), status: run::status_of(&cells.text(2)?)? };
            found.insert(cells.text(0)?, by);
        }
    }
    Ok(found)
}

/// The ids of the runs of a plan, newest first.
///
/// # Errors
/// When the store fails.
pub fn of_plan(store: &mut dyn Store, plan: &Id) -> Result<Vec<Id>, EngineError> {
    ids(store, "plan", plan)
}

/// The ids of the runs that take a run back, newest first.
///
/// # Errors
/// When the store fails.
pub fn undoing(store: &mut dyn Store, run: &Id) -> Result<Vec<Id>, EngineError> {
    ids(store, "undoes", run)
}

fn ids(store: &mut dyn Store, column: &str, id: &Id) -> Result<Vec<Id>, EngineError> {
    let sql = format!("SELECT id FROM plimsoll_run WHERE {column} = $1 ORDER BY number DESC");
    let rows = store.query(&sql, &[Value::text(id.as_str())])?;
    rows.into_iter().map(|row| Ok(Id(Cells(row).text(0)?))).collect()
}
