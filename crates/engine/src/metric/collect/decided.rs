//! Samples of what is decided: flags and gates, and checks of systems with a journal.
//!
//! Each table is read only where the store has it, because a store may be older than its component.

use plimsoll_core::value::Value;
use serde_json::Value as Json;

use super::{double, seconds};
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::metric::{
    CHECK_LAST, CHECK_RESULTS, CHECK_SECONDS, CHECK_STATUS, CHECK_VALUE, FACT, FLAG_CHANGES, FLAG_PERCENT,
    FLAG_STATE, GATE_LAST, GATE_VERDICT, GATE_VERDICTS, Sample,
};
use crate::session::Session;

/// Whether the store has a table with these columns.
fn has(session: &mut Session, table: &str, columns: &[&str]) -> Result<bool, EngineError> {
    let shape = session.store.shape(table)?;
    Ok(shape.is_some_and(|shape| columns.iter().all(|column| shape.position(column).is_some())))
}

/// Flags: their state, percentage and number of changes.
pub(super) fn flags(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    if !has(session, "plimsoll_flag", &["name", "version", "archived", "definition"])? {
        return Ok(());
    }
    let sql = "SELECT name, version, definition FROM plimsoll_flag WHERE archived = 0 ORDER BY name";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        let name = cells.text(0)?;
        let definition: Json = serde_json::from_str(&cells.text(2)?)?;
        let state = definition["state"].as_str().unwrap_or("off");
        samples.push(FLAG_STATE.sample(&[&name, state], 1.0));
        samples.push(FLAG_CHANGES.count(&[&name], cells.count(1)?));
        let percent = &definition["rollout"]["percent"];
        let percent =
            percent.as_f64().or_else(|| percent.as_str()?.trim_end_matches('%').trim().parse().ok());
        samples.extend(percent.map(|percent| FLAG_PERCENT.sample(&[&name], percent)));
    }
    Ok(())
}

/// Gates: the last verdict of each, and how many there were.
pub(super) fn gates(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    if !has(session, "plimsoll_gate_verdict", &["number", "gate", "at", "verdict"])? {
        return Ok(());
    }
    let sql = "SELECT v.gate, v.verdict, v.at FROM plimsoll_gate_verdict v
               WHERE v.number = (SELECT max(o.number) FROM plimsoll_gate_verdict o WHERE o.gate = v.gate)
               ORDER BY v.gate";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        let gate = cells.text(0)?;
        samples.push(GATE_VERDICT.sample(&[&gate, &cells.text(1)?], 1.0));
        samples.push(GATE_LAST.sample(&[&gate], seconds(&cells.text(2)?)?));
    }
    let sql = "SELECT gate, verdict, count(*) FROM plimsoll_gate_verdict GROUP BY gate, verdict ORDER BY gate, verdict";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        samples.push(GATE_VERDICTS.count(&[&cells.text(0)?, &cells.text(1)?], cells.count(2)?));
    }
    Ok(())
}

/// Facts on record: what the latest of each name states in numbers and truth values, while they hold.
pub(super) fn facts(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    if !has(session, "plimsoll_gate_evidence", &["number", "kind", "name", "expires_at", "body"])? {
        return Ok(());
    }
    let sql = "SELECT e.name, e.body FROM plimsoll_gate_evidence e
               WHERE e.kind = 'facts' AND (e.expires_at IS NULL OR e.expires_at > $1)
                   AND e.number = (SELECT max(o.number) FROM plimsoll_gate_evidence o
                       WHERE o.kind = 'facts' AND o.name = e.name)
               ORDER BY e.name";
    let now = Value::text(session.clock.now());
    for row in session.store.query(sql, &[now])? {
        let cells = Cells(row);
        let name = cells.text(0)?;
        let body: Json = serde_json::from_str(&cells.text(1)?)?;
        for (member, stated) in body.as_object().into_iter().flatten() {
            let value = stated.as_f64().or_else(|| stated.as_bool().map(|is| if is { 1.0 } else { 0.0 }));
            samples.extend(value.map(|value| FACT.sample(&[&name, member], value)));
        }
    }
    Ok(())
}

/// Checks of a system with a journal: the last result of each, and how many there were.
pub(super) fn checks(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let columns =
        ["run", "system", "check_name", "checked_at", "severity", "verdict", "value", "duration_ms"];
    if !has(session, "plimsoll_check_result", &columns)? {
        return Ok(());
    }
    let sql = "SELECT c.system, c.check_name, c.severity, c.verdict, c.checked_at, c.duration_ms, c.value
               FROM plimsoll_check_result c
               WHERE c.checked_at = (SELECT max(o.checked_at) FROM plimsoll_check_result o
                   WHERE o.system = c.system AND o.check_name = c.check_name)
               ORDER BY c.system, c.check_name, c.run";
    let mut before = None;
    for row in session.store.query(sql, &[])? {
        let value = match row.get(6) {
            Some(Value::Float(value)) => Some(*value),
            _ => None,
        };
        let cells = Cells(row);
        let (system, check) = (cells.text(0)?, cells.text(1)?);
        // Two runs may have begun in one millisecond.
        if before.replace((system.clone(), check.clone())) == Some((system.clone(), check.clone())) {
            continue;
        }
        let labels = [system.as_str(), check.as_str()];
        samples.push(CHECK_STATUS.sample(&[&system, &check, &cells.text(2)?, &cells.text(3)?], 1.0));
        samples.extend(value.map(|value| CHECK_VALUE.sample(&labels, value)));
        samples.push(CHECK_LAST.sample(&labels, seconds(&cells.text(4)?)?));
        samples.push(CHECK_SECONDS.sample(&labels, double(cells.integer(5)?) / 1_000.0));
    }
    let sql = "SELECT system, severity, verdict, count(*) FROM plimsoll_check_result
               GROUP BY system, severity, verdict ORDER BY system, severity, verdict";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        let labels = [cells.text(0)?, cells.text(1)?, cells.text(2)?];
        samples.push(CHECK_RESULTS.count(&[&labels[0], &labels[1], &labels[2]], cells.count(3)?));
    }
    Ok(())
}
