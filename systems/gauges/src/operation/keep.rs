//! Keeping the registers: users, categories, places and reasons.
//!
//! Owns operations that add a row of a register or change it. Nothing is deleted: what is no longer used is made inactive.

use plimsoll_core::value::Value;

use super::{Operation, Undo};
use crate::ask::Ask;
use crate::draft::{Draft, Values};
use crate::facts::Facts;
use crate::model::Role;
use crate::rules::{Refusals, Refused};

const AGAIN: Undo = Undo::Never("keep it again as it was");

/// Adds or changes a user.
pub static USER: Operation = Operation {
    name: "keep-user",
    help: "Register a user or change their role",
    role: Role::Admin,
    fields: &["user", "full_name", "role", "department?", "inactive?"],
    plan: user,
    undo: AGAIN,
};

/// Adds or changes a category.
pub static CATEGORY: Operation = Operation {
    name: "keep-category",
    help: "Register a category of gauges with its prefix",
    role: Role::Admin,
    fields: &["category", "title", "equipment_type", "thread_type?", "gauge_type?"],
    plan: category,
    undo: AGAIN,
};

/// Adds or changes a place.
pub static LOCATION: Operation = Operation {
    name: "keep-location",
    help: "Register a place where gauges are kept",
    role: Role::Admin,
    fields: &["location", "kind", "title", "zone?", "building?", "facility?", "allowed?", "inactive?"],
    plan: location,
    undo: AGAIN,
};

/// Adds or changes a rejection reason.
pub static REJECTION_REASON: Operation = Operation {
    name: "keep-rejection-reason",
    help: "Register a reason for which QC rejects",
    role: Role::Admin,
    fields: &["rejection_reason", "title", "inactive?"],
    plan: rejection_reason,
    undo: AGAIN,
};

fn keep(facts: &Facts, table: &'static str, key: (&'static str, &str), mut values: Values) -> Draft {
    let mut draft = Draft::default();
    match facts.one(table, key.0, key.1) {
        Some(row) => draft.updates.push((row.clone(), values)),
        None => {
            values.insert(0, (key.0, Value::text(key.1)));
            draft.note("kept", serde_json::json!({ "table": table, "key": key.1 }));
            draft.inserts.push((table, values));
        }
    }
    draft.about.insert(format!("{}:{}", table.trim_start_matches("gauge_"), key.1));
    draft
}

fn one_of(ask: &Ask, field: &'static str, allowed: &[&str]) -> Result<String, Refusals> {
    let text = ask.needed(field).map_err(|refused| vec![refused])?;
    if allowed.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(vec![Refused::new("field", format!("`{field}` is `{text}`; it is one of {}", allowed.join(", ")))])
}

fn texts(ask: &Ask, fields: &[&'static str]) -> Values {
    fields.iter().map(|field| (*field, Value::optional_text(ask.text(field)))).collect()
}

fn user(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let role = one_of(ask, "role", &["user", "qc", "supervisor", "admin"])?;
    let name = ask.text("user").unwrap_or_default();
    if facts.head.entry == 0 && (role != "admin" || name != facts.actor_name) {
        return Err(vec![Refused::new("actor", "the first user registers themselves, as admin")]);
    }
    let mut values = texts(ask, &["full_name", "department"]);
    values.push(("role", Value::text(role)));
    values.push(("active", Value::Boolean(!ask.flag("inactive"))));
    Ok(keep(facts, "gauge_users", ("user_name", &name), values))
}

fn category(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let name = ask.text("category").unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(vec![Refused::new(
            "field",
            format!("`category` is `{name}`; it is capital letters, such as SP"),
        )]);
    }
    let kinds = ["thread_gauge", "hand_tool", "large_equipment", "calibration_standard"];
    let equipment = one_of(ask, "equipment_type", &kinds)?;
    if let Some(known) = facts.one("gauge_categories", "category", &name) {
        let fixed = [
            ("equipment_type", Some(equipment.clone())),
            ("thread_type", ask.text("thread_type")),
            ("gauge_type", ask.text("gauge_type")),
        ];
        if fixed.iter().any(|(column, text)| known.get(column).as_text() != text.as_deref()) {
            return Err(vec![Refused::new(
                "immutable",
                format!("what category {name} holds does not change"),
            )]);
        }
        return Ok(keep(facts, "gauge_categories", ("category", &name), texts(ask, &["title"])));
    }
    let mut values = texts(ask, &["title", "thread_type", "gauge_type"]);
    values.push(("equipment_type", Value::text(equipment)));
    values.push(("next_number", Value::Integer(1)));
    Ok(keep(facts, "gauge_categories", ("category", &name), values))
}

fn location(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let kind = one_of(ask, "kind", &["bin", "shelf", "rack", "cabinet", "drawer", "room", "other"])?;
    let mut values = texts(ask, &["title", "zone", "building", "facility", "allowed"]);
    values.push(("kind", Value::text(kind)));
    values.push(("active", Value::Boolean(!ask.flag("inactive"))));
    Ok(keep(facts, "gauge_locations", ("location", &ask.text("location").unwrap_or_default()), values))
}

fn rejection_reason(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let mut values = texts(ask, &["title"]);
    values.push(("active", Value::Boolean(!ask.flag("inactive"))));
    let code = ask.text("rejection_reason").unwrap_or_default();
    Ok(keep(facts, "gauge_rejection_reasons", ("reason_code", &code), values))
}
