//! What a gate file says.
//!
//! Owns the declaration of a gate - criteria, each with the evidence it is bound to - and the rules that a file must
//! keep. Reading TOML is the engine's; so is asking the evidence.
//!
//! Invariant: a criterion has at least one piece of evidence. There is no way to declare one that is met by being
//! stated.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sample::needed_to_see;
use crate::decision::{Comparison, with_unit};

/// A gate, as its file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its name: what it belongs to, and what it decides, such as `hearings/decision`.
    pub gate: String,
    /// What it decides, for a person.
    pub title: String,
    /// What to know about it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Requirements that it serves.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// The categories of the score; without any there is no score.
    #[serde(default, rename = "category")]
    pub categories: Vec<Category>,
    /// The least score of a GO, 0 to 100; without one the score decides nothing.
    #[serde(default)]
    pub least_score: Option<f64>,
    /// The criteria, in the order of the report.
    #[serde(rename = "criterion")]
    pub criteria: Vec<Criterion>,
}

/// A category of the readiness score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// Its weight; only the ratio to the other weights matters.
    pub weight: f64,
    /// The score it had when the counting began, 0 to 100, when the file states one.
    #[serde(default)]
    pub baseline: Option<f64>,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Its short name, such as `F1`.
    pub id: String,
    /// What it asks.
    pub text: String,
    /// Whether the gate stays shut while it is not met. A criterion that is not required is shown and scored, and
    /// never silently left out.
    #[serde(default = "yes")]
    pub required: bool,
    /// True when data is at risk while it is not met.
    #[serde(default)]
    pub guards_data: bool,
    /// The category of the score that it counts for.
    #[serde(default)]
    pub category: Option<String>,
    /// What it is bound to; all of it must hold.
    pub evidence: Vec<Asked>,
}

const fn yes() -> bool {
    true
}

const fn one() -> f64 {
    1.0
}

/// A piece of evidence, and what it must say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// What stands in the way while it does not hold; the criterion's own text when it says nothing else.
    #[serde(default)]
    pub text: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// The bound that the value must keep; `= 1`, that is "yes", when none is given.
    #[serde(default)]
    pub rule: Bound,
    /// An expression (CEL) over `value`, `sample`, `age_hours` and `facts` that gives the value in place of the
    /// evidence's own.
    #[serde(default)]
    pub expression: Option<String>,
    /// The least sample.
    #[serde(default)]
    pub min_sample: Option<u64>,
    /// A usual rate, 0 to 1: the sample must be large enough to tell it from `see_factor` times as much.
    #[serde(default)]
    pub base_rate: Option<f64>,
    /// See `base_rate`.
    #[serde(default)]
    pub see_factor: Option<f64>,
    /// What the sample counts, such as `requests`.
    #[serde(default)]
    pub sample_of: Option<String>,
    /// How old the evidence may be, such as `24h`; `None` is as old as it likes.
    #[serde(default)]
    pub max_age: Option<Duration>,
    /// Of so many latest evaluations of this evidence ..
    #[serde(default)]
    pub of_last: Option<u64>,
    /// .. so many must hold, this one included.
    #[serde(default)]
    pub must_hold: Option<u64>,
    /// Points for the score.
    #[serde(default = "one")]
    pub points: f64,
    /// A value that gives all points, where part of it gives part of them; without one it is all or nothing.
    #[serde(default)]
    pub full: Option<f64>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: Source,
}

/// Where evidence comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Source {
    /// The last result of a check: 1 when it passed, 0 when it warned or failed.
    Check {
        /// The system.
        system: String,
        /// The check.
        check: String,
    },
    /// The last results of all checks of a system: how many percent passed; the sample is the number of checks.
    Checks {
        /// The system.
        system: String,
        /// The only severity that counts, when not all do.
        #[serde(default)]
        severity: Option<String>,
    },
    /// A metric of this program.
    Metric {
        /// Its name and labels.
        metric: String,
    },
    /// A read-only query on a system's store: the first column of the first row is the value, a column named
    /// `sample` the sample.
    Query {
        /// The system.
        system: String,
        /// The statement.
        sql: String,
        /// How long it may take.
        #[serde(default = "ten_seconds")]
        limit: Duration,
    },
    /// The last run of a change: 1 when it is complete and verifies; the sample is its items.
    Run {
        /// The system.
        system: String,
        /// The change.
        change: String,
    },
    /// A drill on record: 1 when it passed; `facts.minutes` is how long it took.
    Drill {
        /// Its name.
        drill: String,
    },
    /// A test report on record (JUnit XML or nextest): how many percent of the tests that ran passed; the sample is
    /// how many ran.
    TestReport {
        /// The name under which it is recorded.
        report: String,
    },
    /// Facts on record, such as a build server's: the value of one member.
    Facts {
        /// The name under which they are recorded.
        facts: String,
        /// The member.
        member: String,
    },
    /// A measured value of the last trial on record.
    Trial {
        /// The system.
        system: String,
        /// The change.
        change: String,
        /// The measured value.
        measure: String,
    },
    /// The state of a flag: 1 when it is as asked.
    Flag {
        /// The flag.
        flag: String,
        /// `on`, `off`, or `exists`.
        state: String,
    },
    /// A person's sign-off, with an expiry: 1 while it holds.
    SignOff {
        /// The role that signs.
        role: String,
    },
    /// Another gate's last verdict: 1 when it is GO.
    Gate {
        /// The other gate.
        gate: String,
    },
    /// A playbook's last run: 1 when it ended well.
    Playbook {
        /// The playbook.
        playbook: String,
    },
}

const fn ten_seconds() -> Duration {
    Duration { ms: 10_000 }
}

impl Source {
    /// What is asked, in one line.
    pub fn query(&self) -> String {
        match self {
            Self::Check { system, check } => format!("check {system} {check}"),
            Self::Checks { system, severity: None } => format!("checks {system}"),
            Self::Checks { system, severity: Some(severity) } => format!("checks {system} {severity}"),
            Self::Metric { metric } => format!("metric {metric}"),
            Self::Query { system, sql, .. } => format!("query {system}: {sql}"),
            Self::Run { system, change } => format!("run {system} {change}"),
            Self::Drill { drill } => format!("drill {drill}"),
            Self::TestReport { report } => format!("test report {report}"),
            Self::Facts { facts, member } => format!("facts {facts} {member}"),
            Self::Trial { system, change, measure } => format!("trial {system} {change} {measure}"),
            Self::Flag { flag, state } => format!("flag {flag} {state}"),
            Self::SignOff { role } => format!("sign-off {role}"),
            Self::Gate { gate } => format!("gate {gate}"),
            Self::Playbook { playbook } => format!("playbook {playbook}"),
        }
    }
}

/// A bound with its unit, such as `>= 95 %`.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// How the value must stand to the threshold.
    pub comparison: Comparison,
    /// The threshold.
    pub threshold: f64,
    /// The unit; may be empty.
    pub unit: String,
}

impl Default for Bound {
    fn default() -> Self {
        Self { comparison: Comparison::Exactly, threshold: 1.0, unit: String::new() }
    }
}

impl Bound {
    /// Reads `>= 95 %`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &str) -> Result<Self, String> {
        const SIGNS: [Comparison; 5] = [
            Comparison::AtMost,
            Comparison::AtLeast,
            Comparison::Below,
            Comparison::Above,
            Comparison::Exactly,
        ];
        let text = text.trim();
        let Some((comparison, rest)) =
            SIGNS.iter().find_map(|known| Some((*known, text.strip_prefix(known.sign())?)))
        else {
            return Err(format!("`{text}` does not begin with one of <, <=, =, >=, >"));
        };
        let rest = rest.trim();
        let (number, unit) = rest.split_once(' ').unwrap_or((rest, ""));
        match number.parse::<f64>() {
            Ok(threshold) if threshold.is_finite() => {
                Ok(Self { comparison, threshold, unit: unit.trim().to_owned() })
            }
            _ => Err(format!("`{number}` in `{text}` is not a number")),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.comparison.sign(), with_unit(self.threshold, &self.unit))
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let space = if self.unit.is_empty() { "" } else { " " };
        serializer.serialize_str(&format!(
            "{} {}{space}{}",
            self.comparison.sign(),
            self.threshold,
            self.unit
        ))
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).map_err(serde::de::Error::custom)
    }
}

/// A span of time, written as `90s`, `30m`, `24h`, `7d` or `250ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    /// In milliseconds.
    pub ms: u64,
}

impl Duration {
    /// Reads `24h`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(format!("`{text}` is no span of time such as 250ms, 90s, 30m, 24h, 7d")),
        };
        let number: u64 =
            number.parse().map_err(|_| format!("`{text}` is no span of time such as 90s, 30m, 24h, 7d"))?;
        number.checked_mul(factor).map(|ms| Self { ms }).ok_or_else(|| format!("`{text}` is too long"))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        let fitting = units.iter().find(|(ms, _)| self.ms >= *ms && self.ms.is_multiple_of(*ms));
        match fitting {
            Some((ms, unit)) => write!(f, "{}{unit}", self.ms / ms),
            None => write!(f, "{}ms", self.ms),
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).map_err(serde::de::Error::custom)
    }
}

impl Gate {
    /// What is wrong with the declaration, one line each; empty when nothing is.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.gate.is_empty() || self.gate.contains(char::is_whitespace) {
            problems.push("`gate`: a name without blanks is needed".to_owned());
        }
        if self.criteria.is_empty() {
            problems.push("there is no criterion: nothing could ever be decided".to_owned());
        }
        let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
        for category in &self.categories {
            if !category.weight.is_finite() || category.weight <= 0.0 {
                problems.push(format!("category `{}`: its weight is not above 0", category.name));
            }
            if weights.insert(&category.name, category.weight).is_some() {
                problems.push(format!("category `{}` is declared twice", category.name));
            }
            if !self.criteria.iter().any(|criterion| criterion.category.as_ref() == Some(&category.name)) {
                problems.push(format!("category `{}`: no criterion counts for it", category.name));
            }
        }
        for (at, criterion) in self.criteria.iter().enumerate() {
            let id = &criterion.id;
            if self.criteria[..at].iter().any(|earlier| earlier.id == *id) {
                problems.push(format!("criterion `{id}` is declared twice"));
            }
            if criterion.evidence.is_empty() {
                problems.push(format!("criterion `{id}` is bound to no evidence"));
            }
            match &criterion.category {
                Some(name) if !weights.contains_key(name.as_str()) => {
                    problems.push(format!("criterion `{id}`: there is no category `{name}`"));
                }
                None if !self.categories.is_empty() => {
                    problems.push(format!("criterion `{id}` counts for no category"));
                }
                _ => {}
            }
            problems.extend(
                criterion.evidence.iter().filter_map(|asked| {
                    asked.problem().map(|problem| format!("criterion `{id}`: {problem}"))
                }),
            );
        }
        problems
    }
}

impl Asked {
    /// The sample that tells the usual rate from a multiple of it, where both are declared.
    pub(super) fn needed_to_see(&self) -> Option<u64> {
        needed_to_see(self.base_rate?, self.see_factor?)
    }

    /// The least sample, where there is one.
    pub fn least_sample(&self) -> Option<u64> {
        self.min_sample.max(self.needed_to_see())
    }

    fn problem(&self) -> Option<String> {
        let points_wrong = !self.points.is_finite() || self.points < 0.0;
        if points_wrong || self.full.is_some_and(|full| !full.is_finite() || full <= 0.0) {
            return Some("`points` is below 0, or `full` not above 0".to_owned());
        }
        let rates = (self.base_rate, self.see_factor);
        if rates != (None, None) && self.needed_to_see().is_none() {
            return Some(
                "`base_rate` and `see_factor` come together, as two different rates between 0 and 1"
                    .to_owned(),
            );
        }
        match (self.of_last, self.must_hold) {
            (None, None) => None,
            (Some(last), Some(hold)) if hold >= 1 && hold <= last => None,
            _ => Some("`of_last` and `must_hold` come together, with 1 <= must_hold <= of_last".to_owned()),
        }
    }
}
