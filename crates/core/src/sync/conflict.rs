//! Conflicts: what is shown to a person, and what the person may answer.
//!
//! Owns the conflict of one record as data and the answer. It does not find conflicts ([`super::merge`]) and does not
//! carry out answers ([`super::plan`]).
//!
//! Invariants: a conflict holds all three values (base, mine, theirs), so it can be judged without looking anything
//! up; its revision rises whenever any of them changes, and an answer names the revision it was given to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::Version;
use crate::value::Value;

/// What kind of disagreement it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Both sides edited the same unit.
    Edits,
    /// Edited here, deleted there.
    DeletedThere,
    /// Deleted here, edited there.
    DeletedHere,
    /// The sides fit field by field, but the merged row breaks a rule.
    BrokenRule(String),
    /// An increment was sent, the row moved, and nothing tells whether the increment is in there. Theirs says that it
    /// is, mine that it is not; both are shown as the value that follows, with what was added here later.
    Doubtful,
}

/// One field both sides hold an opinion on. A side on which the row is gone has no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldConflict {
    /// What both started from.
    pub base: Value,
    /// The local value.
    pub mine: Option<Value>,
    /// The remote's value.
    pub theirs: Option<Value>,
}

/// The open question of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Which question this is; an answer names it.
    pub revision: u64,
    /// What kind.
    pub kind: ConflictKind,
    /// The fields in question.
    pub fields: BTreeMap<String, FieldConflict>,
    /// The remote's version that was compared with.
    pub theirs_version: Option<Version>,
}

impl Conflict {
    /// Whether a person who was shown `other` was shown the same question.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.fields == other.fields
    }
}

/// What to take for one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The local value.
    Mine,
    /// The remote's value.
    Theirs,
    /// Another value.
    Value(Value),
}

/// An answer to a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The revision of the conflict that was shown.
    pub shown: u64,
    /// What to take for each field that `fields` does not name. Where one side deleted the row, this alone counts.
    pub otherwise: Pick,
    /// What to take for single fields.
    pub fields: BTreeMap<String, Pick>,
}
