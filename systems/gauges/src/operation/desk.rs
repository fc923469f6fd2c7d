//! The tool desk: check-out, return, and handing over from one person to another.
//!
//! Owns who has what. Both members of a set go and come together; a thread gauge without its partner stays, unless it is
//! one of those that are used alone (NPT).

use plimsoll_core::value::Value;

use super::membership::close_requests;
use super::{Operation, Undo, all_step, whom};
use crate::ask::Ask;
use crate::draft::Draft;
use crate::facts::{Facts, Set};
use crate::model::{Equipment, Gauge, Role, flag};
use crate::rules::machine::Step;
use crate::rules::{Refusals, Refused, due, set_state};

/// Gives a set or a gauge to somebody.
pub static CHECK_OUT: Operation = Operation {
    name: "check-out",
    help: "Check out a set with both its gauges, or a gauge that is used alone",
    role: Role::User,
    fields: &["set?", "serial?", "holder?", "work_job?", "part?", "work_order?", "expected_on?"],
    plan: check_out,
    undo: Undo::Restore,
};

/// Takes it back.
pub static RETURN: Operation = Operation {
    name: "return",
    help: "Take back what was checked out; it waits for QC",
    role: Role::User,
    fields: &["set?", "serial?", "acknowledged?"],
    plan: give_back,
    undo: Undo::Restore,
};

/// Asks somebody to take over.
pub static TRANSFER: Operation = Operation {
    name: "transfer",
    help: "Offer what one holds to another user",
    role: Role::User,
    fields: &["set?", "serial?", "to"],
    plan: transfer,
    undo: Undo::Restore,
};

/// Takes over.
pub static ACCEPT_TRANSFER: Operation = Operation {
    name: "accept-transfer",
    help: "Take over what is offered",
    role: Role::User,
    fields: &["set?", "serial?"],
    plan: accept_transfer,
    undo: Undo::Never("offer it back"),
};

/// Does not take over.
pub static REJECT_TRANSFER: Operation = Operation {
    name: "reject-transfer",
    help: "Turn down what is offered, or withdraw the offer",
    role: Role::User,
    fields: &["set?", "serial?"],
    plan: reject_transfer,
    undo: Undo::Restore,
};

fn registered(facts: &Facts, name: &str) -> Option<Refused> {
    if facts.actor.as_ref().is_some_and(|actor| actor.name == name && actor.active) {
        return None;
    }
    match facts.one("gauge_users", "user_name", name) {
        None => Some(Refused::new("unknown", format!("there is no user {name}"))),
        Some(row) if !flag(row, "active") => {
            Some(Refused::new("holder", format!("user {name} is not active")))
        }
        Some(_) => None,
    }
}

fn check_out(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    let holder = ask.text("holder").unwrap_or_else(|| facts.actor_name.clone());
    let mut refused = Refusals::new();
    refused.extend(registered(facts, &holder));
    if let Some(day) = ask.text("expected_on").filter(|day| !plimsoll_core::value::is_date(day)) {
        refused
            .push(Refused::new("field", format!("`expected_on` is `{day}`; it is a day such as 2026-11-29")));
    }
    refused.extend(blocked(set, &gauges, facts));
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    all_step(&mut draft, &gauges, Step::CheckOut)?;
    for gauge in &gauges {
        open(&mut draft, facts, gauge, set, &holder, ask);
    }
    draft.note("holder", holder);
    Ok(draft)
}

/// Every reason why these gauges may not leave.
fn blocked(set: Option<&Set>, gauges: &[&Gauge], facts: &Facts) -> Refusals {
    let mut refused = Refusals::new();
    match set {
        Some(set) => {
            let member = |side| set.member(side).and_then(|serial| facts.gauges.get(serial));
            let [go, nogo] = [crate::model::Side::Go, crate::model::Side::NoGo].map(member);
            let state = set_state::of(go, nogo, set.ended.as_deref(), &facts.today);
            if let set_state::Membership::Incomplete { missing } = state.membership {
                let missing: Vec<&str> = missing.iter().map(|side| side.title()).collect();
                refused.push(Refused::new(
                    "checkout.complete",
                    format!("set {} is incomplete: the {} is missing", set.set_id, missing.join(" and the ")),
                ));
            }
        }
        None => {
            let alone = |gauge: &&&Gauge| {
                gauge.thread.as_ref().is_some_and(|thread| thread.likeness.thread_type != "npt")
            };
            refused.extend(gauges.iter().filter(alone).map(|gauge| {
                Refused::new(
                    "checkout.complete",
                    format!("thread gauge {} is in no set, and only complete sets leave", gauge.serial),
                )
            }));
        }
    }
    for gauge in gauges {
        let name = &gauge.serial;
        if gauge.equipment == Equipment::LargeEquipment {
            refused.push(Refused::new(
                "checkout.large",
                format!("{name} is large equipment and stays where it is"),
            ));
        }
        if gauge.sealed {
            refused.push(Refused::new(
                "checkout.sealed",
                format!("gauge {name} is sealed: ask to unseal it first"),
            ));
        } else if due::is_due(gauge, &facts.today) {
            let due = gauge.due_on.as_deref().unwrap_or("never certified");
            refused.push(Refused::new(
                "checkout.overdue",
                format!("calibration of gauge {name} is overdue ({due})"),
            ));
        }
        refused.extend(Step::CheckOut.of(name, gauge.status).err());
    }
    refused
}

fn open(draft: &mut Draft, facts: &Facts, gauge: &Gauge, set: Option<&Set>, holder: &str, ask: &Ask) {
    let department = match &facts.actor {
        Some(actor) if actor.name == holder => actor.department.clone(),
        _ => facts
            .one("gauge_users", "user_name", holder)
            .and_then(|row| crate::model::text(row, "department")),
    };
    draft.inserts.push((
        "gauge_checkouts",
        vec![
            ("serial", Value::text(&gauge.serial)),
            ("set_id", Value::optional_text(set.map(|set| set.set_id.as_str()))),
            ("holder", Value::text(holder)),
            ("department", Value::optional_text(department)),
            ("work_job", Value::optional_text(ask.text("work_job"))),
            ("part", Value::optional_text(ask.text("part"))),
            ("work_order", Value::optional_text(ask.text("work_order"))),
            ("out_at", Value::text(&facts.now)),
            ("expected_on", Value::optional_text(ask.text("expected_on"))),
        ],
    ));
}

fn holder_of<'facts>(facts: &'facts Facts, gauge: &Gauge) -> Option<&'facts str> {
    let open =
        facts.of("gauge_checkouts", "serial", &gauge.serial).find(|row| row.get("returned_entry").is_null());
    open.and_then(|row| row.get("holder").as_text())
}

fn give_back(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    let out: Vec<&Gauge> = gauges.iter().copied().filter(|gauge| holder_of(facts, gauge).is_some()).collect();
    let gauges = if out.is_empty() { gauges } else { out };
    let other =
        gauges.iter().find_map(|gauge| holder_of(facts, gauge).filter(|holder| *holder != facts.actor_name));
    if let Some(holder) = other.filter(|_| !ask.flag("acknowledged")) {
        return Err(vec![Refused::new(
            "return.acknowledged",
            format!("{holder} has it: say `acknowledged` to return it for them"),
        )]);
    }
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    all_step(&mut draft, &gauges, Step::Return)?;
    for gauge in gauges {
        close(&mut draft, facts, gauge);
        close_requests(&mut draft, facts, &gauge.serial);
    }
    if let Some(holder) = other {
        draft.note("returned_for", holder);
    }
    Ok(draft)
}

fn close(draft: &mut Draft, facts: &Facts, gauge: &Gauge) {
    for row in
        facts.of("gauge_checkouts", "serial", &gauge.serial).filter(|row| row.get("returned_entry").is_null())
    {
        let values = vec![
            ("returned_entry", Value::Integer(facts.head.entry + 1)),
            ("returned_at", Value::text(&facts.now)),
            ("returned_by", Value::text(&facts.actor_name)),
        ];
        draft.updates.push((row.clone(), values));
    }
}

fn transfer(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    let to = ask.text("to").unwrap_or_default();
    let mut refused = Refusals::new();
    refused.extend(registered(facts, &to));
    for gauge in &gauges {
        refused.extend(Step::HandOver.of(&gauge.serial, gauge.status).err());
        match holder_of(facts, gauge) {
            Some(holder) if holder == to => {
                refused.push(Refused::new(
                    "transfer.holder",
                    format!("{to} has gauge {} already", gauge.serial),
                ));
            }
            Some(holder) if holder != facts.actor_name => {
                refused.push(Refused::new(
                    "transfer.holder",
                    format!("{holder} has gauge {}, not {}", gauge.serial, facts.actor_name),
                ));
            }
            _ => {}
        }
        if facts.of("gauge_transfers", "serial", &gauge.serial).any(|row| row.get("ended_entry").is_null()) {
            refused.push(Refused::new(
                "transfer.pending",
                format!("gauge {} is on offer already", gauge.serial),
            ));
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    for gauge in gauges {
        draft.about.insert(format!("gauge:{}", gauge.serial));
        draft.inserts.push((
            "gauge_transfers",
            vec![
                ("serial", Value::text(&gauge.serial)),
                ("from_user", Value::text(&facts.actor_name)),
                ("to_user", Value::text(&to)),
                ("state", Value::text("pending")),
            ],
        ));
    }
    draft.note("to", to);
    Ok(draft)
}

/// The offers on these gauges that are open.
fn offers<'facts>(
    facts: &'facts Facts,
    gauges: &[&'facts Gauge],
) -> Result<Vec<(&'facts Gauge, &'facts plimsoll_engine::change::context::CurrentRow)>, Refusals> {
    let mut found = Vec::new();
    let mut refused = Refusals::new();
    for gauge in gauges {
        match facts
            .of("gauge_transfers", "serial", &gauge.serial)
            .find(|row| row.get("ended_entry").is_null())
        {
            Some(row) => found.push((*gauge, row)),
            None => {
                refused
                    .push(Refused::new("transfer.none", format!("gauge {} is not on offer", gauge.serial)));
            }
        }
    }
    if refused.is_empty() { Ok(found) } else { Err(refused) }
}

fn accept_transfer(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    let offers = offers(facts, &gauges)?;
    let mut refused = Refusals::new();
    for (gauge, offer) in &offers {
        let to = offer.get("to_user").as_text().unwrap_or_default();
        if to != facts.actor_name {
            refused.push(Refused::new("transfer.to", format!("gauge {} is offered to {to}", gauge.serial)));
        }
        refused.extend(Step::HandOver.of(&gauge.serial, gauge.status).err());
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    for (gauge, offer) in offers {
        let ended =
            vec![("state", Value::text("accepted")), ("ended_entry", Value::Integer(facts.head.entry + 1))];
        draft.updates.push((offer.clone(), ended));
        draft.about.insert(format!("gauge:{}", gauge.serial));
        close(&mut draft, facts, gauge);
        // The new check-out is written after the old one is closed: a gauge is out once.
        let mut opened = Draft::default();
        open(&mut opened, facts, gauge, set, &facts.actor_name, ask);
        draft.later.extend(opened.inserts);
    }
    draft.note("holder", facts.actor_name.clone());
    Ok(draft)
}

fn reject_transfer(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    let offers = offers(facts, &gauges)?;
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    for (gauge, offer) in offers {
        let party = |column: &str| offer.get(column).as_text() == Some(facts.actor_name.as_str());
        if !party("to_user") && !party("from_user") {
            return Err(vec![Refused::new(
                "transfer.to",
                format!("the offer of gauge {} is between others", gauge.serial),
            )]);
        }
        let ended =
            vec![("state", Value::text("rejected")), ("ended_entry", Value::Integer(facts.head.entry + 1))];
        draft.updates.push((offer.clone(), ended));
        draft.about.insert(format!("gauge:{}", gauge.serial));
    }
    Ok(draft)
}
