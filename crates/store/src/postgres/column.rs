//! Columns: how each declared type is sent, read and compared.
//!
//! Owns the expressions in which a column appears in generated SQL, and which values fit it. A type without
//! a form of its own travels as text, which its input function reads and its output function printed, so
//! every type that PostgreSQL knows makes the round trip.
//!
//! Invariants:
//! - A comparison with a row's `before` is exact: bits for floats, printed text for decimals and JSON,
//!   bytes for text whatever its collation says.
//! - A write never shortens silently: text is assigned, not cast, to a column with a length.

use std::borrow::Cow;

use ::postgres::types::ToSql;
use plimsoll_core::table::{Column, ColumnType};
use plimsoll_core::value::Value;

use super::wire::{Bound, is_read_directly};
use crate::error::{ErrorClass, StoreError};

/// What carries a column's values to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// `boolean`.
    Boolean,
    /// `bigint`.
    Integer,
    /// `double precision`.
    Float,
    /// `bytea`.
    Bytes,
    /// `text`.
    Text,
}

impl Carrier {
    /// The name of the SQL type.
    pub(super) fn sql_type(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "bigint",
            Self::Float => "double precision",
            Self::Bytes => "bytea",
            Self::Text => "text",
        }
    }
}

/// How one column is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Treatment {
    /// The quoted name.
    pub(super) name: String,
    /// What carries its values.
    pub(super) carrier: Carrier,
    /// The declared type without length, precision or scale; with them it would shorten when cast to.
    base: String,
    kind: Kind,
    /// Whether ordering by it needs `COLLATE "C"` to be the order of its bytes.
    pub(super) collated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Carried as what it is; `=` is exact.
    Native,
    /// Floats: `=` takes -0 for 0.
    Float,
    /// Text, `varchar`, `name`.
    Text,
    /// `char(n)`: a cast to text would drop its padding.
    Padded,
    /// Text form in, cast by the server; `=` is exact (instants, dates).
    Exact,
    /// Text form in, cast by the server; compared by text form.
    Printed,
    /// As `Printed`, and the type has no equality, or one that means something else (boxes: the area).
    Incomparable,
}

impl Treatment {
    /// The treatment of a column. `collated` as in [`Self::collated`].
    pub(super) fn of(column: &Column, collated: bool) -> Self {
        let base = base_type(&column.declared);
        let (carrier, kind) = match column.column_type {
            ColumnType::Boolean => (Carrier::Boolean, Kind::Native),
            ColumnType::Integer => (Carrier::Integer, Kind::Native),
            ColumnType::Float => (Carrier::Float, Kind::Float),
            ColumnType::Bytes => (Carrier::Bytes, Kind::Native),
            ColumnType::Timestamp | ColumnType::Date => (Carrier::Text, Kind::Exact),
            ColumnType::Decimal => (Carrier::Text, Kind::Printed),
            ColumnType::Json => (Carrier::Text, Kind::Incomparable),
            ColumnType::Text => (
                Carrier::Text,
                match base.as_str() {
                    "text" | "character varying" | "name" => Kind::Text,
                    "bpchar" => Kind::Padded,
                    "xml" | "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" => {
                        Kind::Incomparable
                    }
                    _ => Kind::Printed,
                },
            ),
        };
        Self { name: quoted(&column.name), carrier, base, kind, collated }
    }

    /// True when the binary form of the carrier is that of the column itself.
    pub(super) fn is_copied(&self) -> bool {
        matches!(
            (self.carrier, self.base.as_str()),
            (Carrier::Boolean, "boolean")
                | (Carrier::Integer, "bigint")
                | (Carrier::Float, "double precision")
                | (Carrier::Bytes, "bytea")
                | (Carrier::Text, "text" | "character varying")
        )
    }

    /// The expression that reads the column of the row `row`.
    pub(super) fn reading(&self, row: &str) -> String {
        self.reading_of(&format!("{row}.{}", self.name))
    }

    /// The expression that reads any expression of the column's type.
    pub(super) fn reading_of(&self, expression: &str) -> String {
        if is_read_directly(&self.base) { expression.to_owned() } else { format!("({expression})::text") }
    }

    /// The expression to assign, from a carried value.
    pub(super) fn writing(&self, carried: &str) -> String {
        match self.kind {
            Kind::Native | Kind::Float | Kind::Text | Kind::Padded => carried.to_owned(),
            Kind::Exact | Kind::Printed | Kind::Incomparable => format!("{carried}::{}", self.base),
        }
    }

    /// The condition that the column of row `row` holds exactly a carried value, null included.
    pub(super) fn unchanged(&self, row: &str, carried: &str) -> String {
        let column = format!("{row}.{}", self.name);
        match self.kind {
            Kind::Native => format!("{column} IS NOT DISTINCT FROM {carried}"),
            Kind::Exact => format!("{column} IS NOT DISTINCT FROM {carried}::{}", self.base),
            Kind::Float => {
                format!("float8send({column}::float8) IS NOT DISTINCT FROM float8send({carried})")
            }
            Kind::Padded => {
                format!("textin(bpcharout({column})) IS NOT DISTINCT FROM {carried} COLLATE \"C\"")
            }
            Kind::Text | Kind::Printed | Kind::Incomparable => {
                format!("{column}::text IS NOT DISTINCT FROM {carried} COLLATE \"C\"")
            }
        }
    }

    /// The condition that the column is exactly the same in two rows, null included.
    pub(super) fn same(&self, one: &str, other: &str) -> String {
        let (one, other) = (format!("{one}.{}", self.name), format!("{other}.{}", self.name));
        match self.kind {
            Kind::Native | Kind::Exact => format!("{one} IS NOT DISTINCT FROM {other}"),
            Kind::Float => {
                format!("float8send({one}::float8) IS NOT DISTINCT FROM float8send({other}::float8)")
            }
            Kind::Padded => format!(
                "textin(bpcharout({one})) IS NOT DISTINCT FROM textin(bpcharout({other})) COLLATE \"C\""
            ),
            Kind::Text | Kind::Printed | Kind::Incomparable => {
                format!("{one}::text IS NOT DISTINCT FROM {other}::text COLLATE \"C\"")
            }
        }
    }

    /// The condition that finds the row: equality as the database means it, so that an index serves.
    pub(super) fn matching(&self, row: &str, carried: &str) -> String {
        let column = format!("{row}.{}", self.name);
        match self.kind {
            Kind::Native | Kind::Float | Kind::Text => format!("{column} = {carried}"),
            Kind::Padded | Kind::Exact | Kind::Printed => format!("{column} = {carried}::{}", self.base),
            Kind::Incomparable => format!("{column}::text = {carried} COLLATE \"C\""),
        }
    }

    /// The condition that identifies the row of a compare-and-set: by index, and exactly.
    pub(super) fn identified(&self, row: &str, carried: &str) -> String {
        let matching = self.matching(row, carried);
        match self.kind {
            Kind::Native | Kind::Exact => matching,
            _ => format!("{matching} AND {}", self.unchanged(row, carried)),
        }
    }

    /// The expression to order by.
    pub(super) fn ordering(&self, row: &str) -> String {
        let collate = if self.collated { " COLLATE \"C\"" } else { "" };
        format!("{row}.{}{collate}", self.name)
    }

    /// True when only the server knows whether a text is a value of this type.
    pub(super) fn needs_the_server(&self, carried: &Carried<'_>) -> bool {
        let Carried::Text(text) = carried else { return false };
        match (self.kind, self.base.as_str()) {
            (Kind::Text | Kind::Padded, _) => false,
            (_, "timestamp with time zone") => {
                !plimsoll_core::value::is_timestamp(text) || text.starts_with("0000")
            }
            (_, "date") => !plimsoll_core::value::is_date(text) || text.starts_with("0000"),
            (_, "numeric") => !plimsoll_core::value::is_decimal(text) || text.len() > 1000,
            (_, "uuid") => !is_plain_uuid(text),
            // Compared as text, never cast.
            (Kind::Incomparable, _) => false,
            _ => true,
        }
    }
}

/// A value as its column's carrier takes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Carried<'value> {
    /// Null of any type.
    Null,
    /// For [`Carrier::Boolean`].
    Boolean(bool),
    /// For [`Carrier::Integer`].
    Integer(i64),
    /// For [`Carrier::Float`].
    Float(f64),
    /// For [`Carrier::Bytes`].
    Bytes(&'value [u8]),
    /// For [`Carrier::Text`].
    Text(Cow<'value, str>),
}

impl Carried<'_> {
    /// The value as a statement's parameter.
    pub(super) fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Null => &Bound(&Value::Null),
            Self::Boolean(value) => value,
            Self::Integer(value) => value,
            Self::Float(value) => value,
            Self::Bytes(value) => value,
            Self::Text(value) => value,
        }
    }
}

/// The value as the column's carrier takes it.
///
/// # Errors
/// Class `value` when it cannot be stored there without a change of meaning.
pub(super) fn carried<'value>(column: &Column, value: &'value Value) -> Result<Carried<'value>, StoreError> {
    let refuse = |problem: &str| {
        let message = format!(
            "column {} is {} and cannot hold {} {value}: {problem}",
            column.name,
            column.declared,
            value.type_name()
        );
        StoreError::new(ErrorClass::Value, message)
    };
    let text = value.as_text();
    let carried = match (column.column_type, value) {
        (_, Value::Null) => Some(Carried::Null),
        (ColumnType::Boolean, Value::Boolean(value)) => Some(Carried::Boolean(*value)),
        (ColumnType::Boolean, Value::Integer(value @ (0 | 1))) => Some(Carried::Boolean(*value == 1)),
        (ColumnType::Boolean, _) => text.and_then(truth).map(Carried::Boolean),
        (ColumnType::Integer, Value::Integer(value)) => Some(Carried::Integer(*value)),
        (ColumnType::Integer, Value::Float(value)) => whole(*value).map(Carried::Integer),
        (ColumnType::Integer, _) => text.and_then(|text| text.trim().parse().ok()).map(Carried::Integer),
        (ColumnType::Float, Value::Float(value)) => Some(Carried::Float(*value)),
        (ColumnType::Float, Value::Integer(value)) => {
            whole(*value as f64).filter(|back| back == value).map(|_| Carried::Float(*value as f64))
        }
        (ColumnType::Float, _) => text.and_then(|text| text.trim().parse().ok()).map(Carried::Float),
        (ColumnType::Bytes, Value::Bytes(bytes)) => Some(Carried::Bytes(bytes)),
        (ColumnType::Bytes, _) | (_, Value::Bytes(_)) => None,
        (ColumnType::Timestamp | ColumnType::Date, _) => text.map(|text| Carried::Text(text.into())),
        (_, Value::Boolean(_)) if column.column_type == ColumnType::Decimal => None,
        (ColumnType::Decimal | ColumnType::Json | ColumnType::Text, value) => {
            Some(Carried::Text(match value {
                Value::Boolean(value) => Cow::Owned(value.to_string()),
                Value::Integer(value) => Cow::Owned(value.to_string()),
                Value::Float(value) => Cow::Owned(float_text(*value)),
                _ => Cow::Borrowed(text.unwrap_or_default()),
            }))
        }
    };
    match carried {
        Some(Carried::Text(text)) if text.contains('\0') => {
            Err(refuse("PostgreSQL stores no NUL character in text"))
        }
        Some(carried) => Ok(carried),
        None => Err(refuse("the types differ")),
    }
}

/// The words that PostgreSQL reads as truth values.
fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// The integer that a float is, when it is one.
fn whole(value: f64) -> Option<i64> {
    // 2^63 itself is out of range, and the next smaller float is in.
    let fits =
        value.fract() == 0.0 && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    fits.then_some(value as i64)
}

fn float_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        value.to_string()
    }
}

/// True for the form in which PostgreSQL prints a UUID, in either case.
pub(super) fn is_plain_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}

/// The declared type without what stands in parentheses, as a name to cast to.
///
/// `character` and `bit` alone would mean a length of one, so they get the names without a length.
pub(super) fn base_type(declared: &str) -> String {
    let mut base = String::with_capacity(declared.len());
    let (mut quoted, mut depth) = (false, 0_u32);
    for character in declared.chars() {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth = depth.saturating_sub(1);
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            base.push(character);
        }
    }
    let (element, array) = base.split_at(base.find('[').unwrap_or(base.len()));
    match element {
        "character" => format!("bpchar{array}"),
        "bit" => format!("\"bit\"{array}"),
        _ => base,
    }
}

/// What stands in the parentheses of a declared type, as numbers.
pub(super) fn modifiers(declared: &str) -> Vec<i64> {
    let inside = declared.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let numbers = inside.map(|(inside, _)| inside.split(',').map(|part| part.trim().parse::<i64>()));
    numbers.into_iter().flatten().flatten().collect()
}

/// The type that a resolved declared type stands for.
pub(super) fn column_type(declared: &str) -> ColumnType {
    match base_type(declared).as_str() {
        "boolean" => ColumnType::Boolean,
        "smallint" | "integer" | "bigint" => ColumnType::Integer,
        "real" | "double precision" => ColumnType::Float,
        "numeric" => ColumnType::Decimal,
        "bytea" => ColumnType::Bytes,
        "timestamp with time zone" => ColumnType::Timestamp,
        "date" => ColumnType::Date,
        "json" | "jsonb" => ColumnType::Json,
        _ => ColumnType::Text,
    }
}

/// An identifier as SQL quotes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_taken_off_a_type_but_not_off_a_name() {
        for (declared, base) in [
            ("character varying(5)", "character varying"),
            ("character(5)[]", "bpchar[]"),
            ("bit(3)", "\"bit\""),
            ("timestamp(3) with time zone", "timestamp with time zone"),
            ("\"odd(1)\"", "\"odd(1)\""),
            ("numeric(10,2)[]", "numeric[]"),
        ] {
            assert_eq!(base_type(declared), base);
        }
        assert_eq!(modifiers("numeric(10,2)"), [10, 2]);
        assert!(modifiers("text").is_empty());
    }

    #[test]
    fn values_that_would_change_their_meaning_are_refused() {
        let column = |declared: &str| Column {
            name: "c".into(),
            column_type: column_type(declared),
            declared: declared.into(),
            nullable: true,
        };
        for (declared, value) in [
            ("bigint", Value::text("12x")),
            ("bigint", Value::Float(1.5)),
            ("bigint", Value::Float(9_223_372_036_854_775_808.0)),
            ("double precision", Value::Integer(i64::MAX)),
            ("boolean", Value::Integer(2)),
            ("bytea", Value::text("x")),
            ("text", Value::Bytes(vec![1])),
            ("text", Value::text("a\0b")),
        ] {
            let error = carried(&column(declared), &value).unwrap_err();
            assert_eq!(error.class, ErrorClass::Value, "{declared} {value}");
        }
        assert_eq!(carried(&column("bigint"), &Value::Float(-2.0)).unwrap(), Carried::Integer(-2));
        assert_eq!(carried(&column("text"), &Value::Integer(7)).unwrap(), Carried::Text("7".into()));
    }
}
