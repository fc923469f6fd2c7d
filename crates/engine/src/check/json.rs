//! A report as JSON.

use serde::Serialize;
use serde_json::value::RawValue;

use super::Severity;
use super::report::{Report, Trend, Verdict, threshold};
use super::text::needs_hint;
use crate::view::to_json;

#[derive(Serialize)]
struct Document<'a> {
    run_id: &'a str,
    system: &'a str,
    checked_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cohort: Option<&'a str>,
    healthy: bool,
    checks: usize,
    passed: usize,
    warned: usize,
    failed: usize,
    errors: usize,
    unknown: usize,
    statements: u64,
    findings: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    not_run: &'a [String],
}

#[derive(Serialize)]
struct Item<'a> {
    check: &'a str,
    title: &'a str,
    kind: &'a str,
    dimension: &'a str,
    severity: Severity,
    threshold: String,
    verdict: Verdict,
    value: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_size: Option<u64>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    numbers: serde_json::Map<String, serde_json::Value>,
    before: Option<f64>,
    trend: Trend,
    #[serde(skip_serializing_if = "Option::is_none")]
    cohort: Option<Cohort<'a>>,
    duration_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Cohort<'a> {
    name: &'a str,
    control: Option<f64>,
    control_size: Option<u64>,
    difference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<(f64, f64)>,
}

impl Report {
    /// As JSON, one object.
    pub fn to_json(&self) -> String {
        let findings = self.findings.iter().map(|found| Item {
            check: &found.check,
            title: &found.title,
            kind: found.kind,
            dimension: found.dimension,
            severity: found.severity,
            threshold: threshold(found),
            verdict: found.verdict,
            value: found.value,
            unit: &found.rule.unit,
            sample_size: found.sample_size,
            numbers: found.numbers.iter().map(|one| (one.name.to_owned(), one.value.into())).collect(),
            before: found.before,
            trend: found.trend,
            cohort: found.cohort.as_ref().map(|cohort| Cohort {
                name: &cohort.cohort,
                control: cohort.control,
                control_size: cohort.control_size,
                difference: cohort.difference,
                interval: cohort.interval,
            }),
            duration_ms: found.duration_ms,
            message: found.message.as_deref(),
            hint: needs_hint(found.verdict).then_some(found.hint.as_str()),
            samples: found.samples.as_ref().and_then(|table| RawValue::from_string(to_json(table)).ok()),
        });
        let document = Document {
            run_id: &self.run_id,
            system: &self.system,
            checked_at: &self.checked_at,
            cohort: self.cohort.as_deref(),
            healthy: self.is_healthy(),
            checks: self.findings.len(),
            passed: self.count(Verdict::Pass),
            warned: self.count(Verdict::Warn),
            failed: self.count(Verdict::Fail),
            errors: self.count(Verdict::Error),
            unknown: self.count(Verdict::Unknown),
            statements: self.statements,
            findings: findings.collect(),
            not_run: &self.not_run,
        };
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}
