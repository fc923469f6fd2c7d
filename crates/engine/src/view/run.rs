//! Running a view.
//!
//! Owns the answer as a table with typed columns. Nothing is written.

use plimsoll_store::analytics::{ColumnType, OwnedCell};
use plimsoll_store::duckdb::Analytics;

use super::bind::Statement;
use super::parameter::Parameters;
use super::{Shape, View};
use crate::error::EngineError;

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name; in an object, points make objects within it.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
}

/// The answer of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Whether it stands for one object.
    pub shape: Shape,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<OwnedCell>>,
    /// The lists of an object.
    pub sections: Vec<Section>,
}

/// A list in an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Its rows.
    pub table: Table,
}

impl Table {
    /// A list without columns and rows.
    pub(crate) fn empty() -> Self {
        Self { shape: Shape::Rows, columns: Vec::new(), rows: Vec::new(), sections: Vec::new() }
    }

    /// The position of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|found| found.name == column)
    }

    /// One cell; null where there is no such row or column.
    pub fn cell(&self, row: usize, column: &str) -> &OwnedCell {
        let cells = self.rows.get(row);
        self.position(column).and_then(|at| cells?.get(at)).unwrap_or(&OwnedCell::Null)
    }

    /// The section of this name.
    pub fn section(&self, name: &str) -> Option<&Self> {
        self.sections.iter().find(|section| section.name == name).map(|section| &section.table)
    }
}

impl View {
    /// Runs the view.
    ///
    /// # Errors
    /// A parameter that it does not have, or what the database says.
    pub fn run(&self, store: &Analytics, parameters: &Parameters) -> Result<Table, EngineError> {
        parameters.fit(self)?;
        self.gather(&|statement| {
            let answer = store.query(&statement.sql, &parameters.bound(&statement.order))?;
            Ok(table(self.shape, answer.columns, answer.rows))
        })
    }

    /// The columns with their types, without running it; lists of an object come as sections.
    ///
    /// # Errors
    /// What the database says.
    pub fn columns(&self, store: &Analytics) -> Result<Table, EngineError> {
        let parameters = Parameters::new();
        self.gather(&|statement| {
            let sql = format!("SELECT * FROM (\n{}\n) LIMIT 0", statement.sql);
            let answer = store.query(&sql, &parameters.bound(&statement.order))?;
            Ok(table(self.shape, answer.columns, Vec::new()))
        })
    }

    fn gather(&self, ask: &dyn Fn(&Statement) -> Result<Table, EngineError>) -> Result<Table, EngineError> {
        let mut gathered: Option<Table> = None;
        for statement in &self.statements {
            let mut answer =
                ask(statement).map_err(|error| error.during(&format!("view `{}`", self.name)))?;
            match (&mut gathered, statement.section) {
                (Some(table), Some(name)) => {
                    answer.shape = Shape::Rows;
                    table.sections.push(Section { name, table: answer });
                }
                _ => gathered = Some(answer),
            }
        }
        gathered.ok_or_else(|| EngineError::usage(format!("view `{}` has no statement", self.name)))
    }
}

fn table(shape: Shape, columns: Vec<(String, String)>, rows: Vec<Vec<OwnedCell>>) -> Table {
    let columns = columns.into_iter().map(|(name, kind)| Column { name, kind: column_type(&kind) }).collect();
    Table { shape, columns, rows, sections: Vec::new() }
}

/// The type of a column by the database's name for it.
pub(crate) fn column_type(name: &str) -> ColumnType {
    match name {
        "BOOLEAN" => ColumnType::Boolean,
        "DATE" => ColumnType::Date,
        "DOUBLE" | "FLOAT" => ColumnType::Double,
        "JSON" => ColumnType::Json,
        _ if name.starts_with("TIMESTAMP") => ColumnType::Timestamp,
        _ if name.starts_with("DECIMAL") && !name.ends_with(",0)") => ColumnType::Money,
        _ if name.starts_with("DECIMAL")
            || name.ends_with("INT")
            || name == "INTEGER"
            || name == "UINTEGER" =>
        {
            ColumnType::Integer
        }
        _ => ColumnType::Text,
    }
}
