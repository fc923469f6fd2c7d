//! Views of gauges.
//!
//! Owns the list of gauges, one gauge with everything of it that is open, its history and certificates, the chain of
//! standards behind it, what is due, and which intervals should be reviewed.

use plimsoll_core::value::Value;
use plimsoll_engine::alias::{Answered, Asked, Field, FieldKind, StoreView};
use plimsoll_engine::{EngineError, Session};
use serde_json::{Value as Json, json};

use super::{LIMIT, OFFSET, is_there, list, object, objects, page, rows_of, today, told};
use crate::register;
use crate::rules::due;

const SERIAL: Field = Field::needed("serial", FieldKind::Text, "The serial of a gauge");

const COLUMNS: &str =
    "g.serial, g.name, g.category, g.equipment_type, g.status, g.set_id, g.sealed, g.location, g.ownership,
    g.customer, g.employee, g.manufacturer, g.model, g.interval_days, g.certified_on, g.unsealed_on, g.due_on,
    t.thread_size, t.thread_type, t.thread_form, t.thread_class, t.gauge_type, t.hand, t.acme_starts, t.side";
const FROM: &str = "gauges g LEFT JOIN gauge_thread_specifications t ON t.serial = g.serial";

/// The list.
pub static GAUGES: StoreView = StoreView {
    name: "gauges",
    title: "Gauges in the order of their serials",
    fields: &[
        Field::optional("status", FieldKind::Text, "Only gauges in this status, such as pending_qc"),
        Field::optional("category", FieldKind::Text, "Only gauges of this category"),
        Field::optional("location", FieldKind::Text, "Only gauges at this place"),
        Field::optional("set", FieldKind::Text, "Only members of this set, and who was retired with it"),
        Field::optional("thread_size", FieldKind::Text, "Only this size"),
        Field::optional("side", FieldKind::Text, "Only go or nogo"),
        Field::optional("equipment_type", FieldKind::Text, "Only this kind of equipment"),
        Field::optional("spare", FieldKind::Text, "yes for thread gauges in no set"),
        LIMIT,
        OFFSET,
    ],
    answer: gauges,
};

fn gauges(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let conditions = [
        ("status", "g.status = $$"),
        ("category", "g.category = $$"),
        ("location", "g.location = $$"),
        ("set", "g.set_id = $$"),
        ("thread_size", "t.thread_size = $$"),
        ("side", "t.side = $$"),
        ("equipment_type", "g.equipment_type = $$"),
        (
            "spare",
            "(($$ = 'yes') = (g.set_id IS NULL AND g.equipment_type = 'thread_gauge'
                AND g.status NOT IN ('retired', 'returned', 'deleted', 'lost')))",
        ),
    ];
    rows_of(session, asked, (COLUMNS, FROM, "g.serial"), &conditions)
}

fn with_gauge(
    session: &mut Session,
    asked: &Asked,
    answer: impl FnOnce(&mut Session, &str) -> Result<Answered, EngineError>,
) -> Result<Answered, EngineError> {
    let serial = asked.text("serial").unwrap_or_default();
    if !is_there(session, "gauges", "serial", &serial)? {
        return Ok(Answered::Missing(format!("there is no gauge {serial}")));
    }
    answer(session, &serial)
}

/// One gauge.
pub static GAUGE: StoreView = StoreView {
    name: "gauge",
    title: "One gauge with its open check-out, its batch, its certificate, its cases and its last movements",
    fields: &[SERIAL],
    answer: gauge,
};

fn gauge(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    with_gauge(session, asked, |session, serial| {
        let name = [Value::text(serial)];
        let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE g.serial = $1");
        let mut found = object(session, &sql, &name)?.unwrap_or_default();
        let more = [
            (
                "checkout",
                "SELECT holder, department, work_job, part, work_order, out_at, expected_on FROM gauge_checkouts
                 WHERE serial = $1 AND returned_entry IS NULL",
            ),
            (
                "batch",
                "SELECT b.batch, b.kind, b.vendor, b.state FROM gauge_calibration_members m
                 JOIN gauge_calibration_batches b ON b.batch = m.batch WHERE m.serial = $1 AND m.state IN ('added', 'sent')",
            ),
            (
                "certificate",
                "SELECT certificate, laboratory, issued_on, verified_by FROM gauge_certificates
                 WHERE serial = $1 AND superseded_entry IS NULL ORDER BY entry DESC LIMIT 1",
            ),
        ];
        for (member, sql) in more {
            found[member] = object(session, sql, &name)?.unwrap_or(Json::Null);
        }
        let lists = [
            (
                "cases",
                "SELECT case_entry, state, window_from, window_until FROM gauge_tolerance_cases WHERE serial = $1
                 ORDER BY case_entry DESC",
            ),
            (
                "movements",
                "SELECT at, actor, kind, from_location, to_location FROM gauge_movements WHERE serial = $1
                 ORDER BY entry DESC LIMIT 50",
            ),
        ];
        for (member, sql) in lists {
            found[member] = Json::from(objects(session, sql, &name)?);
        }
        Ok(Answered::Json(found))
    })
}

/// Everything that happened to a gauge.
pub static HISTORY: StoreView = StoreView {
    name: "gauge-history",
    title: "Every line of history about a gauge, oldest first",
    fields: &[SERIAL, LIMIT, OFFSET],
    answer: history,
};

fn history(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    with_gauge(session, asked, |session, serial| {
        let lines = crate::audit::lines_about(session, &format!("gauge:{serial}"))?;
        Ok(page(asked, lines.iter().map(told).collect()))
    })
}

/// Certificates and calibrations of a gauge.
pub static CERTIFICATES: StoreView = StoreView {
    name: "certificates",
    title: "Certificates of a gauge, the current one first, and its calibrations as found and as left",
    fields: &[SERIAL],
    answer: certificates,
};

fn certificates(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    with_gauge(session, asked, |session, serial| {
        let name = [Value::text(serial)];
        let certificates = objects(
            session,
            "SELECT certificate, laboratory, issued_on, file_name, file_digest, verified_by, verified_entry, superseded_by,
                superseded_entry, entry FROM gauge_certificates WHERE serial = $1 ORDER BY entry DESC, certificate",
            &name,
        )?;
        let calibrations = objects(
            session,
            "SELECT calibrated_on, laboratory, technician, result, as_found, as_found_in_tolerance, as_left, standards,
                batch, entry FROM gauge_calibrations WHERE serial = $1 ORDER BY entry DESC",
            &name,
        )?;
        Ok(Answered::Json(json!({ "certificates": certificates, "calibrations": calibrations })))
    })
}

/// The standards behind a gauge.
pub static STANDARDS: StoreView = StoreView {
    name: "standards",
    title: "The chain of standards behind a gauge's last calibration, each with its certificate at that time",
    fields: &[SERIAL],
    answer: standards,
};

fn standards(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    with_gauge(session, asked, |session, serial| {
        let chain = register::chain(session, serial)?;
        Ok(Answered::Json(json!({ "serial": serial, "chain": list(&chain)? })))
    })
}

/// Which intervals should be reviewed.
pub static INTERVAL_REVIEW: StoreView = StoreView {
    name: "interval-review",
    title: "Gauges whose findings speak for another calibration interval, and which",
    fields: &[LIMIT, OFFSET],
    answer: interval_review,
};

fn interval_review(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let sql = "SELECT c.serial, g.interval_days, c.as_found_in_tolerance FROM gauge_calibrations c
        JOIN gauges g ON g.serial = c.serial WHERE g.status NOT IN ('retired', 'returned', 'deleted')
        ORDER BY c.serial, c.entry";
    let mut by_gauge: Vec<(String, i64, Vec<bool>)> = Vec::new();
    for row in session.store.query(sql, &[])? {
        let serial = row[0].as_text().unwrap_or_default();
        let good = matches!(row[2], Value::Boolean(true) | Value::Integer(1));
        match by_gauge.last_mut().filter(|last| last.0 == serial) {
            Some(last) => last.2.push(good),
            None => by_gauge.push((serial.to_owned(), row[1].as_integer().unwrap_or(0), vec![good])),
        }
    }
    let items = by_gauge.iter().filter_map(|(serial, days, found)| {
        let proposed = due::review(*days, found)?;
        Some(json!({ "serial": serial, "interval_days": days, "proposed_days": proposed, "calibrations": found.len(),
            "as_found_in_tolerance": found.iter().filter(|good| **good).count() }))
    });
    let items: Vec<Json> = items.collect();
    Ok(page(asked, items))
}

/// What is due.
pub static DUE: StoreView = StoreView {
    name: "due",
    title: "Gauges that are overdue or fall due within some days, the most urgent first",
    fields: &[Field::optional("within", FieldKind::Number, "Days; 30 unless said otherwise"), LIMIT, OFFSET],
    answer: due_within,
};

fn due_within(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let (today, within) = (today(session), asked.number("within").unwrap_or(due::ALERT_DAYS[0]));
    Ok(page(asked, list(&register::due_within(session, &today, within)?)?))
}

/// What is overdue.
pub static OVERDUE: StoreView = StoreView {
    name: "overdue",
    title: "Overdue gauges, those in somebody's hands first",
    fields: &[LIMIT, OFFSET],
    answer: overdue,
};

fn overdue(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let today = today(session);
    Ok(page(asked, list(&register::overdue(session, &today)?)?))
}

/// Whom to tell today.
pub static ALERTS: StoreView = StoreView {
    name: "due-alerts",
    title: "Gauges that fall due in exactly 30, 14, 7 or 0 days",
    fields: &[LIMIT, OFFSET],
    answer: alerts,
};

fn alerts(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let today = today(session);
    Ok(page(asked, list(&register::alerts(session, &today)?)?))
}
