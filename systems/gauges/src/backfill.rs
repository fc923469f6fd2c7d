//! Bringing in sets that existed before: a ledger entry, memberships and a first line of history for each.
//!
//! Owns the assessment of what an earlier system left, the operation that brings in one set, the drive over all of them,
//! and the four checks afterwards. The way back is the backup that the drive asks for first
//! ([`plimsoll_engine::change::routine::make_backup`]).
//!
//! Invariants:
//! - GO and NO-GO are told by what a gauge is, never by the order of ids (the earlier backfill joined by id order, D14).
//! - A set that has not exactly one GO and one NO-GO is not brought in; it is listed with what is wrong.
//! - A set is brought in whole or not at all, and once: running again adds nothing.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::value::Value;
use plimsoll_engine::change::drive::{Drive, DriveReport, PostCheck, Undone};
use plimsoll_engine::change::request::{self, Answer};
use plimsoll_engine::{EngineError, Session};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::ask::Ask;
use crate::document;
use crate::draft::Draft;
use crate::facts::Facts;
use crate::model::{Role, Side};
use crate::operation::{Operation, Undo, record, registration};
use crate::rules::set_id::SetId;
use crate::rules::{Refusals, Refused, pairing};

/// A gauge as the earlier system knew it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierGauge {
    /// Its number there; says nothing.
    pub id: i64,
    /// The serial.
    pub serial: String,
    /// The set that it was in.
    pub set_id: Option<String>,
    /// `true` for the GO. What the gauge is, not where it stands in a list.
    pub is_go: bool,
    /// The category.
    pub category: String,
    /// The name.
    pub name: String,
    /// The size.
    pub thread_size: String,
    /// The form.
    pub thread_form: Option<String>,
    /// The class.
    pub thread_class: String,
    /// The hand.
    pub hand: String,
    /// The place.
    pub location: String,
    /// The date of its certificate.
    pub certified_on: Option<String>,
    /// Sealed.
    pub sealed: bool,
    /// Deleted there; such a gauge was a member of nothing.
    pub deleted: bool,
    /// When it was registered there.
    pub created_at: String,
}

/// What is wrong with a set of the earlier system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OddSet {
    /// The ID.
    pub set_id: String,
    /// Its gauges, GO first.
    pub serials: Vec<String>,
    /// Why it is not brought in.
    pub problems: Vec<String>,
}

/// What there is, before anything is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// Gauges that are not deleted.
    pub gauges: u64,
    /// Of them, in no set.
    pub spares: u64,
    /// Set IDs, deleted gauges left out.
    pub sets: u64,
    /// Sets that can be brought in.
    pub good: Vec<String>,
    /// Sets whose NO-GO has the smaller id; a join by id order would swap them.
    pub reversed: Vec<String>,
    /// Sets that cannot, and why.
    pub odd: Vec<OddSet>,
}

/// The members of each set of the earlier system.
fn by_set(earlier: &[EarlierGauge]) -> BTreeMap<&str, Vec<&EarlierGauge>> {
    let mut sets: BTreeMap<&str, Vec<&EarlierGauge>> = BTreeMap::new();
    for gauge in earlier.iter().filter(|gauge| !gauge.deleted) {
        if let Some(set_id) = gauge.set_id.as_deref() {
            sets.entry(set_id).or_default().push(gauge);
        }
    }
    for members in sets.values_mut() {
        members.sort_by_key(|gauge| (!gauge.is_go, gauge.serial.clone()));
    }
    sets
}

/// Looks at everything and writes nothing.
pub fn assess(earlier: &[EarlierGauge]) -> Assessment {
    let mut assessment = Assessment::default();
    let live: Vec<&EarlierGauge> = earlier.iter().filter(|gauge| !gauge.deleted).collect();
    assessment.gauges = live.len() as u64;
    assessment.spares = live.iter().filter(|gauge| gauge.set_id.is_none()).count() as u64;
    let mut serials: BTreeMap<&str, u64> = BTreeMap::new();
    for gauge in &live {
        *serials.entry(&gauge.serial).or_default() += 1;
    }
    for (set_id, members) in by_set(earlier) {
        assessment.sets += 1;
        let mut problems = Vec::new();
        match SetId::read(set_id) {
            Ok(id) => {
                let other = members.iter().find(|gauge| gauge.category != id.prefix);
                problems
                    .extend(other.map(|gauge| format!("{} is of category {}", gauge.serial, gauge.category)));
            }
            Err(refused) => problems.push(refused.text),
        }
        let sides = |go: bool| members.iter().filter(|gauge| gauge.is_go == go).count();
        if members.len() != 2 {
            problems.push(format!("it has {} members, not 2", members.len()));
        } else if sides(true) != 1 {
            problems.push(format!("it has {} GO and {} NO-GO", sides(true), sides(false)));
        }
        if let [first, second] = members.as_slice() {
            let facts: [(&str, &str, &str); 5] = [
                ("size", &first.thread_size, &second.thread_size),
                ("class", &first.thread_class, &second.thread_class),
                (
                    "form",
                    first.thread_form.as_deref().unwrap_or("none"),
                    second.thread_form.as_deref().unwrap_or("none"),
                ),
                ("hand", &first.hand, &second.hand),
                ("category", &first.category, &second.category),
            ];
            let unlike = facts.iter().filter(|(_, first, second)| first != second);
            problems
                .extend(unlike.map(|(what, first, second)| format!("{what} differs: {first} and {second}")));
            if sides(true) == 1 && second.id < first.id {
                assessment.reversed.push(set_id.to_owned());
            }
        }
        let twice =
            members.iter().filter(|gauge| serials.get(gauge.serial.as_str()).is_some_and(|count| *count > 1));
        problems.extend(twice.map(|gauge| format!("serial {} occurs more than once", gauge.serial)));
        if problems.is_empty() {
            assessment.good.push(set_id.to_owned());
        } else {
            let serials = members.iter().map(|gauge| gauge.serial.clone()).collect();
            assessment.odd.push(OddSet { set_id: set_id.to_owned(), serials, problems });
        }
    }
    assessment
}

/// Brings in one set.
pub static BRING_IN: Operation = Operation {
    name: "bring-in-set",
    help: "Bring in a set of an earlier system with both its gauges, under its own ID",
    role: Role::Admin,
    fields: &[
        "go",
        "nogo",
        "id",
        "category",
        "name",
        "location",
        "thread_size",
        "thread_form?",
        "thread_class",
        "hand?",
        "certified_on?",
        "sealed?",
        "earlier",
    ],
    plan: bring_in,
    undo: Undo::Never("restore the backup that was made before"),
};

fn bring_in(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let mut draft = Draft::default();
    let mut refused = Refusals::new();
    let mut made = Vec::new();
    for side in Side::ALL {
        match registration::new_gauge(ask, facts, &ask.text(side.as_str()).unwrap_or_default(), Some(*side)) {
            Ok(gauge) => made.push(gauge),
            Err(more) => refused.extend(more),
        }
    }
    let [go, nogo] = made.as_slice() else { return Err(refused) };
    refused.extend(pairing::pair(go, nogo));
    let Some(likeness) =
        go.thread.as_ref().map(|thread| thread.likeness.clone()).filter(|_| refused.is_empty())
    else {
        return Err(refused);
    };
    let typed = ask.text("id");
    let set_id = registration::issue(&mut draft, facts, &likeness, typed.as_deref(), "backfilled")
        .map_err(|why| vec![why])?;
    for mut gauge in made {
        gauge.set_id = Some(set_id.clone());
        if let Some(side) = gauge.side() {
            draft.joins.push((set_id.clone(), side, gauge.serial.clone()));
        }
        registration::add(&mut draft, ask, gauge)?;
    }
    draft.note("migrated_existing_set", true);
    draft.note("earlier", ask.fields().get("earlier").cloned().unwrap_or_default());
    Ok(draft)
}

/// The request that brings in a set.
fn request_for(set_id: &str, members: &[&EarlierGauge]) -> Option<Map<String, Json>> {
    let go = members.iter().find(|gauge| gauge.is_go)?;
    let nogo = members.iter().find(|gauge| !gauge.is_go)?;
    let earlier: Vec<Json> = members
        .iter()
        .map(|gauge| json!({ "id": gauge.id, "serial": gauge.serial, "created_at": gauge.created_at }))
        .collect();
    let mut fields = json!({
        "go": go.serial, "nogo": nogo.serial, "id": set_id, "category": go.category, "name": go.name,
        "location": go.location, "thread_size": go.thread_size, "thread_class": go.thread_class, "hand": go.hand,
        "sealed": go.sealed || nogo.sealed, "earlier": Json::from(earlier).to_string(),
        "reason": "backfill of a set that existed before its history began",
    });
    for (name, value) in [
        ("thread_form", &go.thread_form),
        ("certified_on", &go.certified_on.clone().min(nogo.certified_on.clone())),
    ] {
        if let Some(value) = value {
            fields[name] = json!(value);
        }
    }
    fields.as_object().cloned()
}

/// What a backfill did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Nothing was written.
    pub dry_run: bool,
    /// What was found before.
    pub assessment: Assessment,
    /// Sets brought in.
    pub brought_in: u64,
    /// Sets that were there already.
    pub there_already: u64,
    /// Sets that the rules refused, with their reasons.
    pub refused: Vec<(String, String)>,
    /// The checks afterwards; none in a dry run.
    pub checks: Vec<PostCheck>,
}

/// Brings in every good set, each in a transaction of its own; a dry run stops after the assessment.
///
/// # Errors
/// When the store fails. What was brought in until then stays, and running again goes on.
pub fn run(session: &mut Session, earlier: &[EarlierGauge], dry_run: bool) -> Result<Report, EngineError> {
    let mut report = Report { dry_run, assessment: assess(earlier), ..Report::default() };
    if dry_run {
        return Ok(report);
    }
    let sets = by_set(earlier);
    for set_id in &report.assessment.good {
        let Some(fields) = sets.get(set_id.as_str()).and_then(|members| request_for(set_id, members)) else {
            continue;
        };
        let there = session.store.query(
            "SELECT 1 FROM gauge_set_ids WHERE set_id = $1 AND origin = 'backfilled'",
            &[Value::text(set_id)],
        )?;
        if !there.is_empty() {
            report.there_already += 1;
            continue;
        }
        let reason = fields.get("reason").and_then(Json::as_str).unwrap_or_default().to_owned();
        let asked = record(BRING_IN.name, fields);
        match request::perform(session, &crate::SYSTEM, &BRING_IN, &asked, &reason)? {
            Answer::Done { .. } => report.brought_in += 1,
            Answer::Unchanged => report.there_already += 1,
            Answer::Refused(refusal) => report.refused.push((set_id.clone(), refusal.reason)),
        }
    }
    report.checks = check(session, earlier)?;
    Ok(report)
}

/// The drive over all sets that an earlier system left.
pub static BACKFILL: Drive = Drive {
    name: "backfill",
    help: "Bring in the sets of an earlier system: assess, one transaction for each set, four checks",
    document: "CSV with a line of names, or a JSON list, one record for each gauge: id, serial, set_id, is_go, category, name, \
               thread_size, thread_form, thread_class, hand, location, certified_on, sealed, deleted, created_at",
    needs_backup: true,
    run: drive,
};

fn drive(session: &mut Session, text: &str, dry_run: bool) -> Result<DriveReport, EngineError> {
    let mut earlier = Vec::new();
    for (line, fields) in document::read(text)? {
        let read = fields.and_then(gauge);
        earlier.push(read.map_err(|problem| EngineError::usage(format!("line {line}: {problem}")))?);
    }
    let done = run(session, &earlier, dry_run)?;
    let mut left_out: Vec<Undone> = Vec::new();
    for odd in &done.assessment.odd {
        left_out.push(Undone { record: format!("set {}", odd.set_id), reasons: odd.problems.clone() });
    }
    for (set_id, reason) in &done.refused {
        let reasons = plimsoll_engine::alias::reasons(reason).into_iter().map(|reason| reason.text).collect();
        left_out.push(Undone { record: format!("set {set_id}"), reasons });
    }
    Ok(DriveReport {
        dry_run,
        records: done.assessment.sets,
        done: if dry_run { done.assessment.good.len() as u64 } else { done.brought_in },
        there_already: done.there_already,
        left_out,
        assessment: json!({
            "gauges": done.assessment.gauges, "spares": done.assessment.spares, "sets": done.assessment.sets,
            "good": done.assessment.good.len(), "reversed": done.assessment.reversed, "odd": done.assessment.odd.len(),
        }),
        checks: done.checks,
    })
}

/// A gauge of the earlier system from its cells, which are texts in a file of comma-separated values.
fn gauge(fields: Map<String, Json>) -> Result<EarlierGauge, String> {
    let mut whole = serde_json::to_value(EarlierGauge::default()).map_err(|error| error.to_string())?;
    for (name, value) in fields {
        let Some(known) = whole.get(&name) else { return Err(format!("there is no column `{name}` here")) };
        whole[&name] = match (known, value.as_str().map(str::to_ascii_lowercase).as_deref()) {
            (Json::Number(_), Some(text)) => {
                json!(text.parse::<i64>().map_err(|_| format!("`{name}` is `{text}`, not a number"))?)
            }
            (Json::Bool(_), Some("true" | "1" | "yes" | "t")) => json!(true),
            (Json::Bool(_), Some("false" | "0" | "no" | "f")) => json!(false),
            (Json::Bool(_), Some(text)) => {
                return Err(format!("`{name}` is `{text}`, neither true nor false"));
            }
            _ => value,
        };
    }
    let gauge: EarlierGauge = serde_json::from_value(whole).map_err(|error| error.to_string())?;
    if gauge.serial.trim().is_empty() { Err("it has no `serial`".to_owned()) } else { Ok(gauge) }
}

/// Sets of which every member is compared.
const SPOTS: usize = 10;

/// The four checks: counts match, spot checks agree, no set without history, no set brought in twice.
///
/// # Errors
/// When the store cannot be read.
pub fn check(session: &mut Session, earlier: &[EarlierGauge]) -> Result<Vec<PostCheck>, EngineError> {
    let good: BTreeSet<String> = assess(earlier).good.into_iter().collect();
    let mut checks = Vec::with_capacity(4);
    let listed = |session: &mut Session, sql: &str| -> Result<Vec<String>, EngineError> {
        let rows = session.store.query(sql, &[])?;
        Ok(rows.iter().filter_map(|row| row[0].as_text().map(str::to_owned)).collect())
    };
    let issued: BTreeSet<String> =
        listed(session, "SELECT set_id FROM gauge_set_ids WHERE origin = 'backfilled'")?
            .into_iter()
            .collect();
    let missing: Vec<&String> = good.symmetric_difference(&issued).collect();
    checks.push(PostCheck {
        name: "counts match",
        ok: missing.is_empty(),
        found: format!("{} good sets, {} brought in{}", good.len(), issued.len(), named(&missing)),
    });

    // Evenly over all of them, so that the same data gives the same spots.
    let sets = by_set(earlier);
    let step = (good.len() / SPOTS).max(1);
    let mut wrong = Vec::new();
    let mut looked = 0;
    for set_id in good.iter().step_by(step).take(SPOTS) {
        looked += 1;
        let sql = "SELECT m.side, m.serial, t.side, t.thread_size FROM gauge_set_members m
            JOIN gauge_thread_specifications t ON t.serial = m.serial
            WHERE m.set_id = $1 AND m.from_entry = (SELECT min(from_entry) FROM gauge_set_members WHERE set_id = $1)";
        let found: BTreeSet<Vec<String>> = session
            .store
            .query(sql, &[Value::text(set_id)])?
            .iter()
            .map(|row| row.iter().map(|cell| cell.as_text().unwrap_or_default().to_owned()).collect())
            .collect();
        let wanted: BTreeSet<Vec<String>> = sets
            .get(set_id.as_str())
            .into_iter()
            .flatten()
            .map(|gauge| {
                let side = if gauge.is_go { Side::Go } else { Side::NoGo }.as_str().to_owned();
                vec![side.clone(), gauge.serial.clone(), side, gauge.thread_size.clone()]
            })
            .collect();
        if found != wanted {
            wrong.push(set_id);
        }
    }
    checks.push(PostCheck {
        name: "spot checks agree",
        ok: wrong.is_empty(),
        found: format!("{looked} sets compared, {} differ{}", wrong.len(), named(&wrong)),
    });

    let silent = listed(
        session,
        "SELECT s.set_id FROM gauge_sets s WHERE NOT EXISTS
            (SELECT 1 FROM gauge_history_subjects h WHERE h.subject = 'set:' || s.set_id) ORDER BY 1",
    )?;
    checks.push(PostCheck {
        name: "no set without history",
        ok: silent.is_empty(),
        found: format!("{} sets without a line{}", silent.len(), named(&silent.iter().collect::<Vec<_>>())),
    });
    let twice = listed(
        session,
        "SELECT set_id FROM gauge_history WHERE operation = 'bring-in-set' GROUP BY set_id HAVING count(*) > 1 ORDER BY 1",
    )?;
    checks.push(PostCheck {
        name: "no set brought in twice",
        ok: twice.is_empty(),
        found: format!("{} sets twice{}", twice.len(), named(&twice.iter().collect::<Vec<_>>())),
    });
    Ok(checks)
}

fn named(sets: &[&String]) -> String {
    if sets.is_empty() {
        return String::new();
    }
    let first: Vec<&str> = sets.iter().take(5).map(|set| set.as_str()).collect();
    format!(": {}{}", first.join(", "), if sets.len() > 5 { ", .." } else { "" })
}

/// The reason for which a request of the backfill is refused when the earlier system's data are odd.
pub fn refused_for(odd: &OddSet) -> Refused {
    Refused::new("backfill.odd", format!("set {}: {}", odd.set_id, odd.problems.join("; ")))
}
