//! Schema drift: fields that the remote leaves out or adds.
//!
//! Owns the comparison of a page's rows with the link's fields, and from when on a remote is not believed. What is not
//! believed is the pull's to refuse.

use std::collections::{BTreeSet, HashSet};

use super::declare::{Link, RemoteRow};

/// Above so many fields that the link does not know, the remote is not believed.
const MOST_UNKNOWN: usize = 5;
/// Above this share of missing fields, in percent, neither.
const MOST_MISSING_PERCENT: usize = 20;

/// How the remote's fields differ from the link's.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Drift {
    /// Fields of the link that no row of a page has.
    pub missing: BTreeSet<String>,
    /// Fields that the link does not know.
    pub unknown: BTreeSet<String>,
}

impl Drift {
    pub(super) fn of(link: &dyn Link, rows: &[RemoteRow]) -> Self {
        let told: HashSet<&str> = rows.iter().flat_map(|row| row.fields.keys()).map(String::as_str).collect();
        let missing = link.mirror().fields.iter().filter(|name| !told.contains(*name));
        Self {
            missing: missing.map(ToString::to_string).collect(),
            unknown: rows.iter().flat_map(|row| row.unknown.iter().cloned()).collect(),
        }
    }

    /// Why the remote is not believed, when it is not.
    pub fn alarm(&self, link: &dyn Link) -> Option<String> {
        let critical: Vec<&str> =
            link.critical_fields().iter().copied().filter(|name| self.missing.contains(*name)).collect();
        if !critical.is_empty() {
            return Some(format!("the remote's rows lack `{}`", critical.join("`, `")));
        }
        let fields = link.mirror().fields.len();
        if self.missing.len() * 100 > fields * MOST_MISSING_PERCENT {
            return Some(format!("the remote's rows lack {} of {fields} fields", self.missing.len()));
        }
        (self.unknown.len() > MOST_UNKNOWN)
            .then(|| format!("the remote's rows have {} fields that are not known here", self.unknown.len()))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.missing.extend(other.missing);
        self.unknown.extend(other.unknown);
    }
}
