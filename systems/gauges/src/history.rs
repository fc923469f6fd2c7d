//! The history: one line for every operation, each holding the digest of the one before.
//!
//! Owns the form of a line and its digest. Reading and checking the whole is [`crate::audit`]'s.

use plimsoll_core::digest::Hashing;
use plimsoll_core::value::Value;
use serde::Serialize;
use serde_json::Value as Json;

use crate::facts::Head;

/// What is known of a line before it has its place.
#[derive(Debug, Clone)]
pub struct New {
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What, such as `replace`.
    pub operation: String,
    /// The set that it is mainly about.
    pub set_id: Option<String>,
    /// Why.
    pub reason: String,
    /// Every set and gauge that it is about, as `set:SP0222` and `gauge:T-17`.
    pub subjects: Vec<String>,
    /// What changed.
    pub detail: Json,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its number, from 1 without a gap.
    pub entry: i64,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What.
    pub operation: String,
    /// The set that it is mainly about.
    pub set_id: Option<String>,
    /// Why.
    pub reason: String,
    /// The subjects, as a JSON list.
    pub subjects: String,
    /// What changed, as a JSON object.
    pub detail: String,
    /// The digest of the line before; empty for the first.
    pub previous: String,
    /// Its digest.
    pub digest: String,
}

/// The columns, in the order of [`Line`]'s members.
pub const COLUMNS: &str = "entry, at, actor, operation, set_id, reason, subjects, detail, previous, digest";

impl Line {
    /// The line that follows `head`.
    pub fn following(head: &Head, new: New) -> Self {
        let mut line = Self {
            entry: head.entry + 1,
            at: new.at,
            actor: new.actor,
            operation: new.operation,
            set_id: new.set_id,
            reason: new.reason,
            subjects: Json::from(new.subjects).to_string(),
            detail: new.detail.to_string(),
            previous: head.digest.clone(),
            digest: String::new(),
        };
        line.digest = line.computed();
        line
    }

    /// The digest that the line should have.
    pub fn computed(&self) -> String {
        let mut hashing = Hashing::new("gauge history");
        hashing.part(&self.entry.to_le_bytes());
        for text in [&self.at, &self.actor, &self.operation] {
            hashing.part(text.as_bytes());
        }
        hashing.optional(self.set_id.as_deref());
        for text in [&self.reason, &self.subjects, &self.detail, &self.previous] {
            hashing.part(text.as_bytes());
        }
        hashing.hex()
    }

    /// The values of its row.
    pub fn values(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("entry", Value::Integer(self.entry)),
            ("at", Value::text(&self.at)),
            ("actor", Value::text(&self.actor)),
            ("operation", Value::text(&self.operation)),
            ("set_id", Value::optional_text(self.set_id.as_deref())),
            ("reason", Value::text(&self.reason)),
            ("subjects", Value::text(&self.subjects)),
            ("detail", Value::text(&self.detail)),
            ("previous", Value::text(&self.previous)),
            ("digest", Value::text(&self.digest)),
        ]
    }

    /// A line from the cells of a query of [`COLUMNS`]; a cell of a wrong type reads as empty and so breaks the digest.
    pub fn read(row: &[Value]) -> Self {
        let text = |at: usize| row.get(at).and_then(Value::as_text).unwrap_or_default().to_owned();
        Self {
            entry: row.first().and_then(Value::as_integer).unwrap_or(0),
            at: text(1),
            actor: text(2),
            operation: text(3),
            set_id: row.get(4).and_then(Value::as_text).map(str::to_owned),
            reason: text(5),
            subjects: text(6),
            detail: text(7),
            previous: text(8),
            digest: text(9),
        }
    }
}
