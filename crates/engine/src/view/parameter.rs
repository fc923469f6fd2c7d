//! Parameters of views.
//!
//! Owns the fixed set of them, so that a filter has the same name in every view of every system, and how a person
//! writes a value. An unset parameter filters nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use plimsoll_store::duckdb::Parameter;

use super::View;
use crate::error::EngineError;

/// Name of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A project, by its identifier or its folder.
    Project,
    /// An agent.
    Agent,
    /// A model, as `model` or `provider/model`.
    Model,
    /// A tool.
    Tool,
    /// A session, by its identifier.
    Session,
    /// An exchange, by its identifier.
    Exchange,
    /// From this moment or day on.
    From,
    /// Up to this moment, or to the end of this day.
    To,
    /// A text to look for.
    Text,
    /// So many rows at most.
    Limit,
}

impl Name {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Project,
        Self::Agent,
        Self::Model,
        Self::Tool,
        Self::Session,
        Self::Exchange,
        Self::From,
        Self::To,
        Self::Text,
        Self::Limit,
    ];

    /// As it is written in a header, in SQL after `$`, and on the command line after `--`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Agent => "agent",
            Self::Model => "model",
            Self::Tool => "tool",
            Self::Session => "session",
            Self::Exchange => "exchange",
            Self::From => "from",
            Self::To => "to",
            Self::Text => "text",
            Self::Limit => "limit",
        }
    }

    /// What it selects, for people.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Project => "project, by identifier or folder",
            Self::Agent => "agent",
            Self::Model => "model, as `model` or `provider/model`",
            Self::Tool => "tool",
            Self::Session => "session, by identifier",
            Self::Exchange => "exchange, by identifier",
            Self::From => "from this day or moment on (UTC)",
            Self::To => "to the end of this day, or up to this moment (UTC)",
            Self::Text => "text to look for",
            Self::Limit => "so many rows at most",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word)
    }

    pub(super) fn refusal(word: &str) -> String {
        format!("`{word}` is none of {}", list(&Self::ALL))
    }

    pub(super) const fn sql_type(self) -> &'static str {
        match self {
            Self::From | Self::To => "TIMESTAMP",
            Self::Limit => "BIGINT",
            _ => "VARCHAR",
        }
    }
}

fn list(names: &[Name]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Values for parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    values: BTreeMap<Name, Parameter>,
}

impl Parameters {
    /// None set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more; for callers that know their values.
    ///
    /// # Errors
    /// As [`Parameters::set`].
    pub fn with(mut self, name: &str, text: &str) -> Result<Self, EngineError> {
        self.set(name, text)?;
        Ok(self)
    }

    /// Sets a parameter from what a person wrote. A day is `2026-01-31`; a moment `2026-01-31T12:30:00`, with `Z`, an
    /// offset or nothing for UTC.
    ///
    /// # Errors
    /// An unknown name, or a text that is no day, moment or number where one is asked for.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), EngineError> {
        let name = Name::read(name)
            .ok_or_else(|| EngineError::usage(format!("no view has a parameter {}", Name::refusal(name))))?;
        let value = match name {
            Name::From | Name::To => Parameter::Timestamp(moment(name, text)?),
            Name::Limit => match text.parse::<i64>() {
                Ok(limit) if limit >= 0 => Parameter::Integer(limit),
                _ => return Err(EngineError::usage(format!("`limit` is a whole number, not `{text}`"))),
            },
            _ => Parameter::Text(text.to_owned()),
        };
        self.values.insert(name, value);
        Ok(())
    }

    /// The values in this order, null for those that are not set.
    pub(super) fn bound(&self, order: &[Name]) -> Vec<Parameter> {
        order.iter().map(|name| self.values.get(name).cloned().unwrap_or(Parameter::Null)).collect()
    }

    /// Refuses parameters that the view does not have, and a time that ends before it begins.
    pub(super) fn fit(&self, view: &View) -> Result<(), EngineError> {
        if let Some(name) = self.values.keys().find(|name| !view.parameters.contains(name)) {
            let has = if view.parameters.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", list(&view.parameters))
            };
            let message = format!("view `{}` has no parameter `{}`\nhint: {has}", view.name, name.as_str());
            return Err(EngineError::usage(message));
        }
        match (self.values.get(&Name::From), self.values.get(&Name::To)) {
            (Some(Parameter::Timestamp(from)), Some(Parameter::Timestamp(to))) if from >= to => {
                Err(EngineError::usage("`from` is not before `to`: nothing lies between"))
            }
            _ => Ok(()),
        }
    }
}

/// Microseconds since 1970. As the end of a span, a day means the beginning of the next one.
fn moment(name: Name, text: &str) -> Result<i64, EngineError> {
    let refused = || {
        let message = format!("`{}`: `{text}` is neither a day nor a moment", name.as_str());
        EngineError::usage(format!("{message}\nhint: write 2026-01-31 or 2026-01-31T12:30:00 (UTC)"))
    };
    if let (10, Ok(day)) = (text.len(), text.parse::<Date>()) {
        let day = if name == Name::To { day.tomorrow().map_err(|_| refused())? } else { day };
        return utc(day.at(0, 0, 0, 0)).ok_or_else(refused);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.as_microsecond());
    }
    text.parse::<DateTime>().ok().and_then(utc).ok_or_else(refused)
}

fn utc(moment: DateTime) -> Option<i64> {
    Some(TimeZone::UTC.to_timestamp(moment).ok()?.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn value(name: &str, text: &str) -> Result<Parameter, String> {
        let parameters = Parameters::new().with(name, text).map_err(|error| error.message)?;
        Ok(parameters.bound(&[Name::read(name).unwrap()])[0].clone())
    }

    #[test]
    fn a_day_is_inclusive_as_an_end_and_a_moment_is_not() {
        assert_eq!(value("from", "1970-01-02"), Ok(Parameter::Timestamp(24 * HOUR)));
        assert_eq!(value("to", "1970-01-02"), Ok(Parameter::Timestamp(48 * HOUR)));
        assert_eq!(value("to", "1970-01-02T03:00:00"), Ok(Parameter::Timestamp(27 * HOUR)));
        assert_eq!(value("to", "1970-01-02T03:00:00Z"), Ok(Parameter::Timestamp(27 * HOUR)));
        assert_eq!(
            value("from", "1970-01-02T03:00:00.5+02:00"),
            Ok(Parameter::Timestamp(25 * HOUR + 500_000))
        );
    }

    #[test]
    fn what_is_no_value_is_refused_with_a_hint() {
        assert!(value("from", "yesterday").unwrap_err().contains("hint: write 2026-01-31"));
        assert!(value("to", "2026-02-30").is_err());
        assert!(value("limit", "-1").is_err());
        assert!(value("limit", "ten").is_err());
        assert!(Parameters::new().with("colour", "x").unwrap_err().message.contains("project, agent"));
    }
}
