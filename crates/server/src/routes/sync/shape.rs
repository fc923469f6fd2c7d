//! Records, edits and conflicts as JSON for people's programs.
//!
//! Owns the plain form of values: a text, a number, true, false or null. Inside the stores values keep their types; a
//! program that writes a field sends the same plain form.

use plimsoll_core::sync::conflict::{ConflictKind, Pick};
use plimsoll_core::sync::record::{Fields, Intent, Operation, RowState};
use plimsoll_core::value::Value;
use plimsoll_engine::sync::Link;
use plimsoll_engine::sync::conflicts::ConflictLine;
use plimsoll_engine::sync::edit::EditLine;
use plimsoll_engine::sync::history::Step;
use plimsoll_engine::sync::read::{Filter, MergedRow, RowPage, Sides};
use plimsoll_engine::sync::status::Waiting;
use serde_json::{Map, Value as Json, json};

/// A value.
pub(super) fn value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(truth) => json!(truth),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        other => match other.as_text() {
            Some(text) => json!(text),
            // Bytes, in the form that the stores' own documents have.
            None => serde_json::to_value(other).unwrap_or_default(),
        },
    }
}

fn optional(side: Option<&Value>) -> Json {
    side.map_or(Json::Null, value)
}

/// Fields by name.
pub(super) fn fields(fields: &Fields) -> Json {
    Json::Object(fields.iter().map(|(name, held)| (name.clone(), value(held))).collect())
}

/// Fields, or null where there is no row.
pub(super) fn row_or_null(row: Option<&Fields>) -> Json {
    row.map_or(Json::Null, fields)
}

/// A row of the list.
pub(super) fn row(link: &dyn Link, row: &MergedRow) -> Json {
    let names = link.mirror().fields.iter().zip(&row.fields);
    let fields: Map<String, Json> = names.map(|(name, held)| ((*name).to_owned(), value(held))).collect();
    json!({ "key": row.key, "scope": row.scope, "state": row.badge, "fields": fields })
}

/// A page of the list, with where the next one begins.
pub(super) fn page(link: &dyn Link, filter: &Filter, page: &RowPage) -> Result<Json, serde_json::Error> {
    let next = page.next.as_ref().map(|(value, key)| match &filter.sort.field {
        None => Ok(key.clone()),
        Some(_) => serde_json::to_string(&(value, key)),
    });
    let rows: Vec<Json> = page.rows.iter().map(|one| row(link, one)).collect();
    Ok(json!({ "items": rows, "total": page.total, "limit": filter.limit, "next": next.transpose()? }))
}

/// An operation of the overlay, or a dead letter.
pub(super) fn operation(operation: &Operation) -> Json {
    let fields = match &operation.intent {
        Intent::Write(_) => fields(&operation.intent.values()),
        Intent::Delete { .. } => Json::Null,
    };
    json!({
        "operation": operation.id.to_string(),
        "deletes": matches!(operation.intent, Intent::Delete { .. }),
        "fields": fields,
        "state": operation.state.as_str(),
        "attempts": operation.attempts,
        "reason": operation.reason,
        "edits": operation.edits.iter().map(|edit| json!({ "edit": edit.id, "author": edit.author })).collect::<Vec<_>>(),
    })
}

/// An operation that waits for a person or for its outcome.
pub(super) fn waiting(waiting: &Waiting) -> Json {
    let mut shaped = operation(&waiting.operation);
    shaped["key"] = json!(waiting.key);
    shaped
}

/// A record with all its sides.
pub(super) fn sides(link: &dyn Link, sides: &Sides, version: u64) -> Json {
    let record = &sides.record;
    let theirs = record.mirror.fields();
    let differs: Vec<&str> = link
        .mirror()
        .fields
        .iter()
        .copied()
        .filter(|name| {
            let (mine, theirs) =
                (sides.mine.as_ref().and_then(|row| row.get(*name)), theirs.and_then(|row| row.get(*name)));
            mine != theirs
        })
        .collect();
    let number = |state: &RowState| state.version().map(|version| version.0);
    let operations = |list: &[Operation]| list.iter().map(operation).collect::<Vec<_>>();
    json!({
        "key": sides.key,
        "scope": sides.scope,
        "state": sides.badge,
        "version": version,
        "mine": row_or_null(sides.mine.as_ref()),
        "base": row_or_null(record.base.fields()),
        "theirs": row_or_null(theirs),
        "differs": differs,
        "base_version": number(&record.base),
        "theirs_version": number(&record.mirror),
        "sending": record.overlay.sending.as_ref().map(operation),
        "pending": record.overlay.pending.as_ref().map(operation),
        "drafts": operations(&record.overlay.drafts),
        "dead_letters": operations(&record.dead_letters),
        "conflict": record.conflict.as_ref().map(question),
        "due_ms": sides.due_ms,
        "failures": sides.failures,
    })
}

/// An edit.
pub(super) fn edit(line: &EditLine) -> Json {
    json!({
        "edit": line.edit,
        "key": line.key,
        "author": line.author,
        "state": line.state,
        "deletes": line.fields.is_none(),
        "fields": row_or_null(line.fields.as_ref()),
        "reason": line.reason,
        "created_at": line.created_at,
        "changed_at": line.changed_at,
        "request": line.request,
    })
}

/// What is asked of a person.
fn question(conflict: &plimsoll_core::sync::conflict::Conflict) -> Json {
    let (kind, rule) = match &conflict.kind {
        ConflictKind::Edits => ("edits", None),
        ConflictKind::DeletedThere => ("deleted_there", None),
        ConflictKind::DeletedHere => ("deleted_here", None),
        ConflictKind::Doubtful => ("doubtful", None),
        ConflictKind::BrokenRule(rule) => ("broken_rule", Some(rule)),
    };
    let fields: Map<String, Json> = conflict
        .fields
        .iter()
        .map(|(name, asked)| {
            let sides = json!({
                "base": value(&asked.base),
                "mine": optional(asked.mine.as_ref()),
                "theirs": optional(asked.theirs.as_ref()),
            });
            (name.clone(), sides)
        })
        .collect();
    json!({ "revision": conflict.revision, "kind": kind, "rule": rule, "fields": fields })
}

fn pick(pick: &Pick) -> Json {
    match pick {
        Pick::Mine => json!("mine"),
        Pick::Theirs => json!("theirs"),
        Pick::Value(held) => json!({ "value": value(held) }),
    }
}

/// A conflict with its answer.
pub(super) fn conflict(line: &ConflictLine) -> Json {
    let mut shaped = question(&line.question);
    shaped["key"] = json!(line.key);
    shaped["scope"] = json!(line.scope);
    shaped["revision"] = json!(line.revision);
    shaped["opened_at"] = json!(line.opened_at);
    shaped["closed_at"] = json!(line.closed_at);
    shaped["closed_by"] = json!(line.closed_by);
    shaped["answer"] = line.answer.as_ref().map_or(Json::Null, |answer| {
        let fields: Map<String, Json> =
            answer.fields.iter().map(|(name, one)| (name.clone(), pick(one))).collect();
        json!({ "take": pick(&answer.otherwise), "fields": fields })
    });
    shaped
}

/// One step of a history.
pub(super) fn step(step: &Step) -> Json {
    let fields: Map<String, Json> = step
        .difference
        .fields
        .iter()
        .map(|(name, difference)| {
            let sides = json!({
                "before": optional(difference.before.as_ref()),
                "after": optional(difference.after.as_ref()),
            });
            (name.clone(), sides)
        })
        .collect();
    json!({
        "version": step.version,
        "at": step.at,
        "actor": step.actor,
        "because": step.because,
        "was_there": step.difference.was_there,
        "is_there": step.difference.is_there,
        "fields": fields,
    })
}
