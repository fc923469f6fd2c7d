//! Calibration in seven steps: open a batch, add, send, receive, certify, verify, release.
//!
//! Owns the way of a gauge through a batch. Each gauge has a certificate of its own; the one before is superseded and
//! stays. A gauge found out of tolerance opens a case ([`super::tolerance`]); one that fails is retired and leaves its set.

use plimsoll_core::value::{Value, is_date};
use plimsoll_engine::change::context::CurrentRow;
use serde_json::json;

use super::membership::{close_all, leave};
use super::registration::place_for;
use super::{Operation, Undo, all_step, gauge_of, whom};
use crate::ask::Ask;
use crate::draft::Draft;
use crate::facts::Facts;
use crate::model::{Equipment, Gauge, Role, Status};
use crate::rules::machine::Step;
use crate::rules::{Refusals, Refused, due};

/// Step 1.
pub static OPEN_BATCH: Operation = Operation {
    name: "open-batch",
    help: "Open a calibration batch, internal or at a vendor",
    role: Role::Qc,
    fields: &["batch", "kind", "vendor?", "tracking?"],
    plan: open_batch,
    undo: Undo::Never("an empty batch harms nobody"),
};

/// Step 2.
pub static ADD_TO_BATCH: Operation = Operation {
    name: "add-to-batch",
    help: "Put gauges on a calibration batch that is not sent yet",
    role: Role::Qc,
    fields: &["batch", "serials"],
    plan: add_to_batch,
    undo: Undo::Restore,
};

/// Back from step 2.
pub static REMOVE_FROM_BATCH: Operation = Operation {
    name: "remove-from-batch",
    help: "Take gauges off a calibration batch that is not sent yet",
    role: Role::Qc,
    fields: &["batch", "serials"],
    plan: remove_from_batch,
    undo: Undo::Restore,
};

/// Step 3.
pub static SEND_BATCH: Operation = Operation {
    name: "send-batch",
    help: "Send a calibration batch",
    role: Role::Qc,
    fields: &["batch", "tracking?"],
    plan: send_batch,
    undo: Undo::Restore,
};

/// Step 4.
pub static RECEIVE: Operation = Operation {
    name: "receive",
    help: "Record what calibration found: pass seals the gauge, fail retires it",
    role: Role::Qc,
    fields: &[
        "batch",
        "serial",
        "result",
        "calibrated_on",
        "laboratory",
        "technician?",
        "as_found",
        "in_tolerance?",
        "as_left",
        "standards?",
    ],
    plan: receive,
    undo: Undo::Never("what calibration found is on record; calibrate again"),
};

/// Step 5.
pub static CERTIFY: Operation = Operation {
    name: "certify",
    help: "Record a gauge's certificate; the one before is superseded",
    role: Role::Qc,
    fields: &["serial", "certificate", "laboratory", "issued_on", "file_name?", "file_digest?"],
    plan: certify,
    undo: Undo::Never("a certificate is superseded by another one"),
};

/// Step 6.
pub static VERIFY_CERTIFICATE: Operation = Operation {
    name: "verify-certificate",
    help: "Verify the certificates of a gauge, or of both members of a set",
    role: Role::Qc,
    fields: &["set?", "serial?"],
    plan: verify_certificate,
    undo: Undo::Restore,
};

/// Step 7.
pub static RELEASE: Operation = Operation {
    name: "release",
    help: "Confirm the place of a calibrated gauge or set, and release it",
    role: Role::Qc,
    fields: &["set?", "serial?", "location"],
    plan: release,
    undo: Undo::Restore,
};

fn batch_of<'facts>(ask: &Ask, facts: &'facts Facts, state: &str) -> Result<&'facts CurrentRow, Refused> {
    let name = ask.text("batch").unwrap_or_default();
    let Some(row) = facts.one("gauge_calibration_batches", "batch", &name) else {
        return Err(Refused::new("unknown", format!("there is no batch {name}")));
    };
    match row.get("state").as_text() {
        Some(found) if found == state => Ok(row),
        found => Err(Refused::new(
            "batch.state",
            format!("batch {name} is {}, not {state}", found.unwrap_or("nothing")),
        )),
    }
}

/// The row of a gauge on a batch.
fn on_batch<'facts>(facts: &'facts Facts, batch: &str, serial: &str) -> Option<&'facts CurrentRow> {
    let mut rows = facts.rows.get("gauge_calibration_members").map(Vec::as_slice).unwrap_or_default().iter();
    rows.find(|row| row.get("batch").as_text() == Some(batch) && row.get("serial").as_text() == Some(serial))
}

fn open_batch(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let name = ask.text("batch").unwrap_or_default();
    let kind = ask.text("kind").unwrap_or_default();
    let mut refused = Refusals::new();
    if facts.one("gauge_calibration_batches", "batch", &name).is_some() {
        refused.push(Refused::new("batch.used", format!("there is a batch {name}")));
    }
    if !["internal", "external"].contains(&kind.as_str()) {
        refused.push(Refused::new("field", format!("`kind` is `{kind}`; it is internal or external")));
    }
    if kind == "external" && ask.text("vendor").is_none() {
        refused.push(Refused::new("field", "an external batch names its `vendor`"));
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut draft = Draft::default();
    draft.about.insert(format!("batch:{name}"));
    draft.inserts.push((
        "gauge_calibration_batches",
        vec![
            ("batch", Value::text(name)),
            ("kind", Value::text(kind)),
            ("vendor", Value::optional_text(ask.text("vendor"))),
            ("tracking", Value::optional_text(ask.text("tracking"))),
            ("state", Value::text("pending_send")),
            ("created_entry", Value::Integer(facts.head.entry + 1)),
        ],
    ));
    Ok(draft)
}

fn add_to_batch(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let batch = batch_of(ask, facts, "pending_send").map_err(|why| vec![why])?;
    let name = batch.get("batch").as_text().unwrap_or_default();
    let mut refused = Refusals::new();
    let mut draft = Draft::default();
    draft.about.insert(format!("batch:{name}"));
    for serial in ask.texts("serials") {
        let gauge = match gauge_of(facts, &serial) {
            Ok(gauge) => gauge,
            Err(why) => {
                refused.push(why);
                continue;
            }
        };
        refused.extend(Step::AddToBatch.of(&serial, gauge.status).err());
        refused.extend(super::membership::listed(facts, gauge));
        draft.about.insert(format!("gauge:{serial}"));
        match on_batch(facts, name, &serial) {
            // It was taken off this batch before.
            Some(row) => draft.updates.push((row.clone(), vec![("state", Value::text("added"))])),
            None => draft.inserts.push((
                "gauge_calibration_members",
                vec![
                    ("batch", Value::text(name)),
                    ("serial", Value::text(&serial)),
                    ("state", Value::text("added")),
                ],
            )),
        }
    }
    if refused.is_empty() { Ok(draft) } else { Err(refused) }
}

fn remove_from_batch(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let batch = batch_of(ask, facts, "pending_send").map_err(|why| vec![why])?;
    let name = batch.get("batch").as_text().unwrap_or_default();
    let mut refused = Refusals::new();
    let mut draft = Draft::default();
    draft.about.insert(format!("batch:{name}"));
    for serial in ask.texts("serials") {
        match on_batch(facts, name, &serial).filter(|row| row.get("state").as_text() == Some("added")) {
            Some(row) => draft.updates.push((row.clone(), vec![("state", Value::text("removed"))])),
            None => {
                refused.push(Refused::new("batch.member", format!("gauge {serial} is not on batch {name}")));
            }
        }
        draft.about.insert(format!("gauge:{serial}"));
    }
    if refused.is_empty() { Ok(draft) } else { Err(refused) }
}

fn send_batch(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let batch = batch_of(ask, facts, "pending_send").map_err(|why| vec![why])?;
    let name = batch.get("batch").as_text().unwrap_or_default();
    let mut draft = Draft::default();
    draft.about.insert(format!("batch:{name}"));
    let rows: Vec<&CurrentRow> = facts
        .of("gauge_calibration_members", "batch", name)
        .filter(|row| row.get("state").as_text() == Some("added"))
        .collect();
    if rows.is_empty() {
        return Err(vec![Refused::new("batch.empty", format!("batch {name} is empty"))]);
    }
    let gauges: Vec<&Gauge> =
        rows.iter().filter_map(|row| facts.gauges.get(row.get("serial").as_text()?)).collect();
    all_step(&mut draft, &gauges, Step::Send)?;
    let mut seen = Vec::new();
    for row in rows {
        if !seen.contains(&row) {
            draft.updates.push((row.clone(), vec![("state", Value::text("sent"))]));
            seen.push(row);
        }
    }
    let mut values =
        vec![("state", Value::text("sent")), ("sent_entry", Value::Integer(facts.head.entry + 1))];
    if let Some(tracking) = ask.text("tracking") {
        values.push(("tracking", Value::text(tracking)));
    }
    draft.updates.push((batch.clone(), values));
    Ok(draft)
}

fn receive(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let batch = batch_of(ask, facts, "sent").map_err(|why| vec![why])?;
    let name = batch.get("batch").as_text().unwrap_or_default();
    let serial = ask.text("serial").unwrap_or_default();
    let gauge = gauge_of(facts, &serial).map_err(|why| vec![why])?;
    let mut refused = Refusals::new();
    let result = ask.text("result").unwrap_or_default();
    let step = if result == "pass" { Step::ReceivePass } else { Step::ReceiveFail };
    if !["pass", "fail"].contains(&result.as_str()) {
        refused.push(Refused::new("field", format!("`result` is `{result}`; it is pass or fail")));
    }
    let day = ask.text("calibrated_on").unwrap_or_default();
    if !is_date(&day) || day > facts.today {
        refused.push(Refused::new(
            "field",
            format!("`calibrated_on` is `{day}`; it is a day, and not in the future"),
        ));
    }
    let row = on_batch(facts, name, &serial).filter(|row| row.get("state").as_text() == Some("sent"));
    if row.is_none() {
        refused.push(Refused::new("batch.member", format!("gauge {serial} was not sent with batch {name}")));
    }
    let standards = ask.texts("standards");
    for standard in &standards {
        match facts.gauges.get(standard) {
            None => refused.push(Refused::new("unknown", format!("there is no standard {standard}"))),
            Some(found) if found.equipment != Equipment::CalibrationStandard => {
                refused.push(Refused::new("standard.kind", format!("{standard} is no calibration standard")));
            }
            Some(found) if found.status != Status::Available || due::is_due(found, &day) => refused.push(
                Refused::new("standard.due", format!("standard {standard} was not fit for use on {day}")),
            ),
            Some(_) => {}
        }
    }
    let status = step.of(&serial, gauge.status);
    refused.extend(status.clone().err());
    let (Some(row), Ok(status), true) = (row, status, refused.is_empty()) else { return Err(refused) };

    let mut draft = Draft::default();
    draft.about.insert(format!("batch:{name}"));
    // A gauge that fails was out of tolerance, whatever the box says.
    let in_tolerance = ask.flag("in_tolerance") && step == Step::ReceivePass;
    draft.inserts.push((
        "gauge_calibrations",
        vec![
            ("serial", Value::text(&serial)),
            ("batch", Value::text(name)),
            ("calibrated_on", Value::text(&day)),
            ("laboratory", Value::optional_text(ask.text("laboratory"))),
            ("technician", Value::optional_text(ask.text("technician"))),
            ("result", Value::text(&result)),
            ("as_found", Value::optional_text(ask.text("as_found"))),
            ("as_found_in_tolerance", Value::Boolean(in_tolerance)),
            ("as_left", Value::optional_text(ask.text("as_left"))),
            ("standards", Value::text(json!(standards).to_string())),
        ],
    ));
    for standard in &standards {
        let certificate = facts
            .of("gauge_certificates", "serial", standard)
            .find(|row| row.get("superseded_entry").is_null())
            .and_then(|row| crate::model::text(row, "certificate"));
        let due_on = facts.gauges.get(standard).and_then(|standard| standard.due_on.clone());
        draft.inserts.push((
            "gauge_standards_used",
            vec![
                ("serial", Value::text(&serial)),
                ("standard", Value::text(standard)),
                ("standard_certificate", Value::optional_text(certificate)),
                ("standard_due_on", Value::optional_text(due_on)),
            ],
        ));
        draft.about.insert(format!("gauge:{standard}"));
    }
    if !in_tolerance {
        draft.inserts.push((
            "gauge_tolerance_cases",
            vec![
                ("case_entry", Value::Integer(facts.head.entry + 1)),
                ("serial", Value::text(&serial)),
                ("window_from", Value::optional_text(gauge.certified_on.as_deref())),
                ("window_until", Value::text(&day)),
                ("state", Value::text("open")),
            ],
        ));
        draft.note("case", facts.head.entry + 1);
    }
    let set = gauge.set_id.as_ref().and_then(|set_id| facts.sets.get(set_id));
    draft.set_id = set.map(|set| set.set_id.clone());
    if step == Step::ReceiveFail {
        if let (Some(set), Some(side)) = (set, gauge.side()) {
            leave(&mut draft, set, side, gauge);
            draft.note("incomplete", json!({ "set": set.set_id, "missing": side }));
        }
        close_all(&mut draft, facts, &serial);
        draft.updates.retain(|(update, _)| update.table.name != "gauge_calibration_members");
    }
    let changed = draft.gauge(gauge);
    changed.status = status;
    if step == Step::ReceivePass {
        changed.sealed = true;
        changed.unsealed_on = None;
        due::set(changed);
    }
    let state = if step == Step::ReceivePass { "passed" } else { "failed" };
    draft.updates.push((row.clone(), vec![("state", Value::text(state))]));
    let open = facts.of("gauge_calibration_members", "batch", name).any(|row| {
        row.get("state").as_text() == Some("sent") && row.get("serial").as_text() != Some(&serial)
    });
    if !open {
        let ended = Value::Integer(facts.head.entry + 1);
        draft
            .updates
            .push((batch.clone(), vec![("state", Value::text("completed")), ("ended_entry", ended)]));
    }
    draft.note("result", result);
    Ok(draft)
}

fn certify(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let serial = ask.text("serial").unwrap_or_default();
    let gauge = gauge_of(facts, &serial).map_err(|why| vec![why])?;
    let name = ask.text("certificate").unwrap_or_default();
    let day = ask.text("issued_on").unwrap_or_default();
    let mut refused = Refusals::new();
    if facts.one("gauge_certificates", "certificate", &name).is_some() {
        refused.push(Refused::new("certificate.used", format!("there is a certificate {name}")));
    }
    if !is_date(&day) || day > facts.today {
        refused.push(Refused::new(
            "field",
            format!("`issued_on` is `{day}`; it is a day, and not in the future"),
        ));
    }
    let status = Step::Certify.of(&serial, gauge.status);
    refused.extend(status.clone().err());
    let (Ok(status), true) = (status, refused.is_empty()) else { return Err(refused) };
    let mut draft = Draft::default();
    draft.inserts.push((
        "gauge_certificates",
        vec![
            ("certificate", Value::text(&name)),
            ("serial", Value::text(&serial)),
            ("laboratory", Value::optional_text(ask.text("laboratory"))),
            ("issued_on", Value::text(&day)),
            ("file_name", Value::optional_text(ask.text("file_name"))),
            ("file_digest", Value::optional_text(ask.text("file_digest"))),
        ],
    ));
    for row in
        facts.of("gauge_certificates", "serial", &serial).filter(|row| row.get("superseded_entry").is_null())
    {
        let values = vec![
            ("superseded_by", Value::text(&name)),
            ("superseded_entry", Value::Integer(facts.head.entry + 1)),
        ];
        draft.updates.push((row.clone(), values));
    }
    draft.set_id.clone_from(&gauge.set_id);
    let changed = draft.gauge(gauge);
    changed.status = status;
    changed.certified_on = Some(day);
    due::set(changed);
    draft.about.insert(format!("gauge:{serial}"));
    draft.note("certificate", name);
    Ok(draft)
}

/// The certificate that a gauge got since it came back, which nobody verified yet.
fn fresh<'facts>(facts: &'facts Facts, gauge: &Gauge) -> Option<&'facts CurrentRow> {
    let received = facts
        .of("gauge_calibrations", "serial", &gauge.serial)
        .filter_map(|row| row.get("entry").as_integer())
        .max()
        .unwrap_or(0);
    facts.of("gauge_certificates", "serial", &gauge.serial).find(|row| {
        row.get("superseded_entry").is_null()
            && row.get("entry").as_integer().is_some_and(|entry| entry > received)
    })
}

fn verify_certificate(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    // A partner that was not away has nothing to verify.
    let back: Vec<&Gauge> =
        gauges.iter().copied().filter(|gauge| gauge.status == Status::PendingCertificate).collect();
    let gauges = if back.is_empty() { gauges } else { back };
    let mut draft = Draft { set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    all_step(&mut draft, &gauges, Step::Verify)?;
    let mut refused = Refusals::new();
    for gauge in gauges {
        match fresh(facts, gauge) {
            Some(row) => draft.updates.push((
                row.clone(),
                vec![
                    ("verified_by", Value::text(&facts.actor_name)),
                    ("verified_entry", Value::Integer(facts.head.entry + 1)),
                ],
            )),
            None => refused.push(Refused::new(
                "certificate.missing",
                format!("gauge {} has no certificate since it came back from calibration", gauge.serial),
            )),
        }
    }
    if refused.is_empty() { Ok(draft) } else { Err(refused) }
}

fn release(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, true)?;
    let waiting: Vec<&Gauge> =
        gauges.iter().copied().filter(|gauge| gauge.status == Status::PendingRelease).collect();
    let place = ask.text("location").unwrap_or_default();
    let named = if waiting.is_empty() { &gauges } else { &waiting };
    let mut refused = Refusals::new();
    for gauge in named {
        refused.extend(place_for(facts, &place, gauge.equipment).err());
    }
    let partner = gauges.iter().find(|gauge| {
        matches!(gauge.status, Status::PendingCertificate | Status::OutForCalibration) && !waiting.is_empty()
    });
    if let Some(partner) = partner {
        refused.push(Refused::new(
            "release.both",
            format!("its partner {} is {}: both are released together", partner.serial, partner.status),
        ));
    }
    let mut draft =
        Draft { movement: "released", set_id: set.map(|set| set.set_id.clone()), ..Draft::default() };
    if let Err(more) = all_step(&mut draft, named, Step::Release) {
        refused.extend(more);
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    for gauge in named {
        draft.gauge(gauge).location = Some(place.clone());
    }
    Ok(draft)
}
