//! Taking an operation back: what it changed is put back as it was, and that is one more line of history.
//!
//! Owns the inverse of every operation whose undo is [`Undo::Restore`]. The engine's own undo would have to remove the line
//! of history, which the guards refuse; so a run of this system is taken back here, and the history tells both.
//!
//! Invariants: nothing happened to any of its gauges and sets since, so what is restored is exactly what was; a set ID
//! that was given out stays given out; what is append-only stays.

use plimsoll_core::value::Value;
use serde_json::Value as Json;

use super::membership::end;
use super::{Operation, Undo};
use crate::ask::Ask;
use crate::draft::{Draft, Values};
use crate::facts::Facts;
use crate::model::{Gauge, Role, Side, Status};
use crate::rules::{Refusals, Refused};

/// Takes an operation back.
pub static TAKE_BACK: Operation = Operation {
    name: "take-back",
    help: "Take the last operation on a gauge or set back",
    role: Role::Supervisor,
    fields: &["entry"],
    plan: take_back,
    undo: Undo::Never("do the operation again"),
};

fn take_back(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let one = |rule, text: String| Err(vec![Refused::new(rule, text)]);
    let number = ask.text("entry").unwrap_or_default();
    let Some(line) = facts.rows.get("gauge_history").and_then(|rows| rows.first()) else {
        return one("unknown", format!("there is no line {number}"));
    };
    let text = |column: &str| line.get(column).as_text().unwrap_or_default();
    let entry = line.get("entry").as_integer().unwrap_or(0);
    let done = text("operation");
    match super::find(done).map(|operation| operation.undo) {
        Some(Undo::Restore) => {}
        Some(Undo::Never(why)) => return one("take_back.never", format!("{done} is not taken back: {why}")),
        None => return one("take_back.never", format!("{done} is not taken back")),
    }
    let later = facts.rows.get("gauge_history_subjects").map(Vec::as_slice).unwrap_or_default();
    if let Some(row) =
        later.iter().find(|row| row.get("entry").as_integer().is_some_and(|other| other > entry))
    {
        let subject = row.get("subject").as_text().unwrap_or_default();
        let other = row.get("entry").as_integer().unwrap_or(0);
        return one(
            "take_back.later",
            format!("line {other} is about {subject} too; take that one back first"),
        );
    }
    let detail: Json = serde_json::from_str(text("detail")).unwrap_or_default();
    let mut draft = Draft {
        movement: "taken_back",
        set_id: line.get("set_id").as_text().map(str::to_owned),
        ..Draft::default()
    };
    draft.note("takes_back", entry);
    let subjects: Vec<String> = serde_json::from_str(text("subjects")).unwrap_or_default();
    draft.about.extend(subjects);
    let mut refused = Refusals::new();
    for (serial, columns) in detail.get("gauges").and_then(Json::as_object).into_iter().flatten() {
        let Some(gauge) = facts.gauges.get(serial) else { continue };
        let changed = draft.gauge(gauge);
        for (column, pair) in columns.as_object().into_iter().flatten() {
            if let Err(why) = restore(changed, gauge, column, &pair[0], &pair[1]) {
                refused.push(why);
            }
        }
    }
    memberships(&mut draft, facts, &detail);
    for row in detail.get("rows").and_then(Json::as_array).into_iter().flatten() {
        rows(&mut draft, facts, row);
    }
    // What the operation opened is closed; its rows stay.
    let closing = Value::Integer(facts.head.entry + 1);
    let opened: [(&str, &str, Values); 4] = [
        (
            "gauge_checkouts",
            "returned_entry",
            vec![
                ("returned_entry", closing.clone()),
                ("returned_at", Value::text(&facts.now)),
                ("returned_by", Value::text(&facts.actor_name)),
            ],
        ),
        (
            "gauge_transfers",
            "ended_entry",
            vec![("state", Value::text("cancelled")), ("ended_entry", closing.clone())],
        ),
        (
            "gauge_unseal_requests",
            "ended_entry",
            vec![("state", Value::text("rejected")), ("ended_entry", closing)],
        ),
        ("gauge_calibration_members", "", vec![("state", Value::text("removed"))]),
    ];
    for (table, ended, values) in opened {
        let rows = facts.rows.get(table).map(Vec::as_slice).unwrap_or_default();
        let mut seen = Vec::new();
        for row in rows.iter().filter(|row| row.get("entry").as_integer() == Some(entry)) {
            let open = if ended.is_empty() {
                row.get("state").as_text() == Some("added")
            } else {
                row.get(ended).is_null()
            };
            if open && !seen.contains(&row) {
                draft.updates.push((row.clone(), values.clone()));
                seen.push(row);
            }
        }
    }
    // The set that it began ends; its ID stays given out.
    let begun = facts
        .sets
        .values()
        .find(|set| set.ended.is_none() && set.row.get("created_entry").as_integer() == Some(entry));
    if let Some(set) = begun {
        end(&mut draft, facts, set, "unpaired");
    }
    if refused.is_empty() { Ok(draft) } else { Err(refused) }
}

/// Puts one column back, if it still is what the operation made it.
fn restore(
    changed: &mut Gauge,
    now: &Gauge,
    column: &str,
    before: &Json,
    after: &Json,
) -> Result<(), Refused> {
    let found = now
        .mutable()
        .into_iter()
        .find(|(name, _)| *name == column)
        .map(|(_, value)| crate::draft::plain(&value));
    if found.as_ref() != Some(after) {
        return Err(Refused::new(
            "take_back.later",
            format!("{column} of gauge {} was changed since", now.serial),
        ));
    }
    let text = before.as_str().map(str::to_owned);
    match column {
        "status" => {
            if let Some(status) = before.as_str().and_then(Status::read) {
                changed.status = status;
            }
        }
        "set_id" => changed.set_id = text,
        "sealed" => changed.sealed = before.as_bool().unwrap_or(changed.sealed),
        "location" => changed.location = text,
        "interval_days" => changed.interval_days = before.as_i64().unwrap_or(changed.interval_days),
        "certified_on" => changed.certified_on = text,
        "unsealed_on" => changed.unsealed_on = text,
        "due_on" => changed.due_on = text,
        "deleted_reason" => changed.deleted_reason = text,
        _ => {}
    }
    Ok(())
}

/// Who joined leaves, who left joins again.
fn memberships(draft: &mut Draft, facts: &Facts, detail: &Json) {
    let read = |member: &Json| {
        let of = |name: &str| member.get(name).and_then(Json::as_str).map(str::to_owned);
        Some((of("set")?, of("side").and_then(|side| Side::read(&side))?, of("serial")?))
    };
    let list = |name: &str| -> Vec<(String, Side, String)> {
        detail.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(read).collect()
    };
    for (set_id, side, serial) in list("joined") {
        if facts.sets.get(&set_id).is_some_and(|set| set.member(side) == Some(&serial)) {
            draft.leaves.push((set_id, side));
        }
    }
    draft.joins.extend(list("left"));
}

/// Columns of other rows, the counters of numbers excepted: those only go up.
fn rows(draft: &mut Draft, facts: &Facts, change: &Json) {
    let Some(table) = change.get("table").and_then(Json::as_str).filter(|table| *table != "gauge_categories")
    else {
        return;
    };
    let key = change.get("key").and_then(Json::as_object);
    let known = facts
        .rows
        .iter()
        .find(|(name, _)| **name == table)
        .map(|(_, rows)| rows.as_slice())
        .unwrap_or_default();
    let same = |row: &&plimsoll_engine::change::context::CurrentRow| {
        key.is_some_and(|key| {
            key.iter().all(|(column, value)| crate::draft::plain(row.get(column)) == *value)
        })
    };
    let Some(row) = known.iter().find(same) else { return };
    let values: Values = row
        .table
        .columns
        .iter()
        .filter_map(|column| {
            let before = change.get("columns")?.get(&column.name)?.get(0)?;
            let name = NAMES.iter().copied().find(|name| *name == column.name)?;
            Some((name, value(before)))
        })
        .collect();
    draft.updates.push((row.clone(), values));
}

/// The columns of other rows that operations change.
const NAMES: &[&str] = &[
    "returned_entry",
    "returned_at",
    "returned_by",
    "state",
    "ended_entry",
    "approved_by",
    "sent_entry",
    "tracking",
    "verified_by",
    "verified_entry",
];

fn value(plain: &Json) -> Value {
    match plain {
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => number.as_i64().map_or(Value::Null, Value::Integer),
        Json::String(text) => Value::text(text),
        _ => Value::Null,
    }
}
