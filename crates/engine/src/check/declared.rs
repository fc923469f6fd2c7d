//! How a check is declared: the header of an SQL file, or an entry of a TOML file.
//!
//! Owns reading both into one form, in which a check then looks for its keys. What the keys mean is [`super::kind`]'s.
//!
//! Invariant: an unknown key, a key that is there twice and a value of another type are errors that name the place.

use crate::error::EngineError;
use crate::view::{Header, split};

/// One declared check: keys with their values as texts, and its SQL.
pub(super) struct Declared<'text> {
    /// Its name.
    pub(super) name: String,
    place: Place<'text>,
    values: Vec<(String, String)>,
    /// The statement that gives the value.
    pub(super) sql: Option<String>,
    /// The statement that gives sample rows.
    pub(super) sample: Option<String>,
}

enum Place<'text> {
    Header(Header<'text>),
    Entry(String),
}

impl<'text> Declared<'text> {
    /// Reads an SQL file; `origin` names it where it is not one of a system's own.
    pub(super) fn of_sql(text: &'text str, origin: Option<&'text str>) -> Result<Self, EngineError> {
        let header = Header::read_from("check", origin, text)?;
        let parts = split(&header, "sample");
        let mut statements = Vec::new();
        for part in &parts {
            let sql = part.sql.trim().trim_end_matches(';').trim_end();
            let bare = sql.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("--"));
            if bare && part.line != header.body_line {
                return Err(header.wrong_at(part.line, "there is no statement"));
            }
            statements.push((!bare).then(|| sql.to_owned()));
        }
        if let Some(third) = parts.get(2) {
            return Err(header.wrong_at(third.line, "there is a second sample"));
        }
        let mut statements = statements.into_iter();
        let values = header.fields().skip(1).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Ok(Self {
            name: header.name.to_owned(),
            values,
            sql: statements.next().flatten(),
            sample: statements.next().flatten(),
            place: Place::Header(header),
        })
    }

    /// Reads a TOML file: entries `[[check]]` with the same keys, and `sql` and `sample` for the statements.
    pub(super) fn of_toml(text: &str, origin: &str) -> Result<Vec<Self>, EngineError> {
        let file: toml::Table =
            toml::from_str(text).map_err(|error| EngineError::usage(format!("{origin}: {error}")))?;
        if let Some(other) = file.keys().find(|key| *key != "check") {
            return Err(EngineError::usage(format!("{origin}: `{other}` is not `[[check]]`")));
        }
        let entries = match file.get("check") {
            Some(toml::Value::Array(entries)) => entries.as_slice(),
            Some(_) => {
                return Err(EngineError::usage(format!("{origin}: write `[[check]]` with two brackets")));
            }
            None => &[],
        };
        entries.iter().enumerate().map(|(at, entry)| Self::of_entry(entry, at, origin)).collect()
    }

    fn of_entry(entry: &toml::Value, at: usize, origin: &str) -> Result<Self, EngineError> {
        let place = format!("{origin}, check {}", at + 1);
        let wrong = |key: &str, reason: &str| EngineError::usage(format!("{place}: `{key}`: {reason}"));
        let Some(entry) = entry.as_table() else { return Err(wrong("check", "is not a table")) };
        let mut declared = Self {
            name: String::new(),
            place: Place::Entry(place.clone()),
            values: Vec::new(),
            sql: None,
            sample: None,
        };
        for (key, value) in entry {
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Float(number) => number.to_string(),
                toml::Value::Boolean(value) => value.to_string(),
                toml::Value::Array(_) => {
                    serde_json::to_string(value).map_err(|error| wrong(key, &error.to_string()))?
                }
                toml::Value::Datetime(moment) => moment.to_string(),
                toml::Value::Table(_) => {
                    return Err(wrong(key, "is a table; a text, number or list is asked"));
                }
            };
            match key.as_str() {
                "name" => declared.name = text,
                "sql" => declared.sql = Some(text.trim().trim_end_matches(';').to_owned()),
                "sample" => declared.sample = Some(text.trim().trim_end_matches(';').to_owned()),
                _ => declared.values.push((key.clone(), text)),
            }
        }
        let proper = !declared.name.is_empty()
            && declared.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !proper {
            return Err(wrong("name", "a name is lower-case letters, digits and hyphens"));
        }
        declared.place = Place::Entry(format!("{origin}, check `{}`", declared.name));
        Ok(declared)
    }

    /// Refuses keys that are not among `known`.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), EngineError> {
        let Some((key, _)) = self.values.iter().find(|(key, _)| !known.contains(&key.as_str())) else {
            return Ok(());
        };
        match &self.place {
            Place::Header(header) => {
                let mut all = vec!["check"];
                all.extend(known);
                header.only(&all)
            }
            Place::Entry(place) => {
                Err(EngineError::usage(format!("{place}: `{key}` is none of name, {}", known.join(", "))))
            }
        }
    }

    /// The value of a key, if it is there.
    pub(super) fn found(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The value of a key that must be there and not be empty.
    pub(super) fn needed(&self, key: &str) -> Result<&str, EngineError> {
        match (self.found(key), &self.place) {
            (Some(value), _) if !value.is_empty() => Ok(value),
            (_, Place::Header(header)) => header.needed(key),
            (Some(_), Place::Entry(_)) => Err(self.wrong(key, "is empty")),
            (None, Place::Entry(_)) => Err(self.wrong(key, "is missing")),
        }
    }

    /// The parts of a value: a JSON list, or else what commas or spaces set apart. Values with spaces in them need commas.
    pub(super) fn list(&self, key: &str) -> Result<Vec<String>, EngineError> {
        let Some(text) = self.found(key) else { return Ok(Vec::new()) };
        if text.trim_start().starts_with('[') {
            let values: Vec<serde_json::Value> =
                serde_json::from_str(text).map_err(|error| self.wrong(key, &error.to_string()))?;
            return values
                .into_iter()
                .map(|value| match value {
                    serde_json::Value::String(text) => Ok(text),
                    serde_json::Value::Number(number) => Ok(number.to_string()),
                    serde_json::Value::Bool(value) => Ok(value.to_string()),
                    other => Err(self.wrong(key, &format!("`{other}` is neither a text nor a number"))),
                })
                .collect();
        }
        let comma = text.contains(',');
        let parts = text.split(|c: char| if comma { c == ',' } else { c == ' ' });
        Ok(parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
    }

    /// An error about a key's value.
    pub(super) fn wrong(&self, key: &str, reason: &str) -> EngineError {
        match &self.place {
            Place::Header(header) => header.wrong(key, reason),
            Place::Entry(place) => EngineError::usage(format!("{place}: `{key}`: {reason}")),
        }
    }

    /// An error about its statements.
    pub(super) fn wrong_sql(&self, reason: &str) -> EngineError {
        match &self.place {
            Place::Header(header) => header.wrong_at(header.body_line, reason),
            Place::Entry(place) => EngineError::usage(format!("{place}: `sql`: {reason}")),
        }
    }
}
