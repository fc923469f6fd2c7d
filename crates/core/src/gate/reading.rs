//! Readings: what a piece of evidence said when it was asked.
//!
//! Owns the form in which every kind of evidence answers. It does not judge: a rule does.
//!
//! Invariant: what is no finite number is never an [`Outcome::Value`].

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "of")]
pub enum Outcome {
    /// A finite number.
    Value(f64),
    /// A number that is none: NaN or infinite.
    NotANumber,
    /// The question was answered with nothing: no row, a null, a report without a test.
    Empty,
    /// Nothing was ever recorded that could answer.
    Missing(String),
    /// The answer did not come in time; the limit in milliseconds.
    TimedOut(u64),
    /// Asking failed.
    Error(String),
}

impl Outcome {
    /// The outcome for a number that was computed.
    pub fn of(value: f64) -> Self {
        if value.is_finite() { Self::Value(value) } else { Self::NotANumber }
    }
}

/// One answer of one piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What was asked, so that it can be asked again.
    pub query: String,
    /// What came back.
    pub outcome: Outcome,
    /// On how much it rests, such as requests or rows; `None` where nothing can be counted.
    pub sample: Option<u64>,
    /// When the evidence came to be, as a time; `None` where it was measured just now.
    pub at: Option<String>,
    /// Until when it holds, as the one who recorded it said.
    pub expires_at: Option<String>,
    /// What it was computed from, for a person.
    pub basis: String,
    /// Everything else that the evidence holds, for expressions and reports.
    pub facts: Json,
    /// Whether the same evidence held in earlier evaluations, newest first; only where a rule looks back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<bool>,
}

impl Reading {
    /// A reading of a number.
    pub fn of(query: impl Into<String>, value: f64, basis: impl Into<String>) -> Self {
        Self::with(query, Outcome::of(value), basis)
    }

    /// A reading that is no number.
    pub fn with(query: impl Into<String>, outcome: Outcome, basis: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            outcome,
            sample: None,
            at: None,
            expires_at: None,
            basis: basis.into(),
            facts: Json::Null,
            earlier: Vec::new(),
        }
    }

    /// Nothing was recorded.
    pub fn missing(query: impl Into<String>, what: impl Into<String>) -> Self {
        Self::with(query, Outcome::Missing(what.into()), "")
    }

    /// Asking failed.
    pub fn error(query: impl Into<String>, why: impl Into<String>) -> Self {
        Self::with(query, Outcome::Error(why.into()), "")
    }

    /// The same with the sample it rests on.
    #[must_use]
    pub fn resting_on(mut self, sample: u64) -> Self {
        self.sample = Some(sample);
        self
    }

    /// The same with the time at which the evidence came to be.
    #[must_use]
    pub fn from_time(mut self, at: impl Into<String>) -> Self {
        self.at = Some(at.into());
        self
    }
}
