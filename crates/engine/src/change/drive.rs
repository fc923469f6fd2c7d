//! Drives: many requests from one document, each a transaction of its own, decided on what the ones before it wrote.
//!
//! Owns the declaration and the form of the report. What the document holds and what each of its records asks for is the
//! system's; each request goes through [`super::request`]. A plan from a source, whose items do not depend on each other,
//! goes through [`super::propose`] instead.
//!
//! Invariants: what was done stays when a later request fails, and running again does nothing twice; every record of the
//! document is counted once in the report.

use serde::Serialize;
use serde_json::Value as Json;

use crate::error::EngineError;
use crate::session::Session;

/// One drive.
#[derive(Debug)]
pub struct Drive {
    /// The name used on the command line, such as `backfill`.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// What the document is, such as `a CSV file with a line for each gauge`.
    pub document: &'static str,
    /// True when it refuses to start without a verified backup.
    pub needs_backup: bool,
    /// Goes through the document. A dry run looks at everything and writes nothing.
    pub run: fn(&mut Session, document: &str, dry_run: bool) -> Result<DriveReport, EngineError>,
}

/// A record that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// What a person calls it, such as `line 7` or `set SP0007`.
    pub record: String,
    /// Every reason.
    pub reasons: Vec<String>,
}

/// One check after a drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostCheck {
    /// Its name.
    pub name: &'static str,
    /// It holds.
    pub ok: bool,
    /// What was found.
    pub found: String,
}

/// What a drive did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DriveReport {
    /// Nothing was written.
    pub dry_run: bool,
    /// Records of the document.
    pub records: u64,
    /// Records that were done, or would be.
    pub done: u64,
    /// Records that were there already.
    pub there_already: u64,
    /// Records that were left out, because of what they are or because a rule refuses them.
    pub left_out: Vec<Undone>,
    /// What was found before anything was written.
    pub assessment: Json,
    /// The checks afterwards; none in a dry run.
    pub checks: Vec<PostCheck>,
}
