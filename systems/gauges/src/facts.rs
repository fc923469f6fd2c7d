//! Facts: the current rows that an operation decides on.
//!
//! Owns the one loader for all operations: what the request names, and what hangs on it (partners, sets, open check-outs,
//! transfers, unseal requests and batches). It decides nothing and proposes nothing.
//!
//! Invariant: the head of the history is read first. Every operation adds a line right behind it, so an operation whose
//! facts were overtaken by another one cannot be written.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::{CurrentRow, PlanContext};
use plimsoll_engine::flag::{FlagDeclaration, Switched};
use serde_json::Value as Json;

use crate::ask::Ask;
use crate::model::{Gauge, Likeness, Role, Side, flag, needed, text};

/// The flag that says whether the ledger is asked before an ID is given out (GS-19). Each operation asks it inside its own
/// transaction; what it was told is in the ledger and in the line of history.
pub const REUSE_CHECK: FlagDeclaration = FlagDeclaration {
    name: "set_id_reuse_check",
    default: true,
    help: "A set ID that was ever given out is refused; while it is off, each ID that is given out is told",
};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Their department.
    pub department: Option<String>,
    /// False for somebody who left.
    pub active: bool,
}

/// A set with those who are members now.
#[derive(Debug, Clone)]
pub struct Set {
    /// The ID.
    pub set_id: String,
    /// What its members have in common.
    pub likeness: Likeness,
    /// How it ended.
    pub ended: Option<String>,
    /// Its row.
    pub row: CurrentRow,
    /// The open memberships.
    pub members: BTreeMap<Side, CurrentRow>,
}

impl Set {
    /// The serial of a member.
    pub fn member(&self, side: Side) -> Option<&str> {
        self.members.get(&side).and_then(|row| row.get("serial").as_text())
    }
}

/// The end of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The last line's number; 0 before the first.
    pub entry: i64,
    /// When.
    pub at: String,
    /// Its digest.
    pub digest: String,
}

/// The current rows that one request is about.
#[derive(Debug, Default)]
pub struct Facts {
    /// The end of the history.
    pub head: Head,
    /// The head's row, once there is one.
    pub head_row: Option<CurrentRow>,
    /// The time of the operation, later than every line before.
    pub now: String,
    /// Its day.
    pub today: String,
    /// Who acts, when registered.
    pub actor: Option<User>,
    /// The name of who acts.
    pub actor_name: String,
    /// Gauges by serial.
    pub gauges: BTreeMap<String, Gauge>,
    /// Their rows.
    pub gauge_rows: BTreeMap<String, CurrentRow>,
    /// Sets by ID.
    pub sets: BTreeMap<String, Set>,
    /// Other rows, by table.
    pub rows: BTreeMap<&'static str, Vec<CurrentRow>>,
    /// Issues of the IDs that the request names.
    pub issued: BTreeMap<String, Vec<CurrentRow>>,
    /// Whether the ledger is asked before an ID is given out.
    pub reuse_check: Option<Switched>,
}

impl Facts {
    /// Whether a used ID is refused: yes, unless the flag says no.
    pub fn refuses_reuse(&self) -> bool {
        self.reuse_check.is_none_or(|switched| switched.on)
    }

    /// The rows of `table` whose `column` is `value`.
    pub fn of(&self, table: &str, column: &str, value: &str) -> std::vec::IntoIter<&CurrentRow> {
        let rows = self.rows.get(table).map(Vec::as_slice).unwrap_or_default();
        let found: Vec<&CurrentRow> =
            rows.iter().filter(|row| row.get(column).as_text() == Some(value)).collect();
        found.into_iter()
    }

    /// The first row of `table` whose `column` is `value`.
    pub fn one(&self, table: &'static str, column: &str, value: &str) -> Option<&CurrentRow> {
        let rows = self.rows.get(table).map(Vec::as_slice).unwrap_or_default();
        rows.iter().find(|row| row.get(column).as_text() == Some(value))
    }

    /// The members of a set that are known, GO first.
    pub fn members(&self, set: &Set) -> Vec<&Gauge> {
        Side::ALL
            .iter()
            .filter_map(|side| set.member(*side))
            .filter_map(|serial| self.gauges.get(serial))
            .collect()
    }
}

/// A moment in the one width that the tables keep: `2026-11-29T12:00:00.000Z`.
pub fn moment(timestamp: &str) -> String {
    let body = timestamp.trim_end_matches('Z');
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    format!("{whole}.{digits}Z")
}

/// Loads what the request names.
///
/// # Errors
/// When the store fails or holds words that the schema does not know.
pub fn load(context: &mut PlanContext<'_>, ask: &Ask) -> Result<Facts, EngineError> {
    let mut facts = Facts {
        actor_name: context.actor().to_owned(),
        reuse_check: Some(context.flag(&REUSE_CHECK)),
        ..Facts::default()
    };
    if let Some(row) =
        context.find("gauge_history_head", &[("name", Value::text("head"))])?.into_iter().next()
    {
        facts.head = Head {
            entry: row.get("entry").as_integer().unwrap_or(0),
            at: needed(&row, "at")?,
            digest: needed(&row, "digest")?,
        };
        facts.head_row = Some(row);
    }
    let now = moment(context.now());
    // A clock that was set back does not turn history round.
    facts.now = if now > facts.head.at { now } else { facts.head.at.clone() };
    facts.today = facts.now.chars().take(10).collect();
    facts.actor = user(context, &facts.actor_name.clone())?;
    let mut serials: BTreeSet<String> = ask.serials();
    let mut sets: BTreeSet<String> = ask.texts("set").into_iter().collect();
    named_rows(context, ask, &mut facts, &mut serials)?;
    for serial in serials {
        gauge(context, &mut facts, &serial)?;
    }
    sets.extend(facts.gauges.values().filter_map(|gauge| gauge.set_id.clone()));
    for set_id in sets {
        load_set(context, &mut facts, &set_id)?;
    }
    Ok(facts)
}

fn user(context: &mut PlanContext<'_>, name: &str) -> Result<Option<User>, EngineError> {
    let Some(row) = context.find("gauge_users", &[("user_name", Value::text(name))])?.into_iter().next()
    else {
        return Ok(None);
    };
    let role = Role::read(&needed(&row, "role")?)
        .ok_or_else(|| EngineError::integrity(format!("user {name} has a role that is none")))?;
    Ok(Some(User {
        name: name.to_owned(),
        role,
        department: text(&row, "department"),
        active: flag(&row, "active"),
    }))
}

/// Rows of registers that a field of the request names.
fn named_rows(
    context: &mut PlanContext<'_>,
    ask: &Ask,
    facts: &mut Facts,
    serials: &mut BTreeSet<String>,
) -> Result<(), EngineError> {
    const NAMED: &[(&str, &str, &str)] = &[
        ("category", "gauge_categories", "category"),
        ("location", "gauge_locations", "location"),
        ("holder", "gauge_users", "user_name"),
        ("to", "gauge_users", "user_name"),
        ("user", "gauge_users", "user_name"),
        ("rejection_reason", "gauge_rejection_reasons", "reason_code"),
        ("batch", "gauge_calibration_batches", "batch"),
        ("batch", "gauge_calibration_members", "batch"),
        ("certificate", "gauge_certificates", "certificate"),
    ];
    for (field, table, column) in NAMED {
        for value in ask.texts(field) {
            let found = context.find(table, &[(column, Value::text(value))])?;
            if *table == "gauge_calibration_members" {
                serials.extend(found.iter().filter_map(|row| text(row, "serial")));
            }
            facts.rows.entry(table).or_default().extend(found);
        }
    }
    for id in ask.texts("id") {
        let typed = id.trim().to_ascii_uppercase();
        let found = context.find("gauge_set_ids", &[("set_id", Value::text(&typed))])?;
        load_set(context, facts, &typed)?;
        facts.issued.insert(typed, found);
    }
    for number in ask.texts("entry").iter().filter_map(|text| text.parse::<i64>().ok()) {
        taken_back(context, facts, number, serials)?;
    }
    for number in ask.texts("case").iter().filter_map(|text| text.parse::<i64>().ok()) {
        let found = context.find("gauge_tolerance_cases", &[("case_entry", Value::Integer(number))])?;
        serials.extend(found.iter().filter_map(|row| text(row, "serial")));
        facts.rows.entry("gauge_tolerance_cases").or_default().extend(found);
    }
    Ok(())
}

/// Everything that a line of history was about: its subjects with their later lines, and the rows that it changed or made.
fn taken_back(
    context: &mut PlanContext<'_>,
    facts: &mut Facts,
    number: i64,
    serials: &mut BTreeSet<String>,
) -> Result<(), EngineError> {
    const MADE: &[&str] =
        &["gauge_checkouts", "gauge_transfers", "gauge_unseal_requests", "gauge_calibration_members"];
    const CHANGED: &[&str] = &["gauge_calibration_batches", "gauge_certificates"];
    let Some(line) = context.find("gauge_history", &[("entry", Value::Integer(number))])?.into_iter().next()
    else {
        return Ok(());
    };
    let json = |column: &str| -> Json {
        line.get(column).as_text().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    for subject in json("subjects").as_array().into_iter().flatten().filter_map(Json::as_str) {
        let lines = context.find("gauge_history_subjects", &[("subject", Value::text(subject))])?;
        facts.rows.entry("gauge_history_subjects").or_default().extend(lines);
        if let Some(serial) = subject.strip_prefix("gauge:") {
            serials.insert(serial.to_owned());
        } else if let Some(set_id) = subject.strip_prefix("set:") {
            load_set(context, facts, set_id)?;
        }
    }
    for table in MADE {
        let rows = context.find(table, &[("entry", Value::Integer(number))])?;
        facts.rows.entry(table).or_default().extend(rows);
    }
    for change in json("detail").get("rows").and_then(Json::as_array).into_iter().flatten() {
        let named = change.get("table").and_then(Json::as_str).unwrap_or_default();
        let Some(table) = MADE.iter().chain(CHANGED).find(|table| **table == named) else { continue };
        let key: Vec<(&str, Value)> = change
            .get("key")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(column, value)| {
                let number = value.as_i64().map(Value::Integer);
                (column.as_str(), number.unwrap_or_else(|| Value::optional_text(value.as_str())))
            })
            .collect();
        let rows = context.find(table, &key)?;
        facts.rows.entry(table).or_default().extend(rows);
    }
    facts.rows.entry("gauge_history").or_default().push(line);
    Ok(())
}

/// A gauge with everything of it that is open.
fn gauge(context: &mut PlanContext<'_>, facts: &mut Facts, serial: &str) -> Result<(), EngineError> {
    if facts.gauges.contains_key(serial) {
        return Ok(());
    }
    let name = || [("serial", Value::text(serial))];
    let Some(row) = context.find("gauges", &name())?.into_iter().next() else { return Ok(()) };
    let specification = context.find("gauge_thread_specifications", &name())?.into_iter().next();
    let read = Gauge::read(&row, specification.as_ref())?;
    let category = context.find("gauge_categories", &[("category", Value::text(&read.category))])?;
    let known = facts.rows.entry("gauge_categories").or_default();
    known.extend(category.into_iter().filter(|row| !known.contains(row)).collect::<Vec<_>>());
    const OPEN: &[(&str, &str)] = &[
        ("gauge_checkouts", "returned_entry"),
        ("gauge_transfers", "ended_entry"),
        ("gauge_unseal_requests", "ended_entry"),
        ("gauge_certificates", "superseded_entry"),
    ];
    for (table, ended) in OPEN {
        let found = context.find(table, &[("serial", Value::text(serial)), (ended, Value::Null)])?;
        facts.rows.entry(table).or_default().extend(found);
    }
    let calibrations = context.find("gauge_calibrations", &name())?;
    facts.rows.entry("gauge_calibrations").or_default().extend(calibrations);
    for state in ["added", "sent"] {
        let open = [("serial", Value::text(serial)), ("state", Value::text(state))];
        let found = context.find("gauge_calibration_members", &open)?;
        let known = facts.rows.entry("gauge_calibration_members").or_default();
        known.extend(found.into_iter().filter(|row| !known.contains(row)).collect::<Vec<_>>());
    }
    facts.gauge_rows.insert(serial.to_owned(), row);
    facts.gauges.insert(serial.to_owned(), read);
    Ok(())
}

fn load_set(context: &mut PlanContext<'_>, facts: &mut Facts, set_id: &str) -> Result<(), EngineError> {
    if facts.sets.contains_key(set_id) {
        return Ok(());
    }
    let name = || ("set_id", Value::text(set_id));
    let Some(row) = context.find("gauge_sets", &[name()])?.into_iter().next() else { return Ok(()) };
    let likeness = serde_json::from_str(&needed(&row, "likeness")?)
        .map_err(|error| EngineError::integrity(format!("likeness of set {set_id}: {error}")))?;
    let mut members = BTreeMap::new();
    for member in context.find("gauge_set_members", &[name(), ("until_entry", Value::Null)])? {
        if let (Some(side), Some(serial)) = (Side::read(&needed(&member, "side")?), text(&member, "serial")) {
            gauge(context, facts, &serial)?;
            members.insert(side, member);
        }
    }
    let ended = text(&row, "ended");
    facts.sets.insert(set_id.to_owned(), Set { set_id: set_id.to_owned(), likeness, ended, row, members });
    Ok(())
}
