//! The columns that tables have, as the database's catalog says.
//!
//! Owns reading them, once for each table of a run, and families of types.

use std::collections::HashMap;

use plimsoll_store::analytics::OwnedCell;

use super::answers::{Answers, Database};
use super::identifier::{Name, TableName};
use crate::error::EngineError;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) declared: String,
    pub(super) nullable: bool,
}

/// The columns of a table; none when there is no such table.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns(pub(super) Vec<Found>);

impl Columns {
    /// Their names in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|column| column.name.as_str())
    }

    /// The declared type of a column; empty when there is no such column.
    pub(super) fn type_of(&self, name: &Name) -> &str {
        self.0
            .iter()
            .find(|column| column.name == name.as_str())
            .map_or("", |column| column.declared.as_str())
    }

    /// That the column is there.
    ///
    /// # Errors
    /// When it is not; names those that are.
    pub(super) fn needed(&self, table: &TableName, name: &Name) -> Result<(), EngineError> {
        self.known(table)?;
        if self.names().any(|known| known == name.as_str()) {
            return Ok(());
        }
        let known: Vec<&str> = self.names().collect();
        Err(EngineError::usage(format!(
            "table `{table}` has no column `{name}`\nhint: it has {}",
            known.join(", ")
        )))
    }

    /// That the table is there.
    ///
    /// # Errors
    /// When it is not.
    pub(super) fn known(&self, table: &TableName) -> Result<(), EngineError> {
        if self.0.is_empty() {
            return Err(EngineError::usage(format!("there is no table `{table}`")));
        }
        Ok(())
    }
}

/// Columns of tables, read when they are first asked for.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    tables: HashMap<TableName, Result<Columns, EngineError>>,
}

impl Catalog {
    /// The columns of a table.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub(super) fn columns(
        &mut self,
        answers: &mut dyn Answers,
        table: &TableName,
    ) -> Result<Columns, EngineError> {
        self.tables.entry(table.clone()).or_insert_with(|| read(answers, table)).clone()
    }
}

fn read(answers: &mut dyn Answers, table: &TableName) -> Result<Columns, EngineError> {
    let name = table.name.as_str();
    let schema = table.schema.as_deref().unwrap_or_default();
    let answer = match answers.database() {
        Database::Sqlite => {
            let sql = "SELECT name, type, \"notnull\" FROM pragma_table_xinfo($1) WHERE hidden <> 1 ORDER BY cid";
            answers.ask(sql, &[name])?
        }
        Database::Postgres => answers.ask(
            "SELECT CAST(a.attname AS text), format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a \
             WHERE a.attrelid = to_regclass(CASE WHEN CAST($1 AS text) = '' THEN quote_ident(CAST($2 AS text)) \
             ELSE quote_ident(CAST($1 AS text)) || '.' || quote_ident(CAST($2 AS text)) END) AND a.attnum > 0 \
             AND NOT a.attisdropped ORDER BY a.attnum",
            &[schema, name],
        )?,
        Database::Duckdb => answers.ask(
            "SELECT column_name, data_type, is_nullable = 'NO' FROM information_schema.columns \
             WHERE table_name = $1 AND table_schema = CASE WHEN $2 = '' THEN 'main' ELSE $2 END \
             ORDER BY ordinal_position",
            &[name, schema],
        )?,
    };
    let column = |row: Vec<OwnedCell>| {
        let text = |at: usize| row.get(at).and_then(OwnedCell::as_text).unwrap_or_default().to_owned();
        let not_null = match row.get(2) {
            Some(OwnedCell::Boolean(value)) => *value,
            Some(OwnedCell::Integer(number)) => *number != 0,
            _ => false,
        };
        Found { name: text(0), declared: text(1), nullable: !not_null }
    };
    Ok(Columns(answer.rows.into_iter().map(column).collect()))
}

/// The family of a declared type: the same for `int`, `bigint` and `INTEGER`.
pub(super) fn family(declared: &str) -> String {
    let lower = declared.to_ascii_lowercase();
    let name = lower.split('(').next().unwrap_or_default().trim();
    let name = name.split(" without").next().unwrap_or_default().trim();
    match name {
        "int" | "integer" | "bigint" | "smallint" | "tinyint" | "int2" | "int4" | "int8" | "hugeint"
        | "serial" | "bigserial" | "long" | "short" => "integer",
        "text" | "varchar" | "character varying" | "char" | "character" | "bpchar" | "string" | "clob"
        | "uuid" | "name" => "text",
        "numeric" | "decimal" | "money" => "decimal",
        "real" | "float" | "double" | "double precision" | "float4" | "float8" | "number" => "double",
        "bool" | "boolean" => "boolean",
        "timestamp" | "timestamptz" | "timestamp with time zone" | "datetime" => "timestamp",
        "date" => "date",
        "time" | "time with time zone" | "timetz" => "time",
        "json" | "jsonb" => "json",
        "blob" | "bytea" | "bytes" | "binary" | "varbinary" => "bytes",
        other => return other.to_owned(),
    }
    .to_owned()
}

/// Whether values of the type may be "not a number".
pub(super) fn is_floating(declared: &str) -> bool {
    matches!(family(declared).as_str(), "double") || declared.to_ascii_lowercase().starts_with("numeric")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_three_databases_have_families() {
        for (declared, expected) in [
            ("bigint", "integer"),
            ("INTEGER", "integer"),
            ("character varying(20)", "text"),
            ("VARCHAR", "text"),
            ("numeric(12,4)", "decimal"),
            ("DECIMAL(18,10)", "decimal"),
            ("double precision", "double"),
            ("timestamp with time zone", "timestamp"),
            ("timestamp without time zone", "timestamp"),
            ("timestamp(3) without time zone", "timestamp"),
            ("jsonb", "json"),
            ("geometry", "geometry"),
        ] {
            assert_eq!(family(declared), expected, "{declared}");
        }
        assert!(is_floating("numeric(12,4)") && is_floating("DOUBLE") && !is_floating("DECIMAL(18,10)"));
    }
}
