//! Gate files: TOML, shipped with the program or in a folder of the user's.
//!
//! Owns reading them, strictly - an unknown key is an error, because a criterion that is misspelt must not silently
//! ask for less - and the catalog in which a user's gate stands before a shipped one of the same name.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::gate::{Category, Gate, Outcome, Reading};
use serde::Deserialize;

use crate::error::EngineError;

/// Gates of systems that have no crate yet, and of none. Each is the text of a file.
pub const SHIPPED: &[&str] = &[
    include_str!("../../gates/luckygas/pilot.toml"),
    include_str!("../../gates/luckygas/readiness.toml"),
    include_str!("../../gates/luckygas/stage.toml"),
];

/// Figures to rehearse a gate with, as a file says them. They are somebody's word, so a verdict on them is labelled and
/// never stored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The gate that they are for.
    pub sample_of: String,
    /// Where they come from.
    pub from: String,
    /// Readings by query.
    #[serde(default)]
    pub reading: Vec<SampleReading>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleReading {
    /// The query that it answers, as `gate show` prints it.
    pub query: String,
    /// The number; without one nothing was measured.
    #[serde(default)]
    pub value: Option<f64>,
    /// On how much it rests.
    #[serde(default)]
    pub sample: Option<u64>,
    /// What it says.
    #[serde(default)]
    pub basis: String,
}

impl Sample {
    /// Reads a file.
    ///
    /// # Errors
    /// Usage, with the place in the file.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        toml::from_str(text).map_err(|error| EngineError::usage(format!("the sample figures: {error}")))
    }

    /// The reading of a query.
    pub fn reading(&self, query: &str) -> Reading {
        match self.reading.iter().find(|found| found.query == query) {
            Some(found) => {
                let outcome = found.value.map_or(Outcome::Empty, Outcome::of);
                let mut reading = Reading::with(query, outcome, found.basis.clone());
                reading.sample = found.sample;
                reading
            }
            None => Reading::missing(query, format!("{} says nothing of it", self.from)),
        }
    }
}

/// Sample figures that are shipped.
pub(crate) const SAMPLES: &[&str] = &[
    include_str!("../../gates/luckygas/pilot.sample.toml"),
    include_str!("../../gates/luckygas/readiness.sample.toml"),
];

/// Reads a gate file.
///
/// # Errors
/// Usage: what is wrong, with the place in the file where the form is, and every problem of the content.
pub fn parse(text: &str) -> Result<Gate, EngineError> {
    let gate: Gate =
        toml::from_str(text).map_err(|error| EngineError::usage(format!("the gate: {error}")))?;
    let mut problems = gate.problems();
    problems.extend(unknown_keys(text, &gate));
    problems.extend(gate.criteria.iter().flat_map(|criterion| {
        let expressions = criterion.evidence.iter().filter_map(|asked| asked.expression.as_deref());
        expressions
            .filter_map(super::expression::problem)
            .map(|problem| format!("criterion `{}`: {problem}", criterion.id))
    }));
    if problems.is_empty() {
        return Ok(gate);
    }
    Err(EngineError::usage(format!("the gate `{}` cannot be used:\n- {}", gate.gate, problems.join("\n- "))))
}

/// Keys of evidence that mean nothing. What serde flattens it cannot refuse, so what was read is held against what was
/// written.
fn unknown_keys(text: &str, gate: &Gate) -> Vec<String> {
    let Ok(raw) = toml::from_str::<toml::Value>(text) else { return Vec::new() };
    let criteria = raw.get("criterion").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let mut problems = Vec::new();
    for (raw, criterion) in criteria.iter().zip(&gate.criteria) {
        let evidence = raw.get("evidence").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        for (raw, asked) in evidence.iter().zip(&criterion.evidence) {
            let known = serde_json::to_value(asked).unwrap_or_default();
            let keys = raw.as_table().into_iter().flat_map(toml::Table::keys);
            for key in keys.filter(|key| known.get(key.as_str()).is_none()) {
                problems
                    .push(format!("criterion `{}`: `{key}` means nothing to this evidence", criterion.id));
            }
        }
    }
    problems
}

/// Every gate there is, by name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    gates: BTreeMap<String, (Gate, String)>,
}

impl Catalog {
    /// The shipped gates, and those of a folder and its subfolders (`*.toml`), which stand before shipped ones of the same
    /// name. A folder that does not exist has none.
    ///
    /// # Errors
    /// The first file that cannot be read or used, by its path.
    pub fn load(shipped: &[&[&str]], folder: &Path) -> Result<Self, EngineError> {
        let mut catalog = Self::default();
        for text in shipped.iter().copied().flatten() {
            let gate = parse(text)?;
            catalog.gates.insert(gate.gate.clone(), (gate, "shipped".to_owned()));
        }
        for path in toml_files(folder)? {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?;
            let gate = parse(&text).map_err(|error| error.during(&path.display().to_string()))?;
            catalog.gates.insert(gate.gate.clone(), (gate, path.display().to_string()));
        }
        Ok(catalog)
    }

    /// Every gate with where it comes from.
    pub fn iter(&self) -> impl Iterator<Item = (&Gate, &str)> {
        self.gates.values().map(|(gate, from)| (gate, from.as_str()))
    }

    /// The gate called `name`.
    ///
    /// # Errors
    /// Usage, naming the gates there are.
    pub fn find(&self, name: &str) -> Result<&Gate, EngineError> {
        self.gates.get(name).map(|(gate, _)| gate).ok_or_else(|| {
            let names: Vec<&str> = self.gates.keys().map(String::as_str).collect();
            EngineError::usage(format!("there is no gate `{name}`\nhint: there are {}", names.join(", ")))
        })
    }

    /// The shipped sample figures of a gate.
    ///
    /// # Errors
    /// Usage when there are none.
    pub fn sample(&self, gate: &Gate) -> Result<Sample, EngineError> {
        for text in SAMPLES {
            let sample = Sample::parse(text)?;
            if sample.sample_of == gate.gate {
                return Ok(sample);
            }
        }
        Err(EngineError::usage(format!(
            "no sample figures of `{}` are shipped\nhint: --readings FILE takes your own",
            gate.gate
        )))
    }
}

/// The weights of a gate's categories, as they are published.
pub(crate) fn weights(categories: &[Category]) -> String {
    let parts: Vec<String> =
        categories.iter().map(|category| format!("{} {}", category.name, category.weight)).collect();
    parts.join(", ")
}

fn toml_files(folder: &Path) -> Result<Vec<std::path::PathBuf>, EngineError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        let failed = |error: std::io::Error| EngineError::usage(format!("{}: {error}", folder.display()));
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
