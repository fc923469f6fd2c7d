//! Plans and runs as people list them: newest first, a page at a time, of the systems that they may see.
//!
//! Owns which of them are wanted, and asking the store for no more than is shown: a store of a system whose every request is
//! a run has very many. Reading a whole one is [`super::plan`]'s and [`super::run`]'s.

use plimsoll_core::id::Id;
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::cells::{Cells, number};
use super::plan::{self, Plan};
use super::run::{self, Run};
use crate::error::EngineError;

/// Which plans or runs are wanted; whatever is not said does not matter.
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
    /// With this text in the id, the change kind, the source or the reason, in any case of letters.
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
        for (column, value) in [("change_kind", &self.change), ("status", &self.status), ("plan", &self.plan)]
        {
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
    let wanted = Wanted { plan: None, ..wanted.clone() };
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
    let (condition, parameters) = wanted.condition(&["id", "change_kind", "reason"]);
    let (rows, total) = newest(store, "plimsoll_run", run::COLUMNS, &condition, parameters, limit)?;
    let runs = rows.iter().map(run::read_run).collect::<Result<Vec<_>, _>>()?;
    Ok((run::with_all_sums(store, runs)?, total))
}

fn newest(
    store: &mut dyn Store,
    table: &str,
    columns: &str,
    condition: &str,
    mut parameters: Vec<Value>,
    limit: u64,
) -> Result<(Vec<Cells>, u64), EngineError> {
    let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
    let total =
        store.query(&sql, &parameters)?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
    parameters.push(number(limit));
    let sql = format!(
        "SELECT {columns} FROM {table} WHERE {condition} ORDER BY number DESC LIMIT ${}",
        parameters.len()
    );
    Ok((store.query(&sql, &parameters)?.into_iter().map(Cells).collect(), total))
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
