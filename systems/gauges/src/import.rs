//! Bringing in many new sets from a file: each line is a request, and goes through the same ledger of IDs as any other.
//!
//! Owns the operation that registers one set of a file, and the drive over all lines. What a set needs is
//! [`crate::operation::registration`]'s.
//!
//! Invariants: a bad line is told with its number and every reason, and the others go in; a line that is there already -
//! the same two serials in one set - is counted and not done again.

use std::collections::BTreeMap;

use plimsoll_core::value::Value;
use plimsoll_engine::alias::Asked;
use plimsoll_engine::change::drive::{Drive, DriveReport, Undone};
use plimsoll_engine::change::request::{self, Answer};
use plimsoll_engine::system::ChangeKind as _;
use plimsoll_engine::{EngineError, Session};
use serde_json::{Map, Value as Json, json};

use crate::document;
use crate::model::Role;
use crate::operation::{Operation, Undo, record, registration};

/// Registers a set of a file.
pub static IMPORT_SET: Operation = Operation {
    name: "import-set",
    help: "Register a new GO and a new NO-GO gauge as a set, from a line of a file",
    role: Role::Qc,
    fields: registration::CREATE_SET.fields,
    plan: registration::import_set,
    undo: Undo::Never("delete the set as a clerical error"),
};

/// Sets from a file.
pub static IMPORT_SETS: Drive = Drive {
    name: "import-sets",
    help: "Register the sets of a file, each line in a transaction of its own",
    document: "CSV with a line of names, or a JSON list: the fields of `create-set`",
    needs_backup: false,
    run,
};

const REASON: &str = "brought in from a file";

fn run(session: &mut Session, text: &str, dry_run: bool) -> Result<DriveReport, EngineError> {
    let records = document::read(text)?;
    let mut report = DriveReport { dry_run, records: records.len() as u64, ..DriveReport::default() };
    let mut declared = IMPORT_SET.fields();
    declared.push(plimsoll_engine::alias::Field { required: false, ..plimsoll_engine::alias::REASON });
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (line, fields) in records {
        let name = format!("line {line}");
        let mut leave_out = |reasons: Vec<String>| {
            report.left_out.push(Undone { record: name.clone(), reasons });
        };
        let fields = match fields {
            Ok(fields) => fields,
            Err(problem) => {
                leave_out(vec![problem]);
                continue;
            }
        };
        let asked = match Asked::read(fields, &declared) {
            Ok(asked) => asked,
            Err(faults) => {
                leave_out(faults.into_iter().map(|(_, fault)| fault).collect());
                continue;
            }
        };
        let twice = repeated(&asked, line, &mut seen);
        if !twice.is_empty() {
            leave_out(twice);
            continue;
        }
        if is_there(session, &asked)? {
            report.there_already += 1;
            continue;
        }
        let reason = asked.text("reason").unwrap_or_else(|| REASON.to_owned());
        let mut fields: Map<String, Json> = asked.into_fields();
        fields.insert("reason".into(), json!(reason));
        let request = record(IMPORT_SET.name, fields);
        let answer = if dry_run {
            request::rehearse(session, &crate::SYSTEM, &IMPORT_SET, &request, &reason)?
        } else {
            request::perform(session, &crate::SYSTEM, &IMPORT_SET, &request, &reason)?
        };
        match answer {
            Answer::Done { .. } => report.done += 1,
            Answer::Unchanged => report.there_already += 1,
            Answer::Refused(refusal) => {
                let reasons = plimsoll_engine::alias::reasons(&refusal.reason);
                leave_out(reasons.into_iter().map(|reason| reason.text).collect());
            }
        }
    }
    report.assessment = json!({ "lines": report.records });
    Ok(report)
}

/// What an earlier line of the file says too: a dry run, which writes nothing, would not see it otherwise.
fn repeated(asked: &Asked, line: usize, seen: &mut BTreeMap<String, usize>) -> Vec<String> {
    let mut twice = Vec::new();
    for field in ["go", "nogo", "id"] {
        let Some(value) = asked.text(field) else { continue };
        let key = if field == "id" {
            format!("set {}", value.to_ascii_uppercase())
        } else {
            format!("gauge {value}")
        };
        match seen.get(&key) {
            Some(earlier) => twice.push(format!("{key} is in line {earlier} already")),
            None => drop(seen.insert(key, line)),
        }
    }
    twice
}

/// Whether both gauges are the members of one set, which is the named one where one is named.
fn is_there(session: &mut Session, asked: &Asked) -> Result<bool, EngineError> {
    let (go, nogo) = (asked.text("go").unwrap_or_default(), asked.text("nogo").unwrap_or_default());
    let sql = "SELECT g.set_id FROM gauge_set_members g JOIN gauge_set_members n ON n.set_id = g.set_id
        WHERE g.serial = $1 AND g.side = 'go' AND g.until_entry IS NULL
          AND n.serial = $2 AND n.side = 'nogo' AND n.until_entry IS NULL";
    let found = session.store.query(sql, &[Value::text(go), Value::text(nogo)])?;
    let id = asked.text("id").map(|id| id.to_ascii_uppercase());
    Ok(found.iter().any(|row| id.as_deref().is_none_or(|id| row[0].as_text() == Some(id))))
}
