//! The out-of-tolerance case: disposition, notification, closure.
//!
//! Owns the steps of a case. It is opened by what calibration finds ([`super::calibration::RECEIVE`]); what the gauge may
//! have touched is read by [`crate::register::touched`].

use plimsoll_core::value::Value;
use plimsoll_engine::change::context::CurrentRow;

use super::{Operation, Undo};
use crate::ask::Ask;
use crate::draft::{Draft, Values};
use crate::facts::Facts;
use crate::model::Role;
use crate::rules::{Refusals, Refused};

/// What is done with the parts.
pub static DISPOSE_CASE: Operation = Operation {
    name: "dispose-case",
    help: "Say what is done with the parts that an out-of-tolerance gauge may have passed",
    role: Role::Qc,
    fields: &["case", "disposition"],
    plan: dispose,
    undo: Undo::Never("say it again"),
};

/// Who was told.
pub static NOTIFY_CASE: Operation = Operation {
    name: "notify-case",
    help: "Record who was told of an out-of-tolerance case",
    role: Role::Qc,
    fields: &["case", "notified"],
    plan: notify,
    undo: Undo::Never("record it again"),
};

/// Done.
pub static CLOSE_CASE: Operation = Operation {
    name: "close-case",
    help: "Close an out-of-tolerance case after disposition and notification",
    role: Role::Supervisor,
    fields: &["case"],
    plan: close,
    undo: Undo::Never("a closed case stays closed"),
};

fn case_of<'facts>(ask: &Ask, facts: &'facts Facts, states: &[&str]) -> Result<&'facts CurrentRow, Refusals> {
    let number = ask.text("case").unwrap_or_default();
    let rows = facts.rows.get("gauge_tolerance_cases").map(Vec::as_slice).unwrap_or_default();
    let Some(row) = rows.first() else {
        return Err(vec![Refused::new("unknown", format!("there is no case {number}"))]);
    };
    let state = row.get("state").as_text().unwrap_or_default();
    if states.contains(&state) {
        return Ok(row);
    }
    Err(vec![Refused::new("case.state", format!("case {number} is {state}, not {}", states.join(" or ")))])
}

fn changed(row: &CurrentRow, values: Values) -> Draft {
    let mut draft = Draft::default();
    draft.about.extend(row.get("serial").as_text().map(|serial| format!("gauge:{serial}")));
    draft.updates.push((row.clone(), values));
    draft
}

fn dispose(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let row = case_of(ask, facts, &["open", "disposed"])?;
    let values = vec![
        ("state", Value::text("disposed")),
        ("disposition", Value::optional_text(ask.text("disposition"))),
    ];
    Ok(changed(row, values))
}

fn notify(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let row = case_of(ask, facts, &["disposed", "notified"])?;
    Ok(changed(
        row,
        vec![("state", Value::text("notified")), ("notified", Value::optional_text(ask.text("notified")))],
    ))
}

fn close(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let row = case_of(ask, facts, &["notified"])?;
    let closed = Value::Integer(facts.head.entry + 1);
    Ok(changed(row, vec![("state", Value::text("closed")), ("closed_entry", closed)]))
}
