//! Between uses: QC, moving, out of service and back, seals, due dates.
//!
//! Owns what applies to both members of a set at once (moving, out of service, back) and what is one gauge's own (QC, its
//! seal, its due date: a gauge that falls due makes its set unusable and leaves its partner as it is).

use plimsoll_core::value::Value;

use super::registration::place_for;
use super::{Operation, Undo, all_step, gauge_of, whom};
use crate::ask::Ask;
use crate::draft::Draft;
use crate::facts::Facts;
use crate::model::{Gauge, Role, Status, flag};
use crate::rules::machine::Step;
use crate::rules::{Refusals, Refused, due};

/// Inspects.
pub static QC: Operation = Operation {
    name: "qc",
    help: "Give QC's verdict on a gauge, or on both of a set: pass or fail",
    role: Role::Qc,
    fields: &["set?", "serial?", "result", "rejection_reason?"],
    plan: qc,
    undo: Undo::Restore,
};

/// Puts somewhere else.
pub static MOVE: Operation = Operation {
    name: "move",
    help: "Move a set or a gauge to another place",
    role: Role::User,
    fields: &["set?", "serial?", "location"],
    plan: relocate,
    undo: Undo::Restore,
};

/// Takes out of service.
pub static OUT_OF_SERVICE: Operation = Operation {
    name: "out-of-service",
    help: "Take a set or a gauge out of service; a member takes its partner along",
    role: Role::Qc,
    fields: &["set?", "serial?"],
    plan: out_of_service,
    undo: Undo::Restore,
};

/// Puts back.
pub static BACK_IN_SERVICE: Operation = Operation {
    name: "back-in-service",
    help: "Put a set or a gauge back into service; a member takes its partner along",
    role: Role::Qc,
    fields: &["set?", "serial?"],
    plan: back_in_service,
    undo: Undo::Restore,
};

/// Asks for a seal to be opened.
pub static ASK_UNSEAL: Operation = Operation {
    name: "ask-unseal",
    help: "Ask for the seal of a gauge, or of both of a set, to be opened",
    role: Role::User,
    fields: &["set?", "serial?"],
    plan: ask_unseal,
    undo: Undo::Restore,
};

/// Allows it.
pub static APPROVE_UNSEAL: Operation = Operation {
    name: "approve-unseal",
    help: "Allow a seal to be opened",
    role: Role::Qc,
    fields: &["set?", "serial?"],
    plan: approve_unseal,
    undo: Undo::Restore,
};

/// Says that it is open.
pub static CONFIRM_UNSEAL: Operation = Operation {
    name: "confirm-unseal",
    help: "Confirm that a seal is open; the calibration interval begins",
    role: Role::Qc,
    fields: &["set?", "serial?"],
    plan: confirm_unseal,
    undo: Undo::Restore,
};

/// Says no.
pub static KEEP_SEAL: Operation = Operation {
    name: "keep-seal",
    help: "Turn down a request to open a seal",
    role: Role::Qc,
    fields: &["set?", "serial?"],
    plan: keep_seal,
    undo: Undo::Restore,
};

/// Marks what is due.
pub static FALL_DUE: Operation = Operation {
    name: "fall-due",
    help: "Mark gauges whose calibration has run out",
    role: Role::Qc,
    fields: &["serials"],
    plan: fall_due,
    undo: Undo::Restore,
};

fn qc(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, false)?;
    let result = ask.text("result").unwrap_or_default();
    let step = match result.as_str() {
        "pass" => Step::QcPass,
        "fail" => Step::QcFail,
        _ => return Err(vec![Refused::new("field", format!("`result` is `{result}`; it is pass or fail"))]),
    };
    let reason = ask.text("rejection_reason");
    if step == Step::QcFail {
        let known =
            reason.as_ref().and_then(|code| facts.one("gauge_rejection_reasons", "reason_code", code));
        if !known.is_some_and(|row| flag(row, "active")) {
            let code = reason.unwrap_or_default();
            return Err(vec![Refused::new(
                "qc.reason",
                format!("a rejection names a registered reason, not `{code}`"),
            )]);
        }
    }
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    all_step(&mut draft, &gauges, step)?;
    for gauge in gauges {
        draft.inserts.push((
            "gauge_qc_checks",
            vec![
                ("serial", Value::text(&gauge.serial)),
                ("inspector", Value::text(&facts.actor_name)),
                ("result", Value::text(&result)),
                ("rejection_reason", Value::optional_text(reason.clone().filter(|_| step == Step::QcFail))),
            ],
        ));
    }
    draft.note("result", result);
    Ok(draft)
}

fn relocate(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    let place = ask.text("location").unwrap_or_default();
    let mut refused = Refusals::new();
    for gauge in &gauges {
        let why = place_for(facts, &place, gauge.equipment).err();
        refused.extend(why.filter(|why| !refused.contains(why)));
    }
    let mut draft =
        Draft { movement: "moved", set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    if let Err(more) = all_step(&mut draft, &gauges, Step::Move) {
        refused.extend(more);
    }
    if gauges.iter().all(|gauge| gauge.location.as_deref() == Some(place.as_str())) {
        refused.push(Refused::new("move.same", format!("it is at {place} already")));
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    for gauge in gauges {
        draft.gauge(gauge).location = Some(place.clone());
    }
    Ok(draft)
}

/// Both, but whoever is there already stays as it is.
fn together(ask: &Ask, facts: &Facts, step: Step, there: Status) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    let there_already = |gauge: &Gauge| match step {
        Step::OutOfService => gauge.status == there,
        // Who is not out of service has nothing to come back from.
        _ => gauge.status != Status::OutOfService,
    };
    let moving: Vec<&Gauge> = gauges.iter().copied().filter(|gauge| !there_already(gauge)).collect();
    let gauges = if moving.is_empty() { gauges } else { moving };
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    all_step(&mut draft, &gauges, step)?;
    Ok(draft)
}

fn out_of_service(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    together(ask, facts, Step::OutOfService, Status::OutOfService)
}

fn back_in_service(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    together(ask, facts, Step::BackInService, Status::Available)
}

fn ask_unseal(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, false)?;
    let sealed: Vec<&Gauge> = gauges.iter().copied().filter(|gauge| gauge.sealed).collect();
    if sealed.is_empty() {
        return Err(gauges
            .iter()
            .map(|gauge| Refused::new("unseal.sealed", format!("gauge {} is not sealed", gauge.serial)))
            .collect());
    }
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    all_step(&mut draft, &sealed, Step::AskUnseal)?;
    for gauge in sealed {
        draft.inserts.push((
            "gauge_unseal_requests",
            vec![
                ("serial", Value::text(&gauge.serial)),
                ("asked_by", Value::text(&facts.actor_name)),
                ("state", Value::text("pending")),
            ],
        ));
    }
    Ok(draft)
}

/// The open unseal requests on these gauges in one of the states; whoever has none is left out, unless all are.
fn requests<'facts>(
    facts: &'facts Facts,
    gauges: &[&'facts Gauge],
    state: &[&str],
) -> Result<Vec<(&'facts Gauge, &'facts plimsoll_engine::change::context::CurrentRow)>, Refusals> {
    let found: Vec<_> = gauges
        .iter()
        .filter_map(|gauge| {
            let mut open = facts.of("gauge_unseal_requests", "serial", &gauge.serial);
            let row =
                open.find(|row| row.get("state").as_text().is_some_and(|word| state.contains(&word)))?;
            Some((*gauge, row))
        })
        .collect();
    if found.is_empty() {
        let states = state.join(" or ");
        let none = |gauge: &&Gauge| {
            Refused::new(
                "unseal.request",
                format!("gauge {} has no {states} request to unseal", gauge.serial),
            )
        };
        return Err(gauges.iter().map(none).collect());
    }
    Ok(found)
}

fn approve_unseal(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, false)?;
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    for (gauge, row) in requests(facts, &gauges, &["pending"])? {
        draft.about.insert(format!("gauge:{}", gauge.serial));
        let values =
            vec![("state", Value::text("approved")), ("approved_by", Value::text(&facts.actor_name))];
        draft.updates.push((row.clone(), values));
    }
    Ok(draft)
}

fn decide_seal(
    ask: &Ask,
    facts: &Facts,
    step: Step,
    states: &[&str],
    word: &'static str,
) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, false)?;
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    let found = requests(facts, &gauges, states)?;
    let named: Vec<&Gauge> = found.iter().map(|(gauge, _)| *gauge).collect();
    all_step(&mut draft, &named, step)?;
    for (gauge, row) in found {
        let values =
            vec![("state", Value::text(word)), ("ended_entry", Value::Integer(facts.head.entry + 1))];
        draft.updates.push((row.clone(), values));
        if step == Step::Unseal {
            let changed = draft.gauge(gauge);
            changed.sealed = false;
            changed.unsealed_on = Some(facts.today.clone());
            due::set(changed);
        }
    }
    Ok(draft)
}

fn confirm_unseal(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    decide_seal(ask, facts, Step::Unseal, &["approved"], "confirmed")
}

fn keep_seal(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    decide_seal(ask, facts, Step::KeepSeal, &["pending", "approved"], "rejected")
}

fn fall_due(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let mut draft = Draft::default();
    let mut refused = Refusals::new();
    let mut named = Vec::new();
    for serial in ask.texts("serials") {
        match gauge_of(facts, &serial) {
            Ok(gauge) if due::is_due(gauge, &facts.today) => named.push(gauge),
            Ok(gauge) => refused.push(Refused::new("due", format!("gauge {} is not due", gauge.serial))),
            Err(why) => refused.push(why),
        }
    }
    if let Err(more) = all_step(&mut draft, &named, Step::FallDue) {
        refused.extend(more);
    }
    if refused.is_empty() { Ok(draft) } else { Err(refused) }
}
