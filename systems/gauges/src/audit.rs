//! The audit: is the history whole, does it tell what the rows say, and who was where when.
//!
//! Owns checks that read everything and repair nothing (the earlier system "corrected" states in passing, D11), the as-of
//! question, and the export for auditors. It writes no row.
//!
//! Invariants: any changed, removed, inserted or reordered line is named by its number; a row that says something else than
//! the history does is named with both.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::value::Value;
use plimsoll_engine::{EngineError, Session};
use serde::Serialize;
use serde_json::Value as Json;

use crate::history::{COLUMNS, Line};
use crate::model::Side;

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Lines read.
    pub lines: u64,
    /// Gauges compared with what the history says of them.
    pub gauges: u64,
    /// Sets compared.
    pub sets: u64,
    /// What is wrong, each naming the line or the row.
    pub problems: Vec<String>,
}

impl Audit {
    /// True when nothing is wrong.
    pub fn ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Reads the whole history and compares it with itself and with the rows.
///
/// # Errors
/// When the store cannot be read.
pub fn verify(session: &mut Session) -> Result<Audit, EngineError> {
    let mut audit = Audit::default();
    let mut told = Told::default();
    let mut subjects: BTreeSet<(String, i64)> = BTreeSet::new();
    let (mut entry, mut digest, mut at) = (0, String::new(), String::new());
    let mut out_of_place = false;
    let sql = format!("SELECT {COLUMNS} FROM gauge_history ORDER BY entry");
    session.store.query_each(&sql, &[], &mut |row| {
        let line = Line::read(&row);
        audit.lines += 1;
        let number = line.entry;
        let mut wrong = |text: String| audit.problems.push(format!("line {number}: {text}"));
        if number > entry + 1 {
            let gone = if number == entry + 2 {
                format!("line {} is", entry + 1)
            } else {
                format!("lines {} to {} are", entry + 1, number - 1)
            };
            wrong(format!("{gone} missing before it"));
        }
        if line.digest != line.computed() {
            wrong("it was changed: its digest is not that of its content".into());
        }
        if line.previous != digest && number == entry + 1 {
            wrong(
                "it does not follow the line before: one of them was changed, inserted or reordered".into(),
            );
            out_of_place = true;
        }
        if line.at < at {
            wrong(format!("it is of {}, before the line before it ({at})", line.at));
        }
        let about: Vec<String> = serde_json::from_str(&line.subjects).unwrap_or_default();
        subjects.extend(about.into_iter().map(|subject| (subject, number)));
        told.take(&line);
        (entry, digest, at) = (number, line.digest, line.at);
        Ok(())
    })?;
    head(session, &mut audit, entry, &digest)?;
    compare_subjects(session, &mut audit, &subjects)?;
    told.compare(session, &mut audit)?;
    referenced(session, &mut audit, entry)?;
    Ok(audit)
}

fn head(session: &mut Session, audit: &mut Audit, entry: i64, digest: &str) -> Result<(), EngineError> {
    let rows = session.store.query("SELECT entry, digest FROM gauge_history_head", &[])?;
    let found = rows
        .first()
        .map(|row| (row[0].as_integer().unwrap_or(0), row[1].as_text().unwrap_or_default().to_owned()));
    match found {
        None if entry == 0 => {}
        Some((number, head)) if number == entry && head == digest => {}
        Some((number, _)) if number > entry => {
            audit
                .problems
                .push(format!("line {number}: the history ends at {entry}; the lines after it are missing"));
        }
        other => audit.problems.push(format!(
            "line {entry}: the history ends with another line than its head says ({})",
            other.map_or_else(|| "there is no head".into(), |(number, _)| number.to_string())
        )),
    }
    Ok(())
}

fn compare_subjects(
    session: &mut Session,
    audit: &mut Audit,
    told: &BTreeSet<(String, i64)>,
) -> Result<(), EngineError> {
    let mut found = BTreeSet::new();
    session.store.query_each("SELECT subject, entry FROM gauge_history_subjects", &[], &mut |row| {
        found.insert((row[0].as_text().unwrap_or_default().to_owned(), row[1].as_integer().unwrap_or(0)));
        Ok(())
    })?;
    for (subject, entry) in told.difference(&found) {
        audit
            .problems
            .push(format!("line {entry}: it is about {subject}, and the index of subjects does not say so"));
    }
    for (subject, entry) in found.difference(told) {
        audit
            .problems
            .push(format!("line {entry}: the index of subjects says that it is about {subject}; it is not"));
    }
    Ok(())
}

/// Rows that name a line which is not there.
fn referenced(session: &mut Session, audit: &mut Audit, last: i64) -> Result<(), EngineError> {
    for (table, column) in [
        ("gauge_movements", "entry"),
        ("gauge_set_members", "from_entry"),
        ("gauge_set_members", "until_entry"),
        ("gauge_set_ids", "entry"),
        ("gauge_checkouts", "entry"),
        ("gauge_calibrations", "entry"),
        ("gauge_certificates", "entry"),
        ("gauge_qc_checks", "entry"),
    ] {
        let sql = format!("SELECT count(*), coalesce(max({column}), 0) FROM {table} WHERE {column} > $1");
        let rows = session.store.query(&sql, &[Value::Integer(last)])?;
        let count = rows.first().and_then(|row| row[0].as_integer()).unwrap_or(0);
        if count > 0 {
            let most = rows.first().and_then(|row| row[1].as_integer()).unwrap_or(0);
            audit
                .problems
                .push(format!("line {most}: {table}.{column} names it, and the history ends at {last}"));
        }
    }
    Ok(())
}

/// What the history makes of gauges and memberships, line by line.
#[derive(Default)]
struct Told {
    gauges: BTreeMap<String, BTreeMap<String, Json>>,
    members: BTreeMap<(String, String), String>,
    open: Vec<String>,
    intervals: BTreeSet<(String, String, i64, String, Option<i64>)>,
    since: BTreeMap<(String, String), i64>,
    issued: BTreeMap<String, i64>,
}

impl Told {
    fn take(&mut self, line: &Line) {
        let detail: Json = serde_json::from_str(&line.detail).unwrap_or_default();
        for (serial, columns) in detail.get("gauges").and_then(Json::as_object).into_iter().flatten() {
            let gauge = self.gauges.entry(serial.clone()).or_default();
            for (column, pair) in columns.as_object().into_iter().flatten() {
                let before = gauge.insert(column.clone(), pair[1].clone()).unwrap_or(Json::Null);
                if before != pair[0] {
                    self.open.push(format!(
                        "line {}: it says that {column} of gauge {serial} was {}, and the lines before say {before}",
                        line.entry, pair[0]
                    ));
                }
            }
        }
        let members = |name: &str| {
            let list = detail.get(name).and_then(Json::as_array).into_iter().flatten();
            let read = |member: &Json| {
                let of = |name: &str| Some(member.get(name)?.as_str()?.to_owned());
                Some(((of("set")?, of("side")?), of("serial")?))
            };
            list.filter_map(read).collect::<Vec<_>>()
        };
        for (place, serial) in members("left") {
            if self.members.remove(&place).as_ref() != Some(&serial) {
                self.open
                    .push(format!("line {}: {serial} leaves set {} and was not in it", line.entry, place.0));
            }
            let from = self.since.remove(&place).unwrap_or(0);
            self.intervals.insert((place.0, place.1, from, serial, Some(line.entry)));
        }
        for (place, serial) in members("joined") {
            if let Some(other) = self.members.insert(place.clone(), serial) {
                self.open.push(format!(
                    "line {}: a place in set {} is taken twice, {other} was there",
                    line.entry, place.0
                ));
            }
            self.since.insert(place, line.entry);
        }
        if let Some(set_id) = detail.get("set_id").and_then(Json::as_str) {
            *self.issued.entry(set_id.to_owned()).or_default() += 1;
        }
    }

    fn compare(mut self, session: &mut Session, audit: &mut Audit) -> Result<(), EngineError> {
        audit.problems.append(&mut self.open);
        const MUTABLE: &[&str] = &[
            "status",
            "set_id",
            "sealed",
            "location",
            "interval_days",
            "certified_on",
            "unsealed_on",
            "due_on",
            "deleted_reason",
        ];
        let sql = format!("SELECT serial, {} FROM gauges ORDER BY serial", MUTABLE.join(", "));
        let mut unknown = Vec::new();
        session.store.query_each(&sql, &[], &mut |row| {
            audit.gauges += 1;
            let serial = row[0].as_text().unwrap_or_default();
            let Some(told) = self.gauges.remove(serial) else {
                unknown.push(format!("gauge {serial}: no line tells of it"));
                return Ok(());
            };
            for (column, found) in MUTABLE.iter().zip(&row[1..]) {
                let found = match (*column, found) {
                    ("sealed", Value::Integer(number)) => Json::Bool(*number != 0),
                    (_, value) => crate::draft::plain(value),
                };
                let wanted = told.get(*column).unwrap_or(&Json::Null);
                if *wanted != found {
                    unknown
                        .push(format!("gauge {serial}: {column} is {found}, and the history says {wanted}"));
                }
            }
            Ok(())
        })?;
        audit.problems.append(&mut unknown);
        audit.problems.extend(
            self.gauges
                .keys()
                .map(|serial| format!("gauge {serial}: the history tells of it, its row is gone")),
        );

        for ((set_id, side), serial) in &self.members {
            let from = self.since.get(&(set_id.clone(), side.clone())).copied().unwrap_or(0);
            self.intervals.insert((set_id.clone(), side.clone(), from, serial.clone(), None));
        }
        let mut found = BTreeSet::new();
        let sql = "SELECT set_id, side, from_entry, serial, until_entry FROM gauge_set_members";
        session.store.query_each(sql, &[], &mut |row| {
            let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
            found.insert((text(0), text(1), row[2].as_integer().unwrap_or(0), text(3), row[4].as_integer()));
            Ok(())
        })?;
        for (set_id, side, from, serial, _) in self.intervals.symmetric_difference(&found) {
            audit.problems.push(format!("set {set_id}: the membership of {serial} ({side}) from line {from} is not as the history says"));
        }
        let mut issued: BTreeMap<String, i64> = BTreeMap::new();
        session.store.query_each(
            "SELECT set_id, count(*) FROM gauge_set_ids GROUP BY set_id",
            &[],
            &mut |row| {
                issued.insert(
                    row[0].as_text().unwrap_or_default().to_owned(),
                    row[1].as_integer().unwrap_or(0),
                );
                Ok(())
            },
        )?;
        for set_id in self.issued.keys().chain(issued.keys()).collect::<BTreeSet<_>>() {
            let (told, found) =
                (self.issued.get(set_id).copied().unwrap_or(0), issued.get(set_id).copied().unwrap_or(0));
            if told != found {
                audit
                    .problems
                    .push(format!("set {set_id}: the ledger has {found} issues, the history {told}"));
            }
        }
        session.store.query_each("SELECT set_id FROM gauge_sets", &[], &mut |row| {
            audit.sets += 1;
            let set_id = row[0].as_text().unwrap_or_default();
            if !issued.contains_key(set_id) {
                audit.problems.push(format!("set {set_id}: its ID is not in the ledger"));
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// Who was a member of a set at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberThen {
    /// GO or NO-GO.
    pub side: Side,
    /// The gauge.
    pub serial: String,
    /// Since when.
    pub from_at: String,
    /// Until when, if it is no longer.
    pub until_at: Option<String>,
    /// The line that made it a member.
    pub from_entry: i64,
    /// The certificate that was current then.
    pub certificate: Option<String>,
}

/// Which gauges a set had at a moment: `2026-11-29` (its end) or a full moment.
///
/// # Errors
/// Usage, when `at` is neither.
pub fn members_at(session: &mut Session, set_id: &str, at: &str) -> Result<Vec<MemberThen>, EngineError> {
    let at = moment_of(at)?;
    let sql = "SELECT m.side, m.serial, m.from_at, m.until_at, m.from_entry,
            (SELECT max(c.certificate) FROM gauge_certificates c JOIN gauge_history h ON h.entry = c.entry
             WHERE c.serial = m.serial AND h.at <= $2 AND (c.superseded_entry IS NULL OR EXISTS (
                SELECT 1 FROM gauge_history s WHERE s.entry = c.superseded_entry AND s.at > $2)))
        FROM gauge_set_members m
        WHERE m.set_id = $1 AND m.from_at <= $2 AND (m.until_at IS NULL OR m.until_at > $2)
        ORDER BY m.side, m.from_entry";
    let rows = session.store.query(sql, &[Value::text(set_id), Value::text(at)])?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let text = |at: usize| row[at].as_text().map(str::to_owned);
            Some(MemberThen {
                side: Side::read(row[0].as_text()?)?,
                serial: text(1)?,
                from_at: text(2)?,
                until_at: text(3),
                from_entry: row[4].as_integer()?,
                certificate: text(5),
            })
        })
        .collect())
}

/// A moment from a day, which means its end, or from a full moment.
pub(crate) fn moment_of(at: &str) -> Result<String, EngineError> {
    if plimsoll_core::value::is_date(at) {
        return Ok(format!("{at}T23:59:59.999Z"));
    }
    let canonical = plimsoll_core::value::canonical_timestamp(at);
    if plimsoll_core::value::is_timestamp(&canonical) {
        return Ok(crate::facts::moment(&canonical));
    }
    Err(EngineError::usage(format!(
        "`{at}` is no time\nhint: give one like 2026-01-31 or 2026-01-31T12:00:00Z"
    )))
}

/// The history of one set or gauge, oldest first. `subject` is `set:SP0222` or `gauge:T-17`.
///
/// # Errors
/// When the store cannot be read.
pub fn lines_about(session: &mut Session, subject: &str) -> Result<Vec<Line>, EngineError> {
    let columns = COLUMNS.split(", ").map(|column| format!("h.{column}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {columns} FROM gauge_history_subjects s JOIN gauge_history h ON h.entry = s.entry
         WHERE s.subject = $1 ORDER BY h.entry"
    );
    let rows = session.store.query(&sql, &[Value::text(subject)])?;
    Ok(rows.iter().map(|row| Line::read(row)).collect())
}

/// The whole history, oldest first, in a window of moments.
///
/// # Errors
/// When the store cannot be read.
pub fn lines_between(session: &mut Session, from: &str, until: &str) -> Result<Vec<Line>, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM gauge_history WHERE at >= $1 AND at <= $2 ORDER BY entry");
    let rows = session.store.query(&sql, &[Value::text(from), Value::text(until)])?;
    Ok(rows.iter().map(|row| Line::read(row)).collect())
}

/// Lines as CSV (RFC 4180), digests included, so that a reader can check them.
pub fn to_csv(lines: &[Line]) -> String {
    let mut out = format!("{}\r\n", COLUMNS.replace(", ", ","));
    for line in lines {
        let number = line.entry.to_string();
        let cells = [
            number.as_str(),
            &line.at,
            &line.actor,
            &line.operation,
            line.set_id.as_deref().unwrap_or_default(),
            &line.reason,
            &line.subjects,
            &line.detail,
            &line.previous,
            &line.digest,
        ];
        let quoted: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        out.push_str(&quoted.join(","));
        out.push_str("\r\n");
    }
    out
}

fn csv_cell(text: &str) -> String {
    // A cell that a spreadsheet would run as a formula is shown as text.
    let safe =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// Lines as a page to print.
pub fn to_html(title: &str, lines: &[Line], audit: &Audit) -> String {
    let verdict = if audit.ok() {
        format!("The chain of {} lines is whole.", audit.lines)
    } else {
        format!(
            "{} problems, first: {}",
            audit.problems.len(),
            audit.problems.first().map_or("", String::as_str)
        )
    };
    let mut rows = String::new();
    for line in lines {
        let cells = [
            line.entry.to_string(),
            line.at.clone(),
            line.actor.clone(),
            line.operation.clone(),
            line.set_id.clone().unwrap_or_default(),
            line.reason.clone(),
            line.detail.clone(),
            line.digest.chars().take(16).collect(),
        ];
        rows.push_str("<tr>");
        for cell in cells {
            rows.push_str("<td>");
            rows.push_str(&escaped(&cell));
            rows.push_str("</td>");
        }
        rows.push_str("</tr>\n");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>\
         body{{font:11px/1.4 sans-serif;margin:2em}}table{{border-collapse:collapse;width:100%}}\
         th,td{{border:1px solid #999;padding:3px 5px;text-align:left;vertical-align:top;overflow-wrap:anywhere}}\
         thead{{display:table-header-group}}tr{{break-inside:avoid}}</style></head>\n<body><h1>{title}</h1>\n<p>{verdict}</p>\n\
         <table><thead><tr><th>line</th><th>when (UTC)</th><th>who</th><th>what</th><th>set</th><th>why</th><th>changed</th>\
         <th>digest</th></tr></thead>\n<tbody>\n{rows}</tbody></table></body></html>\n",
        title = escaped(title),
        verdict = escaped(&verdict),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
