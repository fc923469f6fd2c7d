//! flagd definitions (`https://flagd.dev/schema/v0/flags.json`) as flags, and flags as flagd definitions.
//!
//! Owns the translation both ways. What the other side cannot say is named and leaves the flag out: a flag that would
//! decide otherwise than it does is worse than one that is missing. Missing fields are compared as in Unleash (a missing
//! field is in no list and smaller than nothing), not as JsonLogic does (a missing field is `null`, and `null < 5`).

mod export;
mod fractional;
mod import;
mod logic;

pub use export::export;
pub use import::import;

use plimsoll_core::flag::Flag;
use serde::Serialize;

/// Something that could not be said on the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unsupported {
    /// The flag.
    pub flag: String,
    /// What it has that the other side has not.
    pub construct: String,
    /// True when the flag was left out because of it; false when it decides the same without.
    pub left_out: bool,
}

/// What was read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Imported {
    /// The flags.
    pub flags: Vec<Flag>,
    /// What could not be read.
    pub unsupported: Vec<Unsupported>,
}

/// What was written.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Exported {
    /// The document.
    pub document: serde_json::Value,
    /// What could not be written.
    pub unsupported: Vec<Unsupported>,
}
