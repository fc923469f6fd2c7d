//! Ids of plans, runs and quarantined items.
//!
//! Owns the id type and its prefix matching. Making a new id needs time and chance, so the engine does that.
//!
//! Invariant: an id is lower-case hexadecimal, random, and any unique prefix of at least four
//! characters names it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The shortest prefix that may stand for an id.
pub const SHORTEST_PREFIX: usize = 4;

/// How many characters are shown where a person reads ids.
pub const SHOWN_PREFIX: usize = 12;

/// The id of a plan, a run, a quarantined item or a backup.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub String);

impl Id {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The short form shown to people.
    pub fn short(&self) -> &str {
        self.0.get(..SHOWN_PREFIX).unwrap_or(&self.0)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// True when `text` may be an id or a prefix of one.
pub fn is_prefix(text: &str) -> bool {
    text.len() >= SHORTEST_PREFIX
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
}
