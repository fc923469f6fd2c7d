//! The rules as data: what may follow what, what may be paired, when a gauge is due, what a set is worth.
//!
//! Owns decisions only. Every function is pure: facts in, verdict out. Reading order: [`machine`] (operation × status),
//! [`pairing`], [`candidate`], [`due`], [`set_id`], [`set_state`].

pub mod candidate;
pub mod due;
pub mod machine;
pub mod pairing;
pub mod set_id;
pub mod set_state;

use std::fmt;

use serde::Serialize;

/// One reason why something is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The rule, such as `pair.size`; stable, for programs.
    pub rule: &'static str,
    /// What does not fit, for people.
    pub text: String,
}

impl Refused {
    /// A refusal under a rule.
    pub fn new(rule: &'static str, text: impl Into<String>) -> Self {
        Self { rule, text: text.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.text, self.rule)
    }
}

/// All reasons together; a verdict names every one.
pub type Refusals = Vec<Refused>;
