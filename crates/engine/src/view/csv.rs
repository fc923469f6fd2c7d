//! An answer as CSV (RFC 4180).
//!
//! Owns the form: a line of names, lines end in CR LF, a null is an empty field, an empty text is `""`. An object
//! is written as one value on a line, since it has no rows: section, row, column, value.

use super::cell::plain;
use super::{Shape, Table};

/// The answer as CSV.
pub fn to_csv(table: &Table) -> String {
    let mut out = String::new();
    match table.shape {
        Shape::Rows => {
            line(table.columns.iter().map(|column| Some(column.name.clone())), &mut out);
            for row in &table.rows {
                let cells = table.columns.iter().zip(row).map(|(column, cell)| plain(cell, column.kind));
                line(cells, &mut out);
            }
        }
        Shape::Object => {
            line(["section", "row", "column", "value"].map(|name| Some(name.to_owned())), &mut out);
            values("", table, &mut out);
            for section in &table.sections {
                values(section.name, &section.table, &mut out);
            }
        }
    }
    out
}

fn values(section: &str, table: &Table, out: &mut String) {
    for (number, row) in table.rows.iter().enumerate() {
        for (column, cell) in table.columns.iter().zip(row) {
            let at = [section.to_owned(), (number + 1).to_string(), column.name.clone()];
            line(at.into_iter().map(Some).chain([plain(cell, column.kind)]), out);
        }
    }
}

/// One line; `None` is a null.
pub(crate) fn line(fields: impl IntoIterator<Item = Option<String>>, out: &mut String) {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match field {
            None => {}
            Some(text) if text.is_empty() || text.contains(['"', ',', '\r', '\n']) => {
                out.push('"');
                out.push_str(&text.replace('"', "\"\""));
                out.push('"');
            }
            Some(text) => out.push_str(&text),
        }
    }
    out.push_str("\r\n");
}
