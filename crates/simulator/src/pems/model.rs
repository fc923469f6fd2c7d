//! One row of the simulated PEMS, as it is stored.
//!
//! Owns the fields, their kinds, and what a row remembers of its earlier values. How a row looks on the wire
//! is decided by `schema`, which can drift away from the names here; what a row may hold by `rules`.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// How many changes a row remembers, so that a conflict can say which fields it is about.
const REMEMBERED_CHANGES: usize = 64;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Any text, or null.
    Text,
    /// `YYYY-MM-DD`, or null.
    Date,
    /// A decimal number written as text, for example `1250.00`, or null.
    Decimal,
    /// `Y` or `N`.
    Flag,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An instant of the simulated clock, RFC 3339 in UTC with microseconds.
    Instant,
    /// A whole number.
    Integer,
}

impl FieldKind {
    /// The word that the schema uses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Date => "date",
            Self::Decimal => "decimal",
            Self::Flag => "flag",
            Self::Choice(_) => "choice",
            Self::Instant => "instant",
            Self::Integer => "integer",
        }
    }
}

/// A field of the original schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldSpec {
    pub(crate) name: &'static str,
    pub(crate) kind: FieldKind,
    /// Must be given when a row is created.
    pub(crate) required: bool,
    /// False for what the system itself states.
    pub(crate) writable: bool,
}

const fn stated(name: &'static str, kind: FieldKind) -> FieldSpec {
    FieldSpec { name, kind, required: true, writable: false }
}

const fn required(name: &'static str, kind: FieldKind) -> FieldSpec {
    FieldSpec { name, kind, required: true, writable: true }
}

const fn optional(name: &'static str, kind: FieldKind) -> FieldSpec {
    FieldSpec { name, kind, required: false, writable: true }
}

/// The fields in the order in which the schema names them.
pub(crate) const FIELDS: [FieldSpec; 24] = [
    stated("pfs_id", FieldKind::Text),
    stated("pfs_organization", FieldKind::Text),
    optional("pfs_f_area", FieldKind::Text),
    optional("pfs_f_category", FieldKind::Text),
    optional("pfs_f_class", FieldKind::Text),
    required("pfs_f_source", FieldKind::Choice(&["Rental", "Purchase"])),
    required("pfs_f_dor", FieldKind::Choice(&["BEO", "PROJECT"])),
    optional("pfs_f_actualized", FieldKind::Flag),
    optional("pfs_f_discontinued", FieldKind::Flag),
    optional("pfs_f_fundstrans", FieldKind::Flag),
    optional("pfs_f_rental", FieldKind::Decimal),
    optional("pfs_f_purchase", FieldKind::Decimal),
    optional("pfs_f_manufacturer", FieldKind::Text),
    optional("pfs_f_model", FieldKind::Text),
    optional("pfs_p_projcode", FieldKind::Text),
    optional("pfs_equipment_tag", FieldKind::Text),
    optional("pfs_p_startdate", FieldKind::Date),
    optional("pfs_p_enddate", FieldKind::Date),
    optional("pfs_f_startdate", FieldKind::Date),
    optional("pfs_f_enddate", FieldKind::Date),
    optional("pfs_a_startdate", FieldKind::Date),
    optional("pfs_a_enddate", FieldKind::Date),
    stated("pfs_lastmodified", FieldKind::Instant),
    stated("version", FieldKind::Integer),
];

/// The values of a row by stored name: every writable field, and those that a drift added.
pub(crate) type Fields = Map<String, Value>;

/// A row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) organization: String,
    pub(crate) fields: Fields,
    pub(crate) modified: Timestamp,
    pub(crate) version: u64,
    /// What `X-Operation-Id` the last write carried.
    pub(crate) last_operation: Option<String>,
    /// The newest changes, oldest first: the version each led to, and the values it replaced.
    changes: VecDeque<(u64, Fields)>,
}

impl Row {
    /// A row without a past.
    pub(crate) fn new(
        id: String,
        organization: String,
        fields: Fields,
        modified: Timestamp,
        version: u64,
    ) -> Self {
        Self { id, organization, fields, modified, version, last_operation: None, changes: VecDeque::new() }
    }

    /// The text of a field; nothing when it is null or no text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// Takes over `changed`, one version further.
    pub(crate) fn change(&mut self, changed: &Fields, modified: Timestamp, operation: Option<String>) {
        let mut before = Fields::new();
        for (name, value) in changed {
            let replaced = self.fields.insert(name.clone(), value.clone());
            before.insert(name.clone(), replaced.unwrap_or(Value::Null));
        }
        self.version += 1;
        self.modified = modified;
        self.last_operation = operation;
        self.changes.push_back((self.version, before));
        if self.changes.len() > REMEMBERED_CHANGES {
            self.changes.pop_front();
        }
    }

    /// Those of `names` whose value is another than at version `base`; nothing when that is not known any
    /// more, or when there was no such version.
    pub(crate) fn changed_since<'a>(
        &self,
        base: u64,
        names: impl Iterator<Item = &'a String>,
    ) -> Option<Vec<&'a str>> {
        let known_from = self.version - self.changes.len() as u64;
        if base < known_from || base > self.version {
            return None;
        }
        let differs = |name: &&String| {
            let later = self.changes.iter().filter(|(version, _)| *version > base);
            let then = later.filter_map(|(_, before)| before.get(*name)).next();
            then.is_some_and(|then| Some(then) != self.fields.get(*name))
        };
        Some(names.filter(differs).map(String::as_str).collect())
    }
}

/// An instant as the wire has it: RFC 3339 in UTC, always with six decimals, so that texts sort like instants.
pub(crate) fn stamp(instant: Timestamp) -> String {
    format!("{instant:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_field_that_was_changed_and_changed_back_is_in_no_conflict() {
        let mut row =
            Row::new("1".into(), "A".into(), fields(json!({"a": 1, "b": 1})), Timestamp::UNIX_EPOCH, 1);
        for change in [json!({"a": 2}), json!({"b": 2}), json!({"a": 1})] {
            row.change(&fields(change), Timestamp::UNIX_EPOCH, None);
        }
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(row.changed_since(1, names.iter()), Some(vec!["b"]));
        assert_eq!(row.changed_since(2, names.iter()), Some(vec!["a", "b"]));
        assert_eq!(row.changed_since(4, names.iter()), Some(vec![]));
        assert_eq!(row.changed_since(0, names.iter()), None);
        assert_eq!(row.changed_since(5, names.iter()), None);
        for number in 0..REMEMBERED_CHANGES {
            row.change(&fields(json!({"a": number})), Timestamp::UNIX_EPOCH, None);
        }
        assert_eq!(row.changed_since(3, names.iter()), None, "a forgotten past is not guessed");
    }

    #[test]
    fn stamps_have_six_decimals_whatever_the_instant() {
        assert_eq!(stamp(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }
}
