//! The order of merged rows: the same in memory and in the database.
//!
//! Owns the sorted field, comparing rows by it, and the two pieces of SQL that say the same: the order and "behind this
//! row". Fields that hold numbers as text are compared as numbers where the link says so. Empty fields stand last in
//! both directions; rows with equal fields stand by key, ascending.
//!
//! Invariant: a row is behind itself in no order, and of two rows with different keys one is behind the other.

use std::cmp::Ordering;

use plimsoll_core::table::{ColumnType, TableShape};
use plimsoll_core::value::Value;
use plimsoll_store::DatabaseKind;

use super::declare::Link;
use super::read::MergedRow;

/// In which order rows are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sort {
    /// By this field; by key without one.
    pub field: Option<String>,
    /// The largest first.
    pub descending: bool,
}

/// An order over the rows of one link in one store.
pub(super) struct Order<'a> {
    key: &'a str,
    /// The field's place among the link's fields, and what the database compares.
    field: Option<(usize, String)>,
    numbers: bool,
    descending: bool,
    /// The type that a parameter is compared as.
    cast: Option<&'static str>,
}

const NOTHING: Value = Value::Null;

impl<'a> Order<'a> {
    /// The order that `sort` asks for. A field that there is not sorts by key; the caller refuses it.
    pub(super) fn new(kind: DatabaseKind, link: &'a dyn Link, shape: &TableShape, sort: &Sort) -> Self {
        let mirror = link.mirror();
        let name = sort.field.as_deref();
        let numbers = name.is_some_and(|name| link.holds_numbers(name));
        let column = name.and_then(|name| shape.columns.get(shape.position(name)?));
        let is_text = column.is_some_and(|column| column.column_type == ColumnType::Text);
        let (expression, cast): (fn(&str) -> String, _) = match (kind, numbers) {
            (DatabaseKind::Sqlite, true) => (|name| format!("CAST({name} AS REAL)"), Some("REAL")),
            (DatabaseKind::Postgres, true) => {
                (|name| format!("CAST({name} AS double precision)"), Some("double precision"))
            }
            // By bytes, as in memory, whatever language the database sorts by.
            (DatabaseKind::Postgres, false) if is_text => (|name| format!("{name} COLLATE \"C\""), None),
            _ => (str::to_owned, None),
        };
        let place = name.and_then(|name| mirror.fields.iter().position(|known| *known == name));
        let field = place.and_then(|at| Some((at, expression(mirror.fields.get(at)?))));
        Self { key: mirror.key, field, numbers, descending: sort.descending, cast }
    }

    /// What a row holds in the sorted field.
    pub(super) fn value<'row>(&self, row: &'row MergedRow) -> &'row Value {
        self.field.as_ref().and_then(|(at, _)| row.fields.get(*at)).unwrap_or(&NOTHING)
    }

    /// Which of two rows stands first.
    pub(super) fn compare(&self, a: &MergedRow, b: &MergedRow) -> Ordering {
        self.between((self.value(a), &a.key), (self.value(b), &b.key))
    }

    /// Whether a row stands behind the place of another one.
    pub(super) fn is_behind(&self, row: &MergedRow, value: &Value, key: &str) -> bool {
        self.between((self.value(row), &row.key), (value, key)) == Ordering::Greater
    }

    fn between(&self, a: (&Value, &str), b: (&Value, &str)) -> Ordering {
        if self.field.is_none() {
            let by_key = a.1.cmp(b.1);
            return if self.descending { by_key.reverse() } else { by_key };
        }
        let by_value = match (a.0.is_null(), b.0.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => self.values(a.0, b.0),
        };
        let by_value = if self.descending { by_value.reverse() } else { by_value };
        by_value.then_with(|| a.1.cmp(b.1))
    }

    fn values(&self, a: &Value, b: &Value) -> Ordering {
        if self.numbers {
            let number =
                |value: &Value| value.as_text().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
            return number(a).total_cmp(&number(b));
        }
        match (a, b) {
            (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
            (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
            _ => a.as_text().unwrap_or_default().cmp(b.as_text().unwrap_or_default()),
        }
    }

    /// What follows `ORDER BY`.
    pub(super) fn clause(&self) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        match &self.field {
            None => format!("{}{direction}", self.key),
            Some((_, expression)) => {
                format!(
                    "CASE WHEN {expression} IS NULL THEN 1 ELSE 0 END, {expression}{direction}, {}",
                    self.key
                )
            }
        }
    }

    /// The condition that a row stands behind a place; its values go to `parameters`.
    pub(super) fn behind(&self, value: &Value, key: &str, parameters: &mut Vec<Value>) -> String {
        let sign = if self.descending { '<' } else { '>' };
        parameters.push(Value::text(key));
        let key_at = parameters.len();
        let Some((_, expression)) = &self.field else { return format!("{} {sign} ${key_at}", self.key) };
        if value.is_null() {
            return format!("({expression} IS NULL AND {} > ${key_at})", self.key);
        }
        parameters.push(value.clone());
        let held = match self.cast {
            // Bound as text, which every database takes.
            Some(cast) => format!("CAST(CAST(${} AS text) AS {cast})", parameters.len()),
            None => format!("${}", parameters.len()),
        };
        format!(
            "({expression} {sign} {held} OR ({expression} = {held} AND {} > ${key_at}) OR {expression} IS NULL)",
            self.key
        )
    }
}
