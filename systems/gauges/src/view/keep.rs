//! Views of places, people, and what waits for somebody.
//!
//! Owns the registers that operations keep, calibration batches, the queues of transfers, seals and check-outs, and the
//! counts for a first look.

use plimsoll_core::value::Value;
use plimsoll_engine::alias::{Answered, Asked, Field, FieldKind, StoreView};
use plimsoll_engine::{EngineError, Session};
use serde_json::{Value as Json, json};

use super::{LIMIT, OFFSET, object, objects, rows_of, today};
use crate::register;

/// Places.
pub static LOCATIONS: StoreView = StoreView {
    name: "locations",
    title: "Places with the number of gauges that are kept there",
    fields: &[Field::optional("building", FieldKind::Text, "Only places in this building"), LIMIT, OFFSET],
    answer: locations,
};

const PLACE: &str = "l.location, l.kind, l.title, l.zone, l.building, l.facility, l.active, l.allowed,
    (SELECT count(*) FROM gauges g WHERE g.location = l.location AND g.status NOT IN ('retired', 'returned', 'deleted'))
    AS gauges";

fn locations(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    rows_of(session, asked, (PLACE, "gauge_locations l", "l.location"), &[("building", "l.building = $$")])
}

/// One place.
pub static LOCATION: StoreView = StoreView {
    name: "location",
    title: "One place with what is kept there",
    fields: &[Field::needed("location", FieldKind::Text, "The place")],
    answer: location,
};

fn location(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let name = asked.text("location").unwrap_or_default();
    let key = [Value::text(&name)];
    let sql = format!("SELECT {PLACE} FROM gauge_locations l WHERE l.location = $1");
    let Some(mut found) = object(session, &sql, &key)? else {
        return Ok(Answered::Missing(format!("there is no place {name}")));
    };
    let sql = "SELECT serial, name, status, set_id FROM gauges WHERE location = $1
        AND status NOT IN ('retired', 'returned', 'deleted') ORDER BY serial LIMIT 1000";
    found["content"] = Json::from(objects(session, sql, &key)?);
    Ok(Answered::Json(found))
}

/// A register as it is kept.
pub static REGISTER: StoreView = StoreView {
    name: "register",
    title: "One of the registers: users, categories or rejection-reasons",
    fields: &[Field::needed("of", FieldKind::Text, "users, categories or rejection-reasons"), LIMIT, OFFSET],
    answer: register_of,
};

fn register_of(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let of = asked.text("of").unwrap_or_default();
    let (columns, table, key) = match of.as_str() {
        "users" => ("user_name, full_name, role, department, active", "gauge_users", "user_name"),
        "categories" => (
            "category, title, equipment_type, thread_type, gauge_type, next_number",
            "gauge_categories",
            "category",
        ),
        "rejection-reasons" => ("reason_code, title, active", "gauge_rejection_reasons", "reason_code"),
        _ => {
            return Err(EngineError::usage(format!(
                "there is no register `{of}`\nhint: there are users, categories and rejection-reasons"
            )));
        }
    };
    rows_of(session, asked, (columns, table, key), &[])
}

/// Calibration batches.
pub static BATCHES: StoreView = StoreView {
    name: "batches",
    title: "Calibration batches, the newest first, with how many of their gauges wait",
    fields: &[
        Field::optional("state", FieldKind::Text, "pending_send, sent, completed or cancelled"),
        Field::optional("batch", FieldKind::Text, "Only this batch"),
        LIMIT,
        OFFSET,
    ],
    answer: batches,
};

fn batches(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let columns = "b.batch, b.kind, b.vendor, b.tracking, b.state, b.created_entry,
        (SELECT count(*) FROM gauge_calibration_members m WHERE m.batch = b.batch AND m.state <> 'removed') AS gauges,
        (SELECT count(*) FROM gauge_calibration_members m WHERE m.batch = b.batch AND m.state IN ('added', 'sent')) AS waiting";
    let conditions = [("state", "b.state = $$"), ("batch", "b.batch = $$")];
    rows_of(
        session,
        asked,
        (columns, "gauge_calibration_batches b", "b.created_entry DESC, b.batch"),
        &conditions,
    )
}

/// What waits for somebody.
pub static WAITING: StoreView = StoreView {
    name: "waiting",
    title: "What is open: check-outs, transfers or unseal requests",
    fields: &[
        Field::needed("what", FieldKind::Text, "check-outs, transfers or unseal-requests"),
        Field::optional("who", FieldKind::Text, "Only what this user has, is to have, or asked for"),
        LIMIT,
        OFFSET,
    ],
    answer: waiting,
};

fn waiting(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let what = asked.text("what").unwrap_or_default();
    // A condition on a column that is never null stands for the fixed part of the filter.
    let (columns, from, order, who) = match what.as_str() {
        "check-outs" => (
            "serial, set_id, holder, department, work_job, part, work_order, out_at, expected_on",
            "(SELECT * FROM gauge_checkouts WHERE returned_entry IS NULL) o",
            "out_at, serial",
            "holder = $$",
        ),
        "transfers" => (
            "serial, from_user, to_user, entry",
            "(SELECT * FROM gauge_transfers WHERE ended_entry IS NULL) o",
            "entry, serial",
            "to_user = $$",
        ),
        "unseal-requests" => (
            "serial, asked_by, state, approved_by, entry",
            "(SELECT * FROM gauge_unseal_requests WHERE ended_entry IS NULL) o",
            "entry, serial",
            "asked_by = $$",
        ),
        _ => {
            return Err(EngineError::usage(format!(
                "nothing waits under `{what}`\nhint: there are check-outs, transfers and unseal-requests"
            )));
        }
    };
    rows_of(session, asked, (columns, from, order), &[("who", who)])
}

/// A first look.
pub static COUNTS: StoreView = StoreView {
    name: "counts",
    title: "Gauges by status, sets by state, and what asks for attention",
    fields: &[],
    answer: counts,
};

fn counts(session: &mut Session, _asked: &Asked) -> Result<Answered, EngineError> {
    let today = today(session);
    let gauges = objects(
        session,
        "SELECT status, count(*) AS count FROM gauges GROUP BY status ORDER BY status",
        &[],
    )?;
    let sets = objects(
        session,
        "SELECT state, count(*) AS count FROM (SELECT coalesce(s.ended, CASE WHEN (SELECT count(*) FROM gauge_set_members m
            WHERE m.set_id = s.set_id AND m.until_entry IS NULL) = 2 THEN 'complete' ELSE 'incomplete' END) AS state
            FROM gauge_sets s) x GROUP BY state ORDER BY state",
        &[],
    )?;
    let due = register::due_within(session, &today, 30)?;
    let overdue = due.iter().filter(|one| one.days.is_none_or(|days| days < 0)).count();
    let unchecked = session.store.query("SELECT count(*) FROM gauge_set_ids WHERE NOT reuse_checked", &[])?;
    let open =
        session.store.query("SELECT count(*) FROM gauge_tolerance_cases WHERE state <> 'closed'", &[])?;
    let number = |rows: &[Vec<Value>]| rows.first().and_then(|row| row[0].as_integer());
    Ok(Answered::Json(json!({
        "gauges": gauges, "sets": sets, "overdue": overdue, "due_in_30_days": due.len() - overdue,
        "ids_unchecked": number(&unchecked), "open_cases": number(&open),
    })))
}
