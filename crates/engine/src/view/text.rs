//! An answer as a table of text, for people.
//!
//! Owns the form: columns are aligned, numbers to the right; no color; whole numbers have marks between thousands and
//! money has four digits behind the point, rounded, so that it is not exact (JSON and CSV are). Characters that would
//! move a terminal's cursor become spaces, and long texts are cut.

use plimsoll_store::analytics::{ColumnType, OwnedCell};

use super::cell::{is_number, plain};
use super::{Shape, Table};

/// The widest a column of text becomes.
const WIDEST: usize = 72;

/// The answer as a table of text.
pub fn to_text(table: &Table) -> String {
    match table.shape {
        Shape::Rows => grid(table),
        Shape::Object => {
            let Some(row) = table.rows.first() else { return "nothing found\n".to_owned() };
            let widest = table.columns.iter().map(|column| column.name.len()).max().unwrap_or(0);
            let mut out = String::new();
            for (column, cell) in table.columns.iter().zip(row) {
                out.push_str(&format!("{:widest$}  {}\n", column.name, shown(cell, column.kind)));
            }
            for section in &table.sections {
                out.push_str(&format!("\n{}\n", section.name));
                out.push_str(&grid(&section.table));
            }
            out
        }
    }
}

fn grid(table: &Table) -> String {
    if table.rows.is_empty() {
        return "nothing found\n".to_owned();
    }
    let cells: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| table.columns.iter().zip(row).map(|(column, cell)| shown(cell, column.kind)).collect())
        .collect();
    let widths: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let longest = cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
            longest.max(column.name.chars().count())
        })
        .collect();
    let right: Vec<bool> = table.columns.iter().map(|column| is_number(column.kind)).collect();
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut out = String::new();
    for row in [&names, &rules].into_iter().chain(&cells) {
        let line = row.iter().enumerate().map(|(at, text)| {
            let gap = " ".repeat(widths[at].saturating_sub(text.chars().count()));
            if right[at] { format!("{gap}{text}") } else { format!("{text}{gap}") }
        });
        out.push_str(line.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// A cell for people.
fn shown(cell: &OwnedCell, kind: ColumnType) -> String {
    match (cell, kind) {
        (OwnedCell::Decimal(digits, scale), ColumnType::Money) => rounded(*digits, *scale),
        (OwnedCell::Integer(number), ColumnType::Integer) => thousands(&number.to_string()),
        _ => short(&plain(cell, kind).unwrap_or_default()),
    }
}

fn short(text: &str) -> String {
    let mut clean: String =
        text.chars().take(WIDEST + 1).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.chars().count() > WIDEST {
        clean = clean.chars().take(WIDEST - 1).collect();
        clean.push('…');
    }
    clean
}

/// Money with four digits behind the point; half a unit is rounded away from zero.
fn rounded(digits: i128, scale: u8) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let size = digits.unsigned_abs();
    let scaled = match scale {
        0..4 => size.saturating_mul(10_u128.pow(u32::from(4 - scale))),
        4 => size,
        _ => {
            let unit = 10_u128.pow(u32::from(scale - 4));
            size / unit + u128::from(size % unit >= unit / 2)
        }
    };
    format!("{sign}{}.{:04}", thousands(&(scaled / 10_000).to_string()), scaled % 10_000)
}

fn thousands(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let mut out = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands("1234567"), "1,234,567");
        assert_eq!(thousands("-123"), "-123");
        assert_eq!(rounded(12_345_650_000_000, 10), "1,234.5650");
        assert_eq!(rounded(-500_000, 10), "-0.0001");
        assert_eq!(rounded(499_999, 10), "0.0000");
        assert_eq!(rounded(15, 1), "1.5000");
    }

    #[test]
    fn a_text_cannot_move_the_cursor_and_is_cut() {
        assert_eq!(short("a\u{1b}[2Jb\n"), "a [2Jb ");
        assert_eq!(short(&"é".repeat(80)).chars().count(), WIDEST);
    }
}
