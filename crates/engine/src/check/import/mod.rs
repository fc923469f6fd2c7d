//! Checks from contracts of other tools: the Open Data Contract Standard 3.1, and `tests:` of dbt.
//!
//! Owns reading the files and turning their rules into checks of this engine. What they mean is kept: a number that
//! another tool counts in its own way is judged by the number of ours that equals it ([`super::NUMBERS`]).
//!
//! Invariant: no rule is left out silently. One that cannot be tried here becomes a check that ends as an error and says
//! why; prose that is no rule is listed as not run.

mod dbt;
mod document;
mod odcs;
mod odcs_shape;

use std::path::Path;

use super::{Check, no_name_twice};
use crate::error::EngineError;

/// What a contract came to.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Its checks.
    pub checks: Vec<Check>,
    /// What it says that is not a check.
    pub not_run: Vec<String>,
}

/// Reads a contract: `.yaml`, `.yml` or `.json`. A file with `kind: DataContract` is one of the Open Data Contract
/// Standard, one with `models:`, `sources:`, `seeds:` or `snapshots:` is dbt's.
///
/// # Errors
/// When it cannot be read, or breaks its standard; every fault is told.
pub fn read(path: &Path) -> Result<Imported, EngineError> {
    let place = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| EngineError::usage(format!("{place}: {error}")))?;
    let json = path.extension().is_some_and(|kind| kind == "json");
    let imported =
        parse(&text, json).map_err(|faults| EngineError::usage(format!("{place}: {}", faults.join("\n"))))?;
    no_name_twice(&imported.checks).map_err(|error| error.during(&place))?;
    Ok(imported)
}

/// Reads the text of a contract; on failure, what is wrong with it.
///
/// # Errors
/// Every fault that was found.
pub fn parse(text: &str, json: bool) -> Result<Imported, Vec<String>> {
    let document = document::read(text, json).map_err(|fault| vec![fault])?;
    if dbt::is_one(&document) {
        return dbt::import(&document);
    }
    let faults = odcs_shape::faults(&document);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(odcs::import(&document))
}

/// A name for a check from what a contract calls things: lower-case letters, digits and hyphens.
fn name_of(parts: &[&str], taken: &[Check]) -> String {
    let joined = parts.join("-").to_lowercase();
    let mut name = String::new();
    for letter in joined.chars() {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-').to_owned();
    let is_taken = |name: &str| taken.iter().any(|check| check.name == name);
    if !is_taken(&name) {
        return name;
    }
    (2..).map(|number: u32| format!("{name}-{number}")).find(|name| !is_taken(name)).unwrap_or(name)
}
