//! Selections as they are kept, in the new side's store.
//!
//! Owns their table, and finding one again. A selection is kept whole: what was asked, every customer as it was read, who
//! was chosen and why for each. So it documents itself, and can be drawn again to see that it is what the rules say.
//!
//! Invariant: a selection never changes; the next one is another row with the next number.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::id::Id;
use plimsoll_core::pilot::selection::{Customer, Explanation, Selected, select};
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use plimsoll_store::schema::{Dialect, Schema, SchemaAction, SchemaStep};
use serde::{Deserialize, Serialize};

use super::candidates::Listed;
use crate::change::cells::{Cells, number};
use crate::error::EngineError;

const BASELINE: Dialect = Dialect::both(include_str!("selection.sql"));

/// The schema of the component `pilot-selection`.
pub const SCHEMA: Schema = Schema {
    component: "pilot-selection",
    steps: &[SchemaStep { version: 1, name: "selections", actions: &[SchemaAction::Script(BASELINE)] }],
    current: BASELINE,
};

/// A selection with everything that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredSelection {
    /// Its id.
    pub id: Id,
    /// Its number, from 1.
    pub number: u64,
    /// When it was made (RFC 3339, UTC).
    pub made_at: String,
    /// By whom.
    pub made_by: String,
    /// Why, in that person's words.
    pub reason: String,
    /// What was asked, who was chosen, and why for each.
    pub selected: Selected,
    /// Every customer as it was read.
    pub candidates: Vec<Listed>,
}

/// One selection in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SelectionLine {
    /// Its id.
    pub id: Id,
    /// Its number, from 1.
    pub number: u64,
    /// Members.
    pub members: u64,
    /// Customers that were looked at.
    pub customers: u64,
    /// When it was made.
    pub made_at: String,
    /// By whom.
    pub made_by: String,
    /// Why.
    pub reason: String,
}

/// What the column `cohort` holds.
#[derive(Serialize, Deserialize)]
struct Cohort {
    selected: Selected,
    candidates: Vec<Listed>,
}

impl StoredSelection {
    /// Members with their legacy numbers.
    pub fn members(&self) -> BTreeMap<String, i64> {
        let members = self.candidates.iter().filter(|one| self.selected.members.contains(&one.customer.id));
        members.map(|one| (one.customer.id.clone(), one.number)).collect()
    }

    /// Those whom a person means by this code or id, with what is said about each.
    pub fn about(&self, code: &str) -> Vec<(&Listed, &Explanation)> {
        let meant = self.candidates.iter().filter(|one| one.is_meant_by(code));
        meant.filter_map(|one| Some((one, self.selected.explanations.get(&one.customer.id)?))).collect()
    }

    /// Whether the rules choose the same members for the same reasons, drawn again from what is kept.
    pub fn is_reproduced(&self) -> bool {
        let Selected { members, enter, gone, selection, explanations, .. } = &self.selected;
        let stayed = members.difference(enter).chain(gone).cloned().collect::<BTreeSet<_>>();
        let customers: Vec<Customer> = self.candidates.iter().map(|one| one.customer.clone()).collect();
        select(&customers, selection, &stayed)
            .is_ok_and(|again| again.members == *members && again.explanations == *explanations)
    }
}

const COLUMNS: &[&str] =
    &["id", "number", "request", "cohort", "members", "customers", "made_at", "made_by", "reason"];

/// Writes a selection, in the caller's transaction.
pub(super) fn write(store: &mut dyn Store, made: &StoredSelection) -> Result<(), EngineError> {
    let cohort = Cohort { selected: made.selected.clone(), candidates: made.candidates.clone() };
    let row = vec![
        Value::text(made.id.as_str()),
        number(made.number),
        Value::Text(serde_json::to_string(&made.selected.selection)?),
        Value::Text(serde_json::to_string(&cohort)?),
        number(made.selected.members.len() as u64),
        number(made.candidates.len() as u64),
        Value::text(&made.made_at),
        Value::text(&made.made_by),
        Value::text(&made.reason),
    ];
    store.append("plimsoll_pilot_selection", COLUMNS, &[row])?;
    Ok(())
}

const SELECT: &str = "SELECT id, number, cohort, made_at, made_by, reason FROM plimsoll_pilot_selection";

/// The newest selection; none when nobody was chosen yet.
///
/// # Errors
/// When the store fails.
pub fn latest(store: &mut dyn Store) -> Result<Option<StoredSelection>, EngineError> {
    let rows = store.query(&format!("{SELECT} ORDER BY number DESC LIMIT 1"), &[])?;
    rows.into_iter().next().map(|row| stored(Cells(row))).transpose()
}

/// The number of the newest selection; 0 when there is none.
pub(super) fn newest_number(store: &mut dyn Store) -> Result<u64, EngineError> {
    let rows = store.query("SELECT coalesce(max(number), 0) FROM plimsoll_pilot_selection", &[])?;
    rows.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
}

/// The selection that a number or a prefix of an id names.
///
/// # Errors
/// Usage when it names none, or several; when the store fails.
pub fn find(store: &mut dyn Store, name: &str) -> Result<StoredSelection, EngineError> {
    let lines = list(store)?;
    let fits = |line: &&SelectionLine| {
        line.number.to_string() == name
            || (plimsoll_core::id::is_prefix(name) && line.id.as_str().starts_with(name))
    };
    let mut found = lines.iter().filter(fits);
    let (Some(line), None) = (found.next(), found.next()) else {
        let known: Vec<String> = lines.iter().map(|line| line.number.to_string()).collect();
        let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
        return Err(EngineError::usage(format!(
            "`{name}` names no selection, or more than one\nhint: a number or four characters of an id; there are {known}"
        )));
    };
    let rows = store.query(&format!("{SELECT} WHERE id = $1"), &[Value::text(line.id.as_str())])?;
    let row = rows.into_iter().next().ok_or_else(|| EngineError::usage("the selection is gone"))?;
    stored(Cells(row))
}

/// Every selection, newest first.
///
/// # Errors
/// When the store fails.
pub fn list(store: &mut dyn Store) -> Result<Vec<SelectionLine>, EngineError> {
    let sql = "SELECT id, number, members, customers, made_at, made_by, reason FROM plimsoll_pilot_selection
               ORDER BY number DESC";
    let line = |row: Vec<Value>| {
        let row = Cells(row);
        Ok(SelectionLine {
            id: Id(row.text(0)?),
            number: row.count(1)?,
            members: row.count(2)?,
            customers: row.count(3)?,
            made_at: row.text(4)?,
            made_by: row.text(5)?,
            reason: row.text(6)?,
        })
    };
    store.query(sql, &[])?.into_iter().map(line).collect()
}

fn stored(row: Cells) -> Result<StoredSelection, EngineError> {
    let Cohort { selected, candidates } = serde_json::from_str(&row.text(2)?)?;
    Ok(StoredSelection {
        id: Id(row.text(0)?),
        number: row.count(1)?,
        made_at: row.text(3)?,
        made_by: row.text(4)?,
        reason: row.text(5)?,
        selected,
        candidates,
    })
}
