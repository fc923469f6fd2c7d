//! Registering gauges: alone, or two new ones as a set.
//!
//! Owns what a new gauge needs, and giving out set IDs. Everything about a gauge's identity is said once, here.

use plimsoll_core::value::Value;

use super::{Operation, Undo, gauge_of};
use crate::ask::Ask;
use crate::draft::{Draft, Values};
use crate::facts::Facts;
use crate::model::{Equipment, Gauge, Likeness, Ownership, Role, Side, Status, Thread, flag};
use crate::rules::set_id::SetId;
use crate::rules::{Refusals, Refused, due, pairing};

/// Registers one gauge.
pub static REGISTER: Operation = Operation {
    name: "register",
    help: "Register a gauge",
    role: Role::Qc,
    fields: &[
        "serial",
        "category",
        "name",
        "location",
        "ownership?",
        "customer?",
        "employee?",
        "manufacturer?",
        "model?",
        "interval_days?",
        "certified_on?",
        "certificate?",
        "laboratory?",
        "sealed?",
        "thread_size?",
        "thread_form?",
        "thread_class?",
        "hand?",
        "acme_starts?",
        "side?",
    ],
    plan: register,
    undo: Undo::Never("delete it as a clerical error"),
};

/// Registers two gauges as a set.
pub static CREATE_SET: Operation = Operation {
    name: "create-set",
    help: "Register a new GO and a new NO-GO gauge as a set, with the next ID or the one that is typed",
    role: Role::Qc,
    fields: &[
        "go",
        "nogo",
        "category",
        "name",
        "location",
        "id?",
        "ownership?",
        "customer?",
        "employee?",
        "manufacturer?",
        "model?",
        "interval_days?",
        "certified_on?",
        "certificate?",
        "laboratory?",
        "sealed?",
        "thread_size",
        "thread_form?",
        "thread_class",
        "hand?",
        "acme_starts?",
    ],
    plan: create_set,
    undo: Undo::Never("delete the set as a clerical error"),
};

/// Changes how often a gauge is calibrated.
pub static SET_INTERVAL: Operation = Operation {
    name: "set-interval",
    help: "Change a gauge's calibration interval",
    role: Role::Qc,
    fields: &["serial", "interval_days"],
    plan: set_interval,
    undo: Undo::Restore,
};

/// The days between calibrations unless said otherwise.
const INTERVAL_DAYS: i64 = 365;

fn register(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let serial = ask.text("serial").unwrap_or_default();
    let side = ask.text("side").and_then(|side| Side::read(&side));
    let mut draft = Draft::default();
    let new = new_gauge(ask, facts, &serial, side)?;
    add(&mut draft, ask, new)?;
    Ok(draft)
}

fn create_set(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let origin = if ask.text("id").is_some() { "typed" } else { "automatic" };
    new_set(ask, facts, origin)
}

/// A set from a line of a file: as one that is typed in, with another origin in the ledger.
///
/// # Errors
/// Every reason why not.
pub(crate) fn import_set(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    new_set(ask, facts, "imported")
}

fn new_set(ask: &Ask, facts: &Facts, origin: &str) -> Result<Draft, Refusals> {
    let mut draft = Draft::default();
    let mut refused = Refusals::new();
    let mut made = Vec::new();
    for side in Side::ALL {
        let serial = ask.text(side.as_str()).unwrap_or_default();
        match new_gauge(ask, facts, &serial, Some(*side)) {
            Ok(gauge) => made.push(gauge),
            Err(more) => {
                refused.extend(more.into_iter().filter(|new| !refused.contains(new)).collect::<Vec<_>>());
            }
        }
    }
    if let [go, nogo] = made.as_slice() {
        refused.extend(pairing::pair(go, nogo).into_iter().filter(|why| why.rule != "pair.status"));
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let likeness = made.first().and_then(|gauge| gauge.thread.as_ref()).map(|thread| thread.likeness.clone());
    let likeness =
        likeness.ok_or_else(|| vec![Refused::new("pair.thread_gauge", "a set has thread gauges")])?;
    let typed = ask.text("id");
    let set_id = issue(&mut draft, facts, &likeness, typed.as_deref(), origin).map_err(|why| vec![why])?;
    for mut gauge in made {
        gauge.set_id = Some(set_id.clone());
        if let Some(side) = gauge.side() {
            draft.joins.push((set_id.clone(), side, gauge.serial.clone()));
        }
        add(&mut draft, ask, gauge)?;
    }
    Ok(draft)
}

/// A gauge as the request describes it.
pub(crate) fn new_gauge(
    ask: &Ask,
    facts: &Facts,
    serial: &str,
    side: Option<Side>,
) -> Result<Gauge, Refusals> {
    let mut refused = Refusals::new();
    let mut wrong = |rule: &'static str, text: String| refused.push(Refused::new(rule, text));
    if let Some(known) = facts.gauges.get(serial) {
        let hint = if known.status == Status::Deleted {
            "; a serial that was deleted is not registered again, add a suffix"
        } else {
            ""
        };
        wrong("serial.used", format!("there is a gauge {serial}, which is {}{hint}", known.status));
    }
    if serial.contains([',', '"']) || serial.len() > 60 {
        wrong(
            "field",
            format!("`{serial}` is no serial: it has at most 60 characters and no comma or quote"),
        );
    }
    let category = ask.text("category").unwrap_or_default();
    let row = facts.one("gauge_categories", "category", &category);
    if row.is_none() {
        wrong("unknown", format!("there is no category {category}"));
    }
    let place = ask.text("location").unwrap_or_default();
    let equipment = row
        .and_then(|row| row.get("equipment_type").as_text())
        .and_then(Equipment::read)
        .unwrap_or(Equipment::ThreadGauge);
    if let Err(why) = place_for(facts, &place, equipment) {
        wrong(why.rule, why.text);
    }
    let ownership = match ask.text("ownership") {
        None => Ownership::Company,
        Some(word) => Ownership::read(&word).unwrap_or_else(|| {
            wrong("field", format!("`ownership` is `{word}`; it is company, customer or employee"));
            Ownership::Company
        }),
    };
    let (customer, employee) = (ask.text("customer"), ask.text("employee"));
    if (ownership == Ownership::Customer) != customer.is_some() {
        wrong("owner", "a customer's gauge names its customer, and no other gauge does".into());
    }
    if (ownership == Ownership::Employee) != employee.is_some() {
        wrong("owner", "an employee's gauge names its employee, and no other gauge does".into());
    }
    let interval_days = ask.number("interval_days").unwrap_or(INTERVAL_DAYS);
    if interval_days < 1 {
        wrong("field", "`interval_days` is at least 1".into());
    }
    for field in ["certified_on"] {
        if let Some(day) = ask.text(field).filter(|day| !plimsoll_core::value::is_date(day)) {
            wrong("field", format!("`{field}` is `{day}`; it is a day such as 2026-11-29"));
        }
    }
    let thread = if equipment == Equipment::ThreadGauge {
        let of_row = |column: &str| row.and_then(|row| row.get(column).as_text()).map(str::to_owned);
        let (Some(thread_type), Some(gauge_type)) = (of_row("thread_type"), of_row("gauge_type")) else {
            wrong(
                "category.thread",
                format!("category {category} says neither thread type nor plug or ring"),
            );
            return Err(refused);
        };
        let hand = ask.text("hand").unwrap_or_else(|| "RH".into());
        if !["RH", "LH"].contains(&hand.as_str()) {
            wrong("field", format!("`hand` is `{hand}`; it is RH or LH"));
        }
        let form = ask.text("thread_form");
        let forms: &[&str] = match thread_type.as_str() {
            "standard" => &["UN", "UNF", "UNEF", "UNS", "UNR", "UNJ"],
            "npt" => &["NPT", "NPTF"],
            _ => &[],
        };
        let form_fits = form.as_deref().map_or(forms.is_empty(), |form| forms.contains(&form));
        if !form_fits {
            wrong(
                "thread.form",
                format!("thread form {} does not go with {thread_type}", form.as_deref().unwrap_or("none")),
            );
        }
        let starts = ask.number("acme_starts");
        let starts_fit = starts.is_none_or(|starts| (1..=4).contains(&starts));
        if !starts_fit || (thread_type == "acme") != starts.is_some() {
            wrong("thread.starts", "an Acme gauge has 1 to 4 starts, and no other gauge has any".into());
        }
        match (ask.text("thread_size"), ask.text("thread_class"), side) {
            (Some(thread_size), Some(thread_class), Some(side)) => Some(Thread {
                side,
                likeness: Likeness {
                    category: category.clone(),
                    thread_size,
                    thread_type,
                    thread_form: form,
                    thread_class,
                    gauge_type,
                    hand,
                    acme_starts: starts,
                    ownership,
                    owner: customer.clone().or_else(|| employee.clone()),
                },
            }),
            _ => {
                wrong(
                    "thread",
                    "a thread gauge has `thread_size`, `thread_class` and `side` (go or nogo)".into(),
                );
                None
            }
        }
    } else {
        None
    };
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut gauge = Gauge {
        serial: serial.to_owned(),
        category,
        equipment,
        ownership,
        customer,
        employee,
        thread,
        status: Status::Available,
        set_id: None,
        sealed: ask.flag("sealed"),
        location: Some(place),
        interval_days,
        certified_on: ask.text("certified_on"),
        unsealed_on: None,
        due_on: None,
        deleted_reason: None,
    };
    due::set(&mut gauge);
    if due::is_due(&gauge, &facts.today) {
        gauge.status = Status::CalibrationDue;
    }
    Ok(gauge)
}

/// The rows of a new gauge.
pub(crate) fn add(draft: &mut Draft, ask: &Ask, gauge: Gauge) -> Result<(), Refusals> {
    let optional = |text: &Option<String>| Value::optional_text(text.as_deref());
    let fixed: Values = vec![
        ("serial", Value::text(&gauge.serial)),
        ("category", Value::text(&gauge.category)),
        ("equipment_type", Value::text(gauge.equipment.as_str())),
        ("name", Value::optional_text(ask.text("name"))),
        ("manufacturer", Value::optional_text(ask.text("manufacturer"))),
        ("model", Value::optional_text(ask.text("model"))),
        ("ownership", Value::text(gauge.ownership.as_str())),
        ("customer", optional(&gauge.customer)),
        ("employee", optional(&gauge.employee)),
    ];
    let specification = gauge.thread.as_ref().map(|thread| {
        let likeness = &thread.likeness;
        vec![
            ("serial", Value::text(&gauge.serial)),
            ("thread_size", Value::text(&likeness.thread_size)),
            ("thread_type", Value::text(&likeness.thread_type)),
            ("thread_form", optional(&likeness.thread_form)),
            ("thread_class", Value::text(&likeness.thread_class)),
            ("gauge_type", Value::text(&likeness.gauge_type)),
            ("hand", Value::text(&likeness.hand)),
            ("acme_starts", likeness.acme_starts.map_or(Value::Null, Value::Integer)),
            ("side", Value::text(thread.side.as_str())),
        ]
    });
    if let Some(certificate) = ask.text("certificate") {
        let (Some(laboratory), Some(issued)) = (ask.text("laboratory"), &gauge.certified_on) else {
            return Err(vec![Refused::new(
                "field",
                "a certificate comes with `laboratory` and `certified_on`",
            )]);
        };
        // Two new gauges have a certificate each; the side tells them apart.
        let name = gauge
            .side()
            .filter(|_| ask.text("go").is_some())
            .map_or(certificate.clone(), |side| format!("{certificate}-{side}"));
        draft.later.push((
            "gauge_certificates",
            vec![
                ("certificate", Value::text(name)),
                ("serial", Value::text(&gauge.serial)),
                ("laboratory", Value::text(laboratory)),
                ("issued_on", Value::text(issued)),
            ],
        ));
    }
    draft.registered.push((fixed, specification, gauge));
    Ok(())
}

fn set_interval(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let gauge = gauge_of(facts, &ask.text("serial").unwrap_or_default()).map_err(|why| vec![why])?;
    let Some(days) = ask.number("interval_days").filter(|days| *days > 0) else {
        return Err(vec![Refused::new("field", "`interval_days` is at least 1")]);
    };
    if gauge.status.is_final() {
        return Err(vec![Refused::new("status", format!("gauge {} is {}", gauge.serial, gauge.status))]);
    }
    let mut draft = Draft::default();
    let changed = draft.gauge(gauge);
    changed.interval_days = days;
    due::set(changed);
    Ok(draft)
}

/// That a place is there, is used, and takes this equipment.
///
/// # Errors
/// Rule `place`.
pub(crate) fn place_for(facts: &Facts, place: &str, equipment: Equipment) -> Result<(), Refused> {
    let Some(row) = facts.one("gauge_locations", "location", place) else {
        return Err(Refused::new("place", format!("there is no place {place}")));
    };
    if !flag(row, "active") {
        return Err(Refused::new("place", format!("place {place} is no longer used")));
    }
    let allowed = row.get("allowed").as_text().unwrap_or_default();
    if !allowed.is_empty() && !allowed.split(',').any(|kind| kind.trim() == equipment.as_str()) {
        return Err(Refused::new("place", format!("place {place} takes {allowed}, not {equipment}")));
    }
    Ok(())
}

/// Gives out a set ID: the next one of its category, or the typed one if it was never used.
///
/// The number only ever goes up, so the next one was never given out (the earlier system filled gaps, D1). Every way to a
/// set comes through here (D2), and the ledger's key refuses what slips through.
///
/// # Errors
/// Rules `set_id.form`, `set_id.live`, `set_id.used`.
pub(crate) fn issue(
    draft: &mut Draft,
    facts: &Facts,
    likeness: &Likeness,
    typed: Option<&str>,
    origin: &str,
) -> Result<String, Refused> {
    let category = &likeness.category;
    let Some(row) = facts.one("gauge_categories", "category", category) else {
        return Err(Refused::new("unknown", format!("there is no category {category}")));
    };
    let left = likeness.hand == "LH";
    let next = row.get("next_number").as_integer().unwrap_or(1);
    let automatic = SetId { prefix: category.clone(), number: next, left };
    let id = match typed {
        None => automatic.clone(),
        Some(typed) => {
            let id = SetId::read(typed)?;
            if id.prefix != *category || id.left != left {
                let hint = if left { "with -LH" } else { "without -LH" };
                return Err(Refused::new(
                    "set_id.form",
                    format!("{id} does not belong here: IDs of these gauges begin with {category}, {hint}"),
                ));
            }
            id
        }
    };
    let set_id = id.to_string();
    let known = facts.sets.get(&set_id);
    if let Some(live) = known.filter(|set| set.ended.is_none()) {
        return Err(Refused::new("set_id.live", format!("{} is in use; {automatic} is free", live.set_id)));
    }
    let issues = facts.issued.get(&set_id).map_or(0, Vec::len).max(usize::from(known.is_some()));
    // The backfill brings in what was given out before, once; whatever the flag says, no ID comes in twice.
    let checked = facts.refuses_reuse() || origin == "backfilled";
    if issues > 0 && checked {
        let last = known.map(|set| &set.row).map(|row| {
            let when = row.get("ended_at").as_text().unwrap_or_default();
            format!("{} at {when}", row.get("ended").as_text().unwrap_or("used"))
        });
        return Err(Refused::new(
            "set_id.used",
            format!(
                "{set_id} was used before ({}) and is never used again; {automatic} is free",
                last.unwrap_or_else(|| "it is in the ledger".into())
            ),
        ));
    }
    draft.inserts.push((
        "gauge_set_ids",
        vec![
            ("set_id", Value::text(&set_id)),
            ("issue", Value::Integer(i64::try_from(issues).unwrap_or(i64::MAX - 1) + 1)),
            ("category", Value::text(category)),
            ("number", Value::Integer(id.number)),
            ("origin", Value::text(origin)),
            ("reuse_checked", Value::Boolean(checked)),
            ("issued_at", Value::text(&facts.now)),
            ("issued_by", Value::text(&facts.actor_name)),
        ],
    ));
    let likeness_text = serde_json::to_string(likeness).unwrap_or_default();
    let begun: Values = vec![
        ("likeness", Value::text(likeness_text)),
        ("created_entry", Value::Integer(facts.head.entry + 1)),
        ("created_at", Value::text(&facts.now)),
        ("created_by", Value::text(&facts.actor_name)),
        ("ended", Value::Null),
        ("ended_entry", Value::Null),
        ("ended_at", Value::Null),
    ];
    match known {
        Some(set) => draft.updates.push((set.row.clone(), begun)),
        None => {
            let mut values = vec![("set_id", Value::text(&set_id)), ("category", Value::text(category))];
            values.extend(begun);
            draft.inserts.push(("gauge_sets", values));
        }
    }
    if id.number >= next {
        draft.updates.push((row.clone(), vec![("next_number", Value::Integer(id.number + 1))]));
    }
    draft.note("set_id", set_id.clone());
    if !checked {
        draft.note("set_id_reuse_check", "off");
        draft.note("set_id_reuse_check_version", facts.reuse_check.and_then(|switched| switched.version));
        let again = if issues > 0 { ", which was used before," } else { "" };
        draft.notices.push(format!("set ID {set_id}{again} was given out while set_id_reuse_check is off"));
    }
    draft.set_id = Some(set_id.clone());
    Ok(set_id)
}
