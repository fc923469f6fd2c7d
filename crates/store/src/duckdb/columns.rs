//! Answers by column, for those who read a whole table.
//!
//! Owns looking at the batches in which the database answers without a value of our own for each cell. Only texts and
//! whole numbers; a query casts what is neither.

use ::duckdb::arrow::array::{Array as _, Int64Array, StringArray};
use ::duckdb::arrow::record_batch::RecordBatch;

use super::{Analytics, Parameter, cells, explain};
use crate::error::{ErrorClass, StoreError};

/// Some thousand rows of an answer.
#[derive(Debug)]
pub struct Columns<'a> {
    batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// A column of texts.
    ///
    /// # Errors
    /// When the column is of another type.
    pub fn texts(&self, column: usize) -> Result<Texts<'a>, StoreError> {
        self.batch.column(column).as_any().downcast_ref().map(Texts).ok_or_else(|| self.misfit(column))
    }

    /// A column of whole numbers of 64 bits.
    ///
    /// # Errors
    /// When the column is of another type.
    pub fn integers(&self, column: usize) -> Result<Integers<'a>, StoreError> {
        self.batch.column(column).as_any().downcast_ref().map(Integers).ok_or_else(|| self.misfit(column))
    }

    fn misfit(&self, column: usize) -> StoreError {
        let field = self.batch.schema_ref().field(column);
        let message =
            format!("column `{}` is a {}; the query has to cast it", field.name(), field.data_type());
        StoreError::new(ErrorClass::Schema, message)
    }
}

/// A column of texts.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a>(&'a StringArray);

impl<'a> Texts<'a> {
    /// The text of a row, or `None`.
    pub fn get(self, row: usize) -> Option<&'a str> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
}

/// A column of whole numbers.
#[derive(Debug, Clone, Copy)]
pub struct Integers<'a>(&'a Int64Array);

impl Integers<'_> {
    /// The number of a row, or `None`.
    pub fn get(self, row: usize) -> Option<i64> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
}

impl Analytics {
    /// Runs a query and hands over its answer some thousand rows at a time.
    ///
    /// # Errors
    /// What the database says, or `each`.
    pub fn query_columns(
        &self,
        sql: &str,
        parameters: &[Parameter],
        each: &mut dyn FnMut(&Columns<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| explain(&e))?;
        let answer = statement.stream_arrow(cells::bound(parameters)).map_err(|e| explain(&e))?;
        for batch in answer {
            each(&Columns { batch: &batch.map_err(|e| explain(&e))? })?;
        }
        Ok(())
    }
}
