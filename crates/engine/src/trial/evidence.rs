//! Evidence: facts about the program itself, which no run can measure.
//!
//! Owns the file in which a build server states them. What is not stated stays unknown.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::EngineError;

/// What a build server states.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Lines covered by tests, in percent.
    #[serde(default)]
    pub coverage_percent: Option<f64>,
    /// Whether the gate passed: format, lints, invariants, tests.
    #[serde(default)]
    pub check_passed: Option<bool>,
    /// Where the facts come from, such as the name of a build.
    pub source: String,
    /// When they were found.
    pub at: String,
}

impl Evidence {
    /// Reads a file.
    ///
    /// # Errors
    /// Usage, naming the file and what it must hold.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        let wrong = |problem: String| {
            EngineError::usage(format!(
                "the evidence {} {problem}\nhint: it is JSON like {{\"coverage_percent\": 91.2, \"check_passed\": true, \"source\": \"build 17\", \"at\": \"2026-01-31T00:00:00Z\"}}",
                path.display()
            ))
        };
        let text =
            std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let evidence: Self =
            serde_json::from_str(&text).map_err(|error| wrong(format!("is not evidence: {error}")))?;
        if evidence.coverage_percent.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
            return Err(wrong("states a coverage outside 0 to 100".to_owned()));
        }
        if evidence.source.trim().is_empty() || evidence.at.trim().is_empty() {
            return Err(wrong("does not say from where and when it is".to_owned()));
        }
        Ok(evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_read_strictly() {
        let path = std::env::temp_dir().join(format!("plimsoll-evidence-{}.json", std::process::id()));
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Evidence::read(&path)
        };
        let whole =
            read(r#"{"coverage_percent": 91.2, "check_passed": true, "source": "build 17", "at": "today"}"#);
        assert_eq!(whole.unwrap().coverage_percent, Some(91.2));
        let partly = read(r#"{"check_passed": false, "source": "build 17", "at": "today"}"#).unwrap();
        assert_eq!((partly.coverage_percent, partly.check_passed), (None, Some(false)));
        for text in [
            "",
            "[]",
            r#"{"coverage_percent": 91.2}"#,
            r#"{"coverage_percent": 912, "source": "b", "at": "t"}"#,
            r#"{"coverage": 91.2, "source": "b", "at": "t"}"#,
            r#"{"coverage_percent": 91.2, "source": " ", "at": "t"}"#,
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message.contains("hint:"), "{text}: {error}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(Evidence::read(&path).is_err());
    }
}
