//! What a run of checks found.
//!
//! Owns the verdicts, the findings, and the question whether all is well. How a report looks is `text`'s, `json`'s and
//! `html`'s; where it is sent is the caller's.
//!
//! Invariant: nothing counts as healthy but a check that measured something and kept its rule. No checks, an error and
//! nothing to measure are not healthy.

use serde::Serialize;

use super::Severity;
use super::rule::Rule;
use crate::view::Table;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The rule is kept, and so is the stricter one of `warn:`.
    Pass,
    /// The rule is kept, the stricter one is not.
    Warn,
    /// The rule is broken.
    Fail,
    /// The check could not run, or what it measured is no number.
    Error,
    /// There was nothing to measure.
    Unknown,
}

impl Verdict {
    /// Every verdict, from the best to the worst, with unknown last.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Warn, Self::Fail, Self::Error, Self::Unknown];

    /// The word used in reports and the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }

    /// The verdict of a word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word)
    }

    /// True when the rule is known to be kept.
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::Pass | Self::Warn)
    }

    /// True when the rule is broken, or the check could not run.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Fail | Self::Error)
    }
}

/// How a result differs from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trend {
    /// There was none before.
    First,
    /// It does not.
    Same,
    /// The verdict is the same, the value is better.
    Better,
    /// The verdict is the same, the value is worse.
    Worse,
    /// It fails now.
    Broke,
    /// It passes again.
    Recovered,
}

impl Trend {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Same => "same",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Broke => "broke",
            Self::Recovered => "recovered",
        }
    }
}

/// One number that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// Its name, see [`super::NUMBERS`].
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}

/// What a check found in a cohort, beside its control.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortFinding {
    /// The cohort's name.
    pub cohort: String,
    /// The control's value; none when there is nothing to measure.
    pub control: Option<f64>,
    /// How many rows of the control were looked at.
    pub control_size: Option<u64>,
    /// The cohort's value minus the control's.
    pub difference: Option<f64>,
    /// Where the true difference lies with 95 percent certainty, for shares of rows.
    pub interval: Option<(f64, f64)>,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The check.
    pub check: String,
    /// What must be true.
    pub title: String,
    /// The kind of check, such as `completeness`.
    pub kind: &'static str,
    /// How grave a failure is.
    pub severity: Severity,
    /// The dimension of quality, such as `completeness`.
    pub dimension: &'static str,
    /// The rule.
    pub rule: Rule,
    /// The stricter rule, of which only is warned.
    pub warn: Option<Rule>,
    /// What to do when it fails.
    pub hint: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was measured.
    pub value: Option<f64>,
    /// How many rows were looked at.
    pub sample_size: Option<u64>,
    /// The value with its siblings.
    pub numbers: Vec<Number>,
    /// What was measured the last time.
    pub before: Option<f64>,
    /// Values of earlier runs, oldest first.
    pub history: Vec<f64>,
    /// How it differs from the last time.
    pub trend: Trend,
    /// Rows that show why it failed.
    pub samples: Option<Table>,
    /// The comparison with the control, for a run over a cohort.
    pub cohort: Option<CohortFinding>,
    /// How long it took, in milliseconds; what several checks asked together counts for the first of them.
    pub duration_ms: i64,
    /// Why it could not run, or what else there is to know.
    pub message: Option<String>,
}

/// What all checks found.
#[derive(Debug, Clone)]
pub struct Report {
    /// Identifier of the run.
    pub run_id: String,
    /// The system.
    pub system: String,
    /// When the run began, as the clock says it.
    pub checked_at: String,
    /// The same in microseconds since 1970.
    pub checked_at_us: i64,
    /// The cohort that was looked at; none for all rows.
    pub cohort: Option<String>,
    /// How many queries were asked.
    pub statements: u64,
    /// One for each check, in their order.
    pub findings: Vec<Finding>,
    /// What a contract says that is not a check, so that it is not taken for one that passed.
    pub not_run: Vec<String>,
}

impl Report {
    /// How many checks ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// True when there is at least one check, and every check of severity `error` measured something and kept its rule.
    /// A check of severity `warn` never makes a run unhealthy.
    pub fn is_healthy(&self) -> bool {
        let grave = |found: &&Finding| found.severity == Severity::Error;
        !self.findings.is_empty() && self.findings.iter().filter(grave).all(|found| found.verdict.is_kept())
    }

    /// What the check of this name found.
    pub fn finding(&self, check: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    /// One line of counts.
    pub fn summary(&self) -> String {
        if self.findings.is_empty() {
            return "no check was run, so nothing is known".to_owned();
        }
        let mut parts = vec![format!("{} of {} checks pass", self.count(Verdict::Pass), self.findings.len())];
        for (verdict, words) in [
            (Verdict::Warn, "warn"),
            (Verdict::Fail, "fail"),
            (Verdict::Error, "could not run"),
            (Verdict::Unknown, "have nothing to measure"),
        ] {
            let count = self.count(verdict);
            if count > 0 {
                parts.push(format!("{count} {words}"));
            }
        }
        parts.join(", ")
    }

    /// The findings that are not a plain pass, gravest first.
    pub(super) fn told(&self) -> Vec<&Finding> {
        let mut told: Vec<&Finding> =
            self.findings.iter().filter(|found| found.verdict != Verdict::Pass).collect();
        let rank = |found: &&Finding| match (found.verdict, found.severity) {
            (Verdict::Error | Verdict::Fail, Severity::Error) => 0,
            (Verdict::Error | Verdict::Fail, Severity::Warn) => 1,
            (Verdict::Unknown, Severity::Error) => 2,
            (Verdict::Warn, _) => 3,
            _ => 4,
        };
        told.sort_by_key(rank);
        told
    }
}

/// The rule with the stricter one, as reports show it.
pub(super) fn threshold(finding: &Finding) -> String {
    match &finding.warn {
        None => finding.rule.to_string(),
        Some(warn) => format!("{}, warn unless {warn}", finding.rule),
    }
}
