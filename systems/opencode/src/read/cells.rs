//! Rows by name.
//!
//! Owns one macro: a row is written with the names of its columns, and the compiler finds their positions. A name that
//! the table does not have does not compile; a column that is not named is null.

use plimsoll_engine::ingest::{AnalyticTable, Cell};

/// The position of a column; fails to compile where the table has no such column.
pub(super) const fn position(table: &AnalyticTable, name: &str) -> usize {
    let mut at = 0;
    while at < table.columns.len() {
        if equal(table.columns[at].name, name) {
            return at;
        }
        at += 1;
    }
    panic!("the table has no column of this name")
}

const fn equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The cells of a row, each at its column's position; the others are null.
pub(super) fn cells<'a, const WIDTH: usize>(given: &[(usize, Cell<'a>)]) -> [Cell<'a>; WIDTH] {
    let mut cells = [Cell::Null; WIDTH];
    for (at, cell) in given {
        cells[*at] = *cell;
    }
    cells
}

/// Adds a row to a table, with the columns that are named.
macro_rules! push_row {
    ($rows:expr, $table:path, { $($column:ident: $value:expr),* $(,)? }) => {{
        const WIDTH: usize = $table.columns.len();
        $rows.push(
            &$table,
            &$crate::read::cells::cells::<WIDTH>(&[$((
                const { $crate::read::cells::position(&$table, stringify!($column)) },
                plimsoll_engine::ingest::Cell::from($value),
            )),*]),
        )
    }};
}

pub(super) use push_row;
