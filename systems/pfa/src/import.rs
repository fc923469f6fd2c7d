//! Importing edits from a CSV file.
//!
//! Owns reading the file (crate `csv`: quotes, line breaks within them, a byte order mark), telling its columns and its
//! delimiter, and what is wrong with a line. Each good line becomes an edit of its record; a bad one is reported with
//! its line, its column and the reason, and changes nothing. It deliberately stores nothing itself.
//!
//! Invariant: every line of the file is in the result, as an edit or as a problem.

use std::collections::BTreeMap;

use plimsoll_core::sync::record::Fields;
use plimsoll_engine::sync::declare::{Imported, ImportedRow, Problem};

use crate::fields::{self, NAMES};

/// The delimiter of a text: the one of comma, semicolon, tab and bar that its first line has most of outside quotes.
fn delimiter(text: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = BTreeMap::new();
    for byte in text {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b',' | b';' | b'\t' | b'|' if !quoted => *counts.entry(*byte).or_insert(0_usize) += 1,
            _ => {}
        }
    }
    counts.into_iter().max_by_key(|(byte, count)| (*count, *byte == b',')).map_or(b',', |(byte, _)| byte)
}

/// Reads a file. The header names `pfa_id`, and any of `organization` and the fields, here's names or the wire's; an
/// empty cell empties the field.
///
/// # Errors
/// What is wrong with the header, in words: then no line can be read.
pub fn read(bytes: &[u8]) -> Result<Imported, String> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).from_reader(text);
    let header = reader.headers().map_err(|error| format!("the header cannot be read: {error}"))?.clone();
    let mut columns = Vec::with_capacity(header.len());
    for name in &header {
        let name = name.trim();
        let wire = fields::FIELDS.iter().find(|field| field.wire == name).map(|field| field.name);
        let name = match (name, wire) {
            ("pfs_id", _) => "pfa_id",
            ("pfs_organization", _) => "organization",
            (_, Some(known)) => known,
            (own, None) => own,
        };
        let known = ["pfa_id", "organization"].contains(&name) || fields::find(name).is_some();
        if !known {
            return Err(format!(
                "there is no field `{name}`; the fields are pfa_id, organization, {}",
                NAMES.join(", ")
            ));
        }
        if columns.contains(&name.to_owned()) {
            return Err(format!("column `{name}` is there twice"));
        }
        columns.push(name.to_owned());
    }
    if !columns.iter().any(|name| name == "pfa_id") {
        return Err("there is no column `pfa_id`, which says what a line is about".into());
    }
    let mut imported = Imported::default();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let mut place = Place { text, byte: 0, line: 1 };
    for record in reader.byte_records() {
        match record {
            Ok(record) => {
                let line = place.line_of(record.position());
                match line_of(&columns, &record, line) {
                    Ok(row) => {
                        if let Some(earlier) = lines.insert(row.key.clone(), line) {
                            imported.problems.push(Problem {
                                line,
                                column: Some("pfa_id".into()),
                                reason: format!("`{}` is on line {earlier} already", row.key),
                            });
                        } else {
                            imported.rows.push(row);
                        }
                    }
                    Err(problem) => imported.problems.push(problem),
                }
            }
            Err(error) => imported.problems.push(Problem {
                line: place.line_of(error.position()),
                column: None,
                reason: error.to_string(),
            }),
        }
    }
    Ok(imported)
}

/// Counts lines as an editor does. The reader's own count is behind where lines end in two characters, and where lines
/// are empty.
struct Place<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl Place<'_> {
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let Some(mut byte) = position.and_then(|position| usize::try_from(position.byte()).ok()) else {
            return 0;
        };
        // A record's place is behind the last character of the one before, not of its line.
        while matches!(self.text.get(byte), Some(b'\r' | b'\n')) {
            byte += 1;
        }
        let passed = self.text.get(self.byte..byte).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.byte = self.byte.max(byte);
        self.line
    }
}

fn line_of(columns: &[String], record: &csv::ByteRecord, line: u64) -> Result<ImportedRow, Problem> {
    let problem =
        |column: Option<&str>, reason: String| Problem { line, column: column.map(str::to_owned), reason };
    if record.len() != columns.len() {
        return Err(problem(None, format!("{} cells where the header has {}", record.len(), columns.len())));
    }
    let mut row = ImportedRow { line, key: String::new(), scope: None, fields: Fields::new() };
    for (name, cell) in columns.iter().zip(record) {
        let text =
            std::str::from_utf8(cell).map_err(|_| problem(Some(name), "the cell is not UTF-8".into()))?;
        match (name.as_str(), fields::find(name)) {
            ("pfa_id", _) => text.trim().clone_into(&mut row.key),
            ("organization", _) => row.scope = Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            (name, Some(field)) => {
                let value = field.parse(text).map_err(|reason| problem(Some(name), reason))?;
                row.fields.insert(name.to_owned(), value);
            }
            (name, None) => return Err(problem(Some(name), "there is no such field".into())),
        }
    }
    if row.key.is_empty() {
        return Err(problem(Some("pfa_id"), "the cell is empty".into()));
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use plimsoll_core::value::Value;

    use super::*;

    #[test]
    fn quotes_line_breaks_marks_and_delimiters_are_read() {
        let text = "\u{feff}pfa_id;model;monthly_rate\r\n\"P;1\";\"two\nlines \"\"quoted\"\"\";12,5\r\nP2;\"a;b\";10\r\n";
        let imported = read(text.as_bytes()).unwrap();
        assert_eq!(imported.rows.len(), 1);
        assert_eq!(imported.rows[0].key, "P2");
        assert_eq!(imported.rows[0].fields["model"], Value::text("a;b"));
        assert_eq!(imported.rows[0].fields["monthly_rate"], Value::Decimal("10.00".into()));
        let problem = &imported.problems[0];
        assert_eq!((problem.line, problem.column.as_deref()), (2, Some("monthly_rate")));
    }

    #[test]
    fn every_line_is_an_edit_or_a_problem() {
        let text = b"pfs_id,pfs_f_model,forecast_end\nP1,Crane,2026-02-30\nP2\n,x,\nP3,\xff,\nP4,ok,2026-01-01\nP4,again,\n";
        let imported = read(text).unwrap();
        let told: Vec<(u64, Option<&str>)> =
            imported.problems.iter().map(|problem| (problem.line, problem.column.as_deref())).collect();
        assert_eq!(
            told,
            [
                (2, Some("forecast_end")),
                (3, None),
                (4, Some("pfa_id")),
                (5, Some("model")),
                (7, Some("pfa_id"))
            ]
        );
        assert_eq!(imported.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [6]);
    }

    #[test]
    fn a_header_that_says_too_little_is_refused() {
        for text in ["", "model\nx\n", "pfa_id,colour\n1,red\n", "pfa_id,model,model\n"] {
            read(text.as_bytes()).unwrap_err();
        }
    }
}
