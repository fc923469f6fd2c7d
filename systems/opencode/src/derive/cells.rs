//! A query's row, read cell by cell.
//!
//! Owns turning the cells of an answer into values in the order in which the query names its columns. It deliberately
//! does not look at names: each reader stands beside the query that it reads.

use plimsoll_engine::ingest::{Cell, OwnedCell};
use plimsoll_engine::ingest::{ErrorClass, StoreError};

/// The cells that were not read yet.
pub(super) struct Cells<'a> {
    table: &'static str,
    cells: std::slice::Iter<'a, OwnedCell>,
}

impl<'a> Cells<'a> {
    /// The cells of a row that becomes a row of `table`.
    pub(super) fn new(table: &'static str, cells: &'a [OwnedCell]) -> Self {
        Self { table, cells: cells.iter() }
    }

    /// The next cell as it is.
    pub(super) fn cell(&mut self) -> Result<Cell<'a>, StoreError> {
        let cell = self.next()?;
        match cell {
            OwnedCell::Null => Ok(Cell::Null),
            OwnedCell::Text(text) => Ok(Cell::Text(text)),
            OwnedCell::Integer(number) => Ok(Cell::Integer(*number)),
            OwnedCell::Boolean(value) => Ok(Cell::Boolean(*value)),
            OwnedCell::Double(number) => Ok(Cell::Double(*number)),
            OwnedCell::Decimal(..) => cell.as_money().map(Cell::Integer).ok_or_else(|| self.misfit(cell)),
        }
    }

    /// The next cell as text; `None` when it is null.
    pub(super) fn text(&mut self) -> Result<Option<&'a str>, StoreError> {
        match self.next()? {
            OwnedCell::Null => Ok(None),
            OwnedCell::Text(text) => Ok(Some(text)),
            other => Err(self.misfit(other)),
        }
    }

    /// The next cell as a whole number; `None` when it is null.
    pub(super) fn integer(&mut self) -> Result<Option<i64>, StoreError> {
        let cell = self.next()?;
        match cell {
            OwnedCell::Null => Ok(None),
            _ => cell.as_integer().map(Some).ok_or_else(|| self.misfit(cell)),
        }
    }

    fn next(&mut self) -> Result<&'a OwnedCell, StoreError> {
        self.cells.next().ok_or_else(|| {
            let message = format!("the query for table `{}` has fewer columns than are read", self.table);
            StoreError::new(ErrorClass::Schema, message)
        })
    }

    fn misfit(&self, cell: &OwnedCell) -> StoreError {
        let message =
            format!("{cell:?} is not expected at its place in the query for table `{}`", self.table);
        StoreError::new(ErrorClass::Schema, message)
    }
}
