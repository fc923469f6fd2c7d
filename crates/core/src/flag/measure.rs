//! Where a trigger's measures come from.
//!
//! Owns the text form, which is what is typed, stored and printed: `metric SELECTOR`, `metric SELECTOR of SELECTOR` (the
//! second counts the observations that the first rests on), `check SYSTEM CHECK`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A source of one measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MeasureSource {
    /// A metric of this program.
    Metric {
        /// Its selector.
        metric: String,
        /// The selector of its number of observations; without one it counts as one observation.
        sample: Option<String>,
    },
    /// The value that a check measured last; the sample is the rows that it looked at.
    Check {
        /// The system.
        system: String,
        /// The check.
        check: String,
    },
}

impl FromStr for MeasureSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no source of a measure; the forms are `metric SELECTOR`, `metric SELECTOR of SELECTOR`, `check SYSTEM CHECK`"
            )
        };
        let (kind, rest) = text.trim().split_once(' ').ok_or_else(wrong)?;
        match kind {
            "metric" => {
                let (metric, sample) = match rest.rsplit_once(" of ") {
                    Some((metric, sample)) => (metric.trim(), Some(sample.trim().to_owned())),
                    None => (rest.trim(), None),
                };
                if metric.is_empty() || sample.as_ref().is_some_and(String::is_empty) {
                    return Err(wrong());
                }
                Ok(Self::Metric { metric: metric.to_owned(), sample })
            }
            "check" => match rest.split_whitespace().collect::<Vec<_>>().as_slice() {
                [system, check] => {
                    Ok(Self::Check { system: (*system).to_owned(), check: (*check).to_owned() })
                }
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for MeasureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric { metric, sample: None } => write!(f, "metric {metric}"),
            Self::Metric { metric, sample: Some(sample) } => write!(f, "metric {metric} of {sample}"),
            Self::Check { system, check } => write!(f, "check {system} {check}"),
        }
    }
}

impl TryFrom<String> for MeasureSource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MeasureSource> for String {
    fn from(source: MeasureSource) -> Self {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_they_are_printed() {
        for text in [
            "metric plimsoll_build_info",
            "metric sum(plimsoll_items_total{outcome=\"quarantined\"}) of sum(plimsoll_items_total)",
            "check hearings orphans",
        ] {
            assert_eq!(text.parse::<MeasureSource>().unwrap().to_string(), text);
        }
        for text in ["", "metric", "metric  of x", "check hearings", "check a b c", "gauge x"] {
            assert!(text.parse::<MeasureSource>().is_err(), "{text}");
        }
    }
}
