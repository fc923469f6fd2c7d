//! The report of a run of checks.
//!
//! Owns what is told about each check, as text, Markdown and JSON. Where it is sent is the caller's.

use serde::Serialize;
use serde_json::value::RawValue;

use super::Severity;
use super::rule::Rule;
use crate::view::{Table, to_json, to_text};

/// Whether a rule is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is.
    Pass,
    /// It is not, or the check could not run.
    Fail,
    /// There is nothing to measure.
    Unknown,
}

impl Verdict {
    /// The word used in reports and the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        [Self::Pass, Self::Fail, Self::Unknown].into_iter().find(|verdict| verdict.as_str() == word)
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

/// What a check found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The check.
    pub check: &'static str,
    /// What must be true.
    pub title: &'static str,
    /// How grave a failure is.
    pub severity: Severity,
    /// The rule.
    pub rule: Rule,
    /// What to do when it fails.
    pub hint: &'static str,
    /// Whether the rule is kept.
    pub verdict: Verdict,
    /// What was measured.
    pub value: Option<f64>,
    /// What was measured the last time.
    pub before: Option<f64>,
    /// How it differs from the last time.
    pub trend: Trend,
    /// Rows that show why it failed.
    pub samples: Option<Table>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Why it could not run.
    pub message: Option<String>,
}

/// What all checks found.
#[derive(Debug, Clone)]
pub struct Report {
    /// Identifier of the run.
    pub run_id: String,
    /// When the run began, as the clock says it.
    pub checked_at: String,
    /// The same in microseconds since 1970.
    pub checked_at_us: i64,
    /// One for each check, in their order.
    pub findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Document<'a> {
    run_id: &'a str,
    checked_at: &'a str,
    healthy: bool,
    checks: usize,
    passed: usize,
    failed: usize,
    unknown: usize,
    findings: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    check: &'a str,
    title: &'a str,
    severity: Severity,
    threshold: String,
    verdict: Verdict,
    value: Option<f64>,
    before: Option<f64>,
    trend: Trend,
    duration_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<Box<RawValue>>,
}

impl Report {
    /// How many checks ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// True unless a check of severity `error` failed.
    pub fn is_healthy(&self) -> bool {
        !self.findings.iter().any(|found| found.verdict == Verdict::Fail && found.severity == Severity::Error)
    }

    /// What the check of this name found.
    pub fn finding(&self, check: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    fn summary(&self) -> String {
        format!(
            "{} of {} checks pass, {} fail, {} have nothing to measure",
            self.count(Verdict::Pass),
            self.findings.len(),
            self.count(Verdict::Fail),
            self.count(Verdict::Unknown)
        )
    }

    /// As JSON, one object.
    pub fn to_json(&self) -> String {
        let findings = self.findings.iter().map(|found| Item {
            check: found.check,
            title: found.title,
            severity: found.severity,
            threshold: found.rule.to_string(),
            verdict: found.verdict,
            value: found.value,
            before: found.before,
            trend: found.trend,
            duration_ms: found.duration_ms,
            message: found.message.as_deref(),
            hint: (found.verdict == Verdict::Fail).then_some(found.hint),
            samples: found.samples.as_ref().and_then(|table| RawValue::from_string(to_json(table)).ok()),
        });
        let document = Document {
            run_id: &self.run_id,
            checked_at: &self.checked_at,
            healthy: self.is_healthy(),
            checks: self.findings.len(),
            passed: self.count(Verdict::Pass),
            failed: self.count(Verdict::Fail),
            unknown: self.count(Verdict::Unknown),
            findings: findings.collect(),
        };
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }

    /// As text for a terminal.
    pub fn to_text(&self) -> String {
        let widest = self.findings.iter().map(|found| found.check.len()).max().unwrap_or(0);
        let mut out = String::new();
        for found in &self.findings {
            out.push_str(&format!(
                "{:7}  {:widest$}  {:>12}  {:16}  {}\n",
                found.verdict.as_str(),
                found.check,
                value_text(found),
                found.rule.to_string(),
                trend_text(found),
            ));
        }
        for found in self.failures() {
            out.push_str(&format!("\n{}: {}\n", found.check, found.title));
            if let Some(message) = &found.message {
                out.push_str(&format!("{message}\n"));
            }
            if let Some(samples) = found.samples.as_ref().filter(|table| !table.rows.is_empty()) {
                out.push_str(&to_text(samples));
            }
            out.push_str(&format!("hint: {}\n", found.hint));
        }
        out.push_str(&format!("\n{}\n", self.summary()));
        out
    }

    /// As Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# Checks of {}\n\n{}.\n\n", self.checked_at, self.summary());
        out.push_str("| verdict | check | value | rule | trend | severity |\n|---|---|---:|---|---|---|\n");
        for found in &self.findings {
            out.push_str(&format!(
                "| {} | {} | {} | {} | {} | {} |\n",
                found.verdict.as_str(),
                found.title.replace('|', "\\|"),
                value_text(found),
                found.rule,
                trend_text(found),
                found.severity.as_str()
            ));
        }
        for found in self.failures() {
            out.push_str(&format!("\n## {}\n\n{}.\n", found.check, found.title));
            if let Some(message) = &found.message {
                out.push_str(&format!("\n{message}\n"));
            }
            if let Some(samples) = found.samples.as_ref().filter(|table| !table.rows.is_empty()) {
                out.push_str(&format!("\n```\n{}```\n", to_text(samples)));
            }
            out.push_str(&format!("\nHint: {}\n", found.hint));
        }
        out
    }

    fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|found| found.verdict == Verdict::Fail)
    }
}

fn value_text(found: &Finding) -> String {
    found.value.map_or_else(|| "-".to_owned(), short)
}

fn trend_text(found: &Finding) -> String {
    match found.before {
        Some(before) if !matches!(found.trend, Trend::First | Trend::Same) => {
            format!("{}, was {}", found.trend.as_str(), short(before))
        }
        _ => found.trend.as_str().to_owned(),
    }
}

/// At most two digits behind the point.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
