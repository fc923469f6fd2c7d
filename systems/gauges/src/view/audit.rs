//! Views for auditors.
//!
//! Owns the verdict on the chain, exports, IDs that were given out unchecked, and out-of-tolerance cases with what they
//! may have touched.

use plimsoll_engine::alias::{Answered, Asked, Field, FieldKind, StoreView};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

use super::{LIMIT, OFFSET, list, rows_of};
use crate::{audit, register};

/// Whether the history can be trusted.
pub static VERIFY: StoreView = StoreView {
    name: "verify-history",
    title: "Reads the whole history and names every line or row that was changed, removed, inserted or reordered",
    fields: &[],
    answer: verify,
};

fn verify(session: &mut Session, _asked: &Asked) -> Result<Answered, EngineError> {
    let audit = audit::verify(session)?;
    Ok(Answered::Json(json!({
        "ok": audit.ok(), "lines": audit.lines, "gauges": audit.gauges, "sets": audit.sets, "problems": audit.problems,
    })))
}

/// The history as a file.
pub static EXPORT: StoreView = StoreView {
    name: "export-history",
    title: "The history of a window of time, or of one set or gauge, as CSV or as a page to print, digests included",
    fields: &[
        Field::optional("from", FieldKind::Moment, "From this moment, or from the beginning of this day"),
        Field::optional("until", FieldKind::Moment, "To this moment, or to the end of this day"),
        Field::optional("set", FieldKind::Text, "Only the lines about this set"),
        Field::optional("serial", FieldKind::Text, "Only the lines about this gauge"),
        Field::optional("format", FieldKind::Text, "csv or html; csv unless said otherwise"),
    ],
    answer: export,
};

fn export(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let html = match asked.text("format").as_deref() {
        None | Some("csv") => false,
        Some("html") => true,
        Some(other) => {
            return Err(EngineError::usage(format!("`format` is `{other}`; it is csv or html")));
        }
    };
    let from = match asked.text("from") {
        None => String::new(),
        Some(day) if plimsoll_core::value::is_date(&day) => format!("{day}T00:00:00.000Z"),
        Some(moment) => audit::moment_of(&moment)?,
    };
    let until =
        asked.text("until").map_or_else(|| Ok("9999".to_owned()), |until| audit::moment_of(&until))?;
    let subject = match (asked.text("set"), asked.text("serial")) {
        (Some(_), Some(_)) => {
            return Err(EngineError::usage("name a `set` or a `serial`, not both"));
        }
        (Some(set), None) => Some(format!("set:{set}")),
        (None, Some(serial)) => Some(format!("gauge:{serial}")),
        (None, None) => None,
    };
    let lines = match &subject {
        Some(subject) => {
            let mut lines = audit::lines_about(session, subject)?;
            lines.retain(|line| line.at >= from && line.at <= until);
            lines
        }
        None => audit::lines_between(session, &from, &until)?,
    };
    let about = subject.as_deref().map_or_else(|| "all".to_owned(), |subject| subject.replace(':', "-"));
    if !html {
        let (kind, name) = ("text/csv; charset=utf-8", format!("history-{about}.csv"));
        return Ok(Answered::File { kind, name, body: audit::to_csv(&lines) });
    }
    let title = subject.as_deref().map_or_else(
        || "History of gauge sets".to_owned(),
        |subject| format!("History of {}", subject.replace(':', " ")),
    );
    let verdict = audit::verify(session)?;
    let (kind, name) = ("text/html; charset=utf-8", format!("history-{about}.html"));
    Ok(Answered::File { kind, name, body: audit::to_html(&title, &lines, &verdict) })
}

/// IDs that nobody looked up.
pub static UNCHECKED: StoreView = StoreView {
    name: "unchecked-ids",
    title: "Set IDs that were given out while set_id_reuse_check was off, the newest first",
    fields: &[LIMIT, OFFSET],
    answer: unchecked,
};

fn unchecked(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let from = "(SELECT * FROM gauge_set_ids WHERE NOT reuse_checked) i";
    let columns = "set_id, issue, origin, issued_at, issued_by, entry";
    rows_of(session, asked, (columns, from, "issued_at DESC, set_id"), &[])
}

/// Out-of-tolerance cases.
pub static CASES: StoreView = StoreView {
    name: "cases",
    title: "Gauges that were found out of tolerance: the window, what was decided, who was told",
    fields: &[
        Field::optional("state", FieldKind::Text, "open, disposed, notified or closed"),
        Field::optional("serial", FieldKind::Text, "Only this gauge"),
        LIMIT,
        OFFSET,
    ],
    answer: cases,
};

fn cases(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let columns = "case_entry, serial, window_from, window_until, state, disposition, notified, closed_entry";
    let conditions = [("state", "state = $$"), ("serial", "serial = $$")];
    rows_of(session, asked, (columns, "gauge_tolerance_cases", "case_entry DESC"), &conditions)
}

/// What a gauge may have touched.
pub static TOUCHED: StoreView = StoreView {
    name: "touched",
    title: "Reverse traceability of a case: users, departments, jobs, parts and work orders of its window",
    fields: &[Field::needed("case", FieldKind::Number, "The case: the number of the line that opened it")],
    answer: touched,
};

fn touched(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let case = asked.number("case").unwrap_or_default();
    let sql = "SELECT 1 FROM gauge_tolerance_cases WHERE case_entry = $1";
    if session.store.query(sql, &[plimsoll_core::value::Value::Integer(case)])?.is_empty() {
        return Ok(Answered::Missing(format!("there is no case {case}")));
    }
    Ok(Answered::Json(json!({ "case": case, "touched": list(&register::touched(session, case)?)? })))
}
