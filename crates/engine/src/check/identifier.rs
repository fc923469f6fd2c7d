//! Names and texts in SQL.
//!
//! Owns the only two ways in which a declared name or value becomes part of a statement: quoted as an identifier, or
//! quoted as a text. Data from outside is never written into a statement; it is a parameter.

use std::fmt;

/// The name of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// A name as the database has it.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(name.as_ref().to_owned())
    }

    /// The name as the database has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As an identifier.
    pub(super) fn quoted(&self) -> String {
        quoted(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a table, with its schema where it has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The schema.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
}

impl TableName {
    /// Reads `table` or `schema.table`.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (schema, name) = match text.split_once('.') {
            None => (None, text),
            Some((schema, name)) => (Some(schema), name),
        };
        if name.is_empty() || name.contains('.') || schema.is_some_and(str::is_empty) {
            return None;
        }
        Some(Self { schema: schema.map(str::to_owned), name: name.to_owned() })
    }

    /// As identifiers.
    pub(super) fn quoted(&self) -> String {
        match &self.schema {
            None => quoted(&self.name),
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.name)),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            None => f.write_str(&self.name),
            Some(schema) => write!(f, "{schema}.{}", self.name),
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A declared value as a text in SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A declared value as a number in SQL where it is one, or else as a text.
pub(super) fn number_or_text(text: &str) -> String {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    if plain { text.to_owned() } else { literal(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_value_cannot_end_its_quotes() {
        assert_eq!(Name::new("a\"; DROP TABLE t; --").quoted(), "\"a\"\"; DROP TABLE t; --\"");
        assert_eq!(literal("O'Neil'; --"), "'O''Neil''; --'");
        assert_eq!(number_or_text("-12.5"), "-12.5");
        assert_eq!(number_or_text("1; DROP TABLE t"), "'1; DROP TABLE t'");
        assert_eq!(number_or_text("1.2.3"), "'1.2.3'");
        assert_eq!(number_or_text("--1"), "'--1'");
        assert_eq!(number_or_text("2026-01-01"), "'2026-01-01'");
    }

    #[test]
    fn a_table_has_at_most_one_schema() {
        assert_eq!(TableName::read("sales.orders").unwrap().quoted(), "\"sales\".\"orders\"");
        for wrong in ["", ".", "a.", ".a", "a.b.c"] {
            assert!(TableName::read(wrong).is_none(), "{wrong}");
        }
    }
}
