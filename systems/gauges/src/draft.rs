//! Drafts: what an operation decided, and how that becomes row changes with their line of history.
//!
//! Owns the translation. A rule says "this gauge now is so, leaves that set, and this is why"; the rows of memberships,
//! movements, the history and its chain follow from it in one place, so no operation can forget one of them.
//!
//! Invariants: one operation is one line of history; nothing is written without one; whatever a line says changed is what
//! the rows changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::{CurrentRow, PlanContext};
use serde_json::{Map, Value as Json, json};

use crate::facts::{Facts, Set};
use crate::history;
use crate::model::{Gauge, Side};

/// Values of a new row.
pub type Values = Vec<(&'static str, Value)>;

/// What an operation decided.
#[derive(Debug, Default)]
pub struct Draft {
    /// Gauges as they are from now on.
    pub gauges: BTreeMap<String, Gauge>,
    /// Members that leave: set, side.
    pub leaves: Vec<(String, Side)>,
    /// Members that join: set, side, serial.
    pub joins: Vec<(String, Side, String)>,
    /// New rows, parents before children; a column `entry` is filled in.
    pub inserts: Vec<(&'static str, Values)>,
    /// New rows that need a gauge of this draft.
    pub later: Vec<(&'static str, Values)>,
    /// Rows that change.
    pub updates: Vec<(CurrentRow, Values)>,
    /// New gauges: the row's fixed columns and the specification.
    pub registered: Vec<(Values, Option<Values>, Gauge)>,
    /// The set that the line is about.
    pub set_id: Option<String>,
    /// Further sets and gauges that it is about.
    pub about: BTreeSet<String>,
    /// Further facts for the line.
    pub detail: Map<String, Json>,
    /// What somebody should hear of.
    pub notices: Vec<String>,
    /// Ways of movement, when the place changes.
    pub movement: &'static str,
}

impl Draft {
    /// The gauge as it is from now on, to be changed.
    ///
    /// # Panics
    /// Never: a gauge that is not there yet is copied in.
    pub fn gauge(&mut self, gauge: &Gauge) -> &mut Gauge {
        self.gauges.entry(gauge.serial.clone()).or_insert_with(|| gauge.clone())
    }

    /// A fact for the line.
    pub fn note(&mut self, name: &str, value: impl Into<Json>) {
        self.detail.insert(name.to_owned(), value.into());
    }

    /// A member leaves its set.
    pub fn leave(&mut self, set: &Set, side: Side) {
        self.leaves.push((set.set_id.clone(), side));
    }
}

/// Proposes the rows of a draft.
///
/// # Errors
/// When a table or column is not there.
pub fn write(
    context: &mut PlanContext<'_>,
    facts: &Facts,
    operation: &str,
    reason: &str,
    mut draft: Draft,
) -> Result<(), EngineError> {
    let entry = facts.head.entry + 1;
    let number = Value::Integer(entry);
    for text in std::mem::take(&mut draft.notices) {
        context.notice(text);
    }
    let mut subjects: BTreeSet<String> = std::mem::take(&mut draft.about);
    subjects.extend(draft.set_id.iter().map(|set_id| format!("set:{set_id}")));
    let changed = gauge_changes(facts, &draft);
    subjects.extend(changed.keys().map(|serial| format!("gauge:{serial}")));
    subjects.extend(draft.registered.iter().map(|(_, _, gauge)| format!("gauge:{}", gauge.serial)));
    subjects.extend(draft.leaves.iter().map(|(set_id, _)| format!("set:{set_id}")));
    for (set_id, _, serial) in &draft.joins {
        subjects.extend([format!("set:{set_id}"), format!("gauge:{serial}")]);
    }
    let mut detail = std::mem::take(&mut draft.detail);
    if !changed.is_empty() {
        detail.insert("gauges".into(), json!(changed));
    }
    let left: Vec<Json> = draft
        .leaves
        .iter()
        .map(|(set_id, side)| {
            let serial = facts.sets.get(set_id).and_then(|set| set.member(*side));
            json!({ "set": set_id, "side": side, "serial": serial })
        })
        .collect();
    if !left.is_empty() {
        detail.insert("left".into(), Json::Array(left));
    }
    let joined: Vec<Json> = draft
        .joins
        .iter()
        .map(|(set_id, side, serial)| json!({ "set": set_id, "side": side, "serial": serial }))
        .collect();
    if !joined.is_empty() {
        detail.insert("joined".into(), Json::Array(joined));
    }
    let updated: Vec<Json> = draft.updates.iter().map(|(row, values)| row_change(row, values)).collect();
    if !updated.is_empty() {
        detail.insert("rows".into(), Json::Array(updated));
    }
    let line = history::Line::following(
        &facts.head,
        history::New {
            at: facts.now.clone(),
            actor: facts.actor_name.clone(),
            operation: operation.to_owned(),
            set_id: draft.set_id.clone(),
            reason: reason.to_owned(),
            subjects: subjects.iter().cloned().collect(),
            detail: Json::Object(detail),
        },
    );
    context.insert("gauge_history", &line.values())?;
    for subject in &subjects {
        let row = [("subject", Value::text(subject)), ("entry", number.clone())];
        context.insert("gauge_history_subjects", &row)?;
    }
    let head =
        [("entry", number.clone()), ("at", Value::text(&line.at)), ("digest", Value::text(&line.digest))];
    match &facts.head_row {
        Some(row) => drop(context.update(row, &head)?),
        None => {
            let mut values = vec![("name", Value::text("head"))];
            values.extend(head);
            context.insert("gauge_history_head", &values)?;
        }
    }
    // Memberships end before they begin, so that a place is vacant when it is taken.
    for (set_id, side) in &draft.leaves {
        let Some(row) = facts.sets.get(set_id).and_then(|set| set.members.get(side)) else { continue };
        let until = [("until_entry", number.clone()), ("until_at", Value::text(&line.at))];
        context.update(row, &until)?;
    }
    for (table, values) in draft.inserts {
        insert(context, table, values, &number)?;
    }
    for (row, values) in draft.updates {
        context.update(&row, &values)?;
    }
    // Table by table: neighbours of one table are written in one go.
    let (mut specifications, mut registered) = (Vec::new(), Vec::new());
    for (mut fixed, specification, gauge) in draft.registered {
        fixed.extend(gauge.mutable());
        fixed.extend([
            ("created_entry", number.clone()),
            ("created_at", Value::text(&line.at)),
            ("created_by", Value::text(&facts.actor_name)),
        ]);
        context.insert("gauges", &fixed)?;
        specifications.extend(specification);
        registered.push((gauge.serial.clone(), gauge.location.clone()));
    }
    for values in specifications {
        context.insert("gauge_thread_specifications", &values)?;
    }
    for (serial, location) in registered {
        movement(context, facts, &serial, None, location.as_deref(), "registered", &line)?;
    }
    for (serial, gauge) in &draft.gauges {
        let Some(row) = facts.gauge_rows.get(serial) else { continue };
        context.update(row, &gauge.mutable())?;
        let before = facts.gauges.get(serial).and_then(|gauge| gauge.location.as_deref());
        if before != gauge.location.as_deref() {
            movement(context, facts, serial, before, gauge.location.as_deref(), draft.movement, &line)?;
        }
    }
    for (set_id, side, serial) in &draft.joins {
        let row = [
            ("set_id", Value::text(set_id)),
            ("side", Value::text(side.as_str())),
            ("from_entry", number.clone()),
            ("from_at", Value::text(&line.at)),
            ("serial", Value::text(serial)),
        ];
        context.insert("gauge_set_members", &row)?;
    }
    for (table, values) in draft.later {
        insert(context, table, values, &number)?;
    }
    Ok(())
}

fn insert(
    context: &mut PlanContext<'_>,
    table: &'static str,
    mut values: Values,
    entry: &Value,
) -> Result<(), EngineError> {
    const WITHOUT: &[&str] = &[
        "gauge_users",
        "gauge_categories",
        "gauge_locations",
        "gauge_rejection_reasons",
        "gauge_sets",
        "gauge_calibration_batches",
        "gauge_tolerance_cases",
    ];
    if !WITHOUT.contains(&table) {
        values.push(("entry", entry.clone()));
    }
    context.insert(table, &values).map(drop)
}

fn movement(
    context: &mut PlanContext<'_>,
    facts: &Facts,
    serial: &str,
    from: Option<&str>,
    to: Option<&str>,
    kind: &str,
    line: &history::Line,
) -> Result<(), EngineError> {
    let row = [
        ("serial", Value::text(serial)),
        ("entry", Value::Integer(line.entry)),
        ("at", Value::text(&line.at)),
        ("actor", Value::text(&facts.actor_name)),
        ("kind", Value::text(kind)),
        ("from_location", Value::optional_text(from)),
        ("to_location", Value::optional_text(to)),
    ];
    context.insert("gauge_movements", &row).map(drop)
}

/// By gauge and column, what it was and what it is.
fn gauge_changes(facts: &Facts, draft: &Draft) -> BTreeMap<String, BTreeMap<&'static str, [Json; 2]>> {
    let mut all = BTreeMap::new();
    let none = Json::Null;
    for (serial, after) in &draft.gauges {
        let Some(before) = facts.gauges.get(serial) else { continue };
        let pairs = before.mutable().into_iter().zip(after.mutable());
        let changed: BTreeMap<_, _> = pairs
            .filter(|((_, before), (_, after))| before != after)
            .map(|((column, before), (_, after))| (column, [plain(&before), plain(&after)]))
            .collect();
        if !changed.is_empty() {
            all.insert(serial.clone(), changed);
        }
    }
    for (_, _, gauge) in &draft.registered {
        let changed = gauge
            .mutable()
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(column, value)| (column, [none.clone(), plain(&value)]))
            .collect();
        all.insert(gauge.serial.clone(), changed);
    }
    all
}

fn row_change(row: &CurrentRow, values: &Values) -> Json {
    let key: Map<String, Json> =
        row.table.key_columns().map(|column| (column.to_owned(), plain(row.get(column)))).collect();
    let changed: Map<String, Json> = values
        .iter()
        .filter(|(column, value)| plain(row.get(column)) != plain(value))
        .map(|(column, value)| ((*column).to_owned(), json!([plain(row.get(column)), plain(value)])))
        .collect();
    json!({ "table": Arc::clone(&row.table).name, "key": key, "columns": changed })
}

/// A value as plain JSON; a truth value is one in both databases.
pub fn plain(value: &Value) -> Json {
    match value {
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Integer(number) => json!(number),
        other => other.as_text().map_or(Json::Null, Json::from),
    }
}
