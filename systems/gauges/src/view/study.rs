//! Views of measurement-system studies.
//!
//! Owns reading the results of a study, line by line, and handing them to [`crate::study`]. Nothing of a study is stored:
//! whoever made it sends it whole.

use std::collections::BTreeMap;

use plimsoll_engine::alias::{Answered, Asked, Field, FieldKind, StoreView};
use plimsoll_engine::{EngineError, Session};
use serde_json::{Value as Json, json};

use crate::study;

/// Do appraisers agree with the reference, and with each other?
pub static AGREEMENT: StoreView = StoreView {
    name: "agreement-study",
    title: "Attribute agreement: kappa, effectiveness, misses and false alarms of each appraiser",
    fields: &[Field::needed(
        "data",
        FieldKind::Text,
        "A line for each trial: part, reference, appraiser, trial, verdict; reference and verdict are good or bad",
    )],
    answer: agreement,
};

/// How much of the variation is the gauge's?
pub static GAGE: StoreView = StoreView {
    name: "gage-study",
    title: "Gage R&R of measured values by the average-and-range method: %GRR and distinct categories",
    fields: &[Field::needed(
        "data",
        FieldKind::Text,
        "A line for each trial: part, appraiser, trial, value; 2 to 10 parts, 2 or 3 appraisers and trials",
    )],
    answer: gage,
};

/// The cells of each line; a first line without a digit is taken for a header.
fn cells(asked: &str, wanted: usize) -> Result<Vec<(usize, Vec<&str>)>, EngineError> {
    let lines = asked.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let mut rows = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        if number == 1 && !line.bytes().any(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let row: Vec<&str> = line.split([',', ';', '\t']).map(str::trim).collect();
        if row.len() != wanted {
            let found = row.len();
            return Err(EngineError::usage(format!("line {number} has {found} cells, not {wanted}")));
        }
        rows.push((number, row));
    }
    Ok(rows)
}

fn good(number: usize, word: &str) -> Result<bool, EngineError> {
    match word.to_ascii_lowercase().as_str() {
        "good" | "pass" | "accept" | "1" => Ok(true),
        "bad" | "fail" | "reject" | "0" => Ok(false),
        _ => Err(EngineError::usage(format!("line {number}: `{word}` is neither good nor bad"))),
    }
}

fn agreement(_session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let data = asked.text("data").unwrap_or_default();
    let mut references: BTreeMap<&str, bool> = BTreeMap::new();
    let mut verdicts: BTreeMap<&str, BTreeMap<&str, Vec<bool>>> = BTreeMap::new();
    for (number, row) in cells(&data, 5)? {
        let reference = good(number, row[1])?;
        if *references.entry(row[0]).or_insert(reference) != reference {
            return Err(EngineError::usage(format!("line {number}: part {} has two references", row[0])));
        }
        verdicts.entry(row[2]).or_default().entry(row[0]).or_default().push(good(number, row[4])?);
    }
    let reference: Vec<bool> = references.values().copied().collect();
    let tables: BTreeMap<&str, Vec<Vec<bool>>> = verdicts
        .iter()
        .map(|(appraiser, parts)| {
            (*appraiser, references.keys().map(|part| parts.get(part).cloned().unwrap_or_default()).collect())
        })
        .collect();
    let mut appraisers = serde_json::Map::new();
    for (appraiser, table) in &tables {
        let judged = study::agreement(&reference, table)
            .ok_or_else(|| EngineError::usage(format!("appraiser {appraiser} did not judge every part")))?;
        appraisers.insert((*appraiser).to_owned(), serde_json::to_value(judged)?);
    }
    let names: Vec<&&str> = tables.keys().collect();
    let mut between = Vec::new();
    for (at, first) in names.iter().enumerate() {
        for second in &names[at + 1..] {
            let kappa = study::kappa_between(&tables[**first], &tables[**second]);
            between.push(json!({ "first": first, "second": second, "kappa": kappa }));
        }
    }
    Ok(Answered::Json(json!({ "parts": reference.len(), "appraisers": appraisers, "between": between })))
}

fn gage(_session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let data = asked.text("data").unwrap_or_default();
    let mut measured: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for (number, row) in cells(&data, 4)? {
        let value: f64 = row[3]
            .parse()
            .map_err(|_| EngineError::usage(format!("line {number}: `{}` is no number", row[3])))?;
        measured.entry(row[1]).or_default().entry(row[0]).or_default().push(value);
    }
    let table: Vec<Vec<Vec<f64>>> =
        measured.into_values().map(|parts| parts.into_values().collect()).collect();
    let judged = study::gage_study(&table).ok_or_else(|| {
        EngineError::usage("every appraiser measures every part equally often: 2 to 10 parts, 2 or 3 appraisers, 2 or 3 trials")
    })?;
    Ok(Answered::Json(Json::Object(serde_json::to_value(judged)?.as_object().cloned().unwrap_or_default())))
}
