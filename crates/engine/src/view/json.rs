//! An answer as JSON.
//!
//! Owns the form: rows are a list of objects, one on a line; an object is one object, in which points in the names of
//! columns make objects and sections make lists. Money is written with all its digits, never by way of a
//! floating point number.

use plimsoll_store::analytics::{ColumnType, OwnedCell};
use serde_json::value::RawValue;

use super::cell::{is_number, plain};
use super::{Shape, Table};

/// The answer as JSON, with a line end at the end. An object that was not found is `null`.
pub fn to_json(table: &Table) -> String {
    let mut out = String::new();
    match table.shape {
        Shape::Rows => list(table, 0, &mut out),
        Shape::Object => match table.rows.first() {
            None => out.push_str("null"),
            Some(row) => {
                let mut tree = Vec::new();
                for (column, cell) in table.columns.iter().zip(row) {
                    insert(&mut tree, &column.name, value(cell, column.kind));
                }
                for section in &table.sections {
                    let mut text = String::new();
                    list(&section.table, 1, &mut text);
                    insert(&mut tree, section.name, text);
                }
                write(&tree, 1, &mut out);
            }
        },
    }
    out.push('\n');
    out
}

enum Node {
    Value(String),
    Object(Vec<(String, Self)>),
}

/// Puts a value at its place; `a.b` is `b` in `a`.
fn insert(tree: &mut Vec<(String, Node)>, name: &str, value: String) {
    match name.split_once('.') {
        None => tree.push((name.to_owned(), Node::Value(value))),
        Some((outer, inner)) => {
            let at = tree.iter().position(|(known, node)| known == outer && matches!(node, Node::Object(_)));
            let at = at.unwrap_or_else(|| {
                tree.push((outer.to_owned(), Node::Object(Vec::new())));
                tree.len() - 1
            });
            if let Node::Object(fields) = &mut tree[at].1 {
                insert(fields, inner, value);
            }
        }
    }
}

fn write(tree: &[(String, Node)], depth: usize, out: &mut String) {
    out.push('{');
    for (at, (name, node)) in tree.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth));
        out.push_str(&quoted(name));
        out.push_str(": ");
        match node {
            Node::Value(value) => out.push_str(value),
            Node::Object(fields) => write(fields, depth + 1, out),
        }
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth - 1));
    out.push('}');
}

fn list(table: &Table, depth: usize, out: &mut String) {
    out.push('[');
    for (at, row) in table.rows.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        out.push('{');
        for (at, (column, cell)) in table.columns.iter().zip(row).enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            out.push_str(&quoted(&column.name));
            out.push_str(": ");
            out.push_str(&value(cell, column.kind));
        }
        out.push('}');
    }
    if !table.rows.is_empty() {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push(']');
}

fn value(cell: &OwnedCell, kind: ColumnType) -> String {
    let Some(text) = plain(cell, kind) else { return "null".to_owned() };
    let as_it_is = match kind {
        ColumnType::Boolean => true,
        // What is in the table was JSON when it was written; anything else is shown as a text.
        ColumnType::Json => serde_json::from_str::<&RawValue>(&text).is_ok(),
        _ => is_number(kind),
    };
    if as_it_is { text } else { quoted(&text) }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
