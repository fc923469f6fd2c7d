//! Why a request is refused, and the one shape in which every refusal is told.
//!
//! Owns the codes and the error envelope. When something is refused is decided elsewhere.

use serde_json::{Map, Value, json};

/// A refused request or edit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The word for programs, for example `validation`.
    pub code: &'static str,
    /// The sentence for people.
    pub message: String,
    /// What else stands in the envelope, for example `current_version`.
    pub details: Map<String, Value>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Map::new() }
    }

    /// The request itself cannot be read.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(400, "malformed", message)
    }

    /// There is no such row.
    pub(crate) fn not_found(id: &str) -> Self {
        Self::new(404, "not_found", format!("there is no row `{id}`; it was deleted, or never was"))
    }

    /// The values break rules: each field with what is wrong with it.
    pub(crate) fn validation(problems: &[(String, String)]) -> Self {
        let told: Vec<String> =
            problems.iter().map(|(field, problem)| format!("{field} {problem}")).collect();
        let mut fields: Vec<&str> = problems.iter().map(|(field, _)| field.as_str()).collect();
        fields.sort_unstable();
        fields.dedup();
        Self::new(400, "validation", told.join("; ")).with("fields", json!(fields))
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.details.insert(name.to_owned(), value);
        self
    }

    /// The body of the answer: `{"error": {"code": .., "message": .., ..}}`.
    pub fn envelope(&self) -> Value {
        let mut error = self.details.clone();
        error.insert("code".to_owned(), json!(self.code));
        error.insert("message".to_owned(), json!(self.message));
        json!({ "error": error })
    }
}
