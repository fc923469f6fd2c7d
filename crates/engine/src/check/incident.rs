//! Incidents of checks: one for each check whose rule is broken or that could not run; it ends when the rule is kept again.
//!
//! Owns what a report says to the incidents. When people are told is [`crate::alert`]'s. A run over a cohort says nothing of
//! all rows, and a check that had nothing to measure says nothing at all: neither raises nor ends an incident.

use super::report::threshold;
use super::{Finding, Report, Verdict};
use crate::alert::{self, Incident, Severity, Signal};
use crate::error::EngineError;
use crate::session::Session;

/// What to do about it.
const RUNBOOK: &str = "docs/runbooks/check-failed.md";

/// What became of the incidents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// Those that were raised, or counted once more.
    pub raised: Vec<Incident>,
    /// Those that ended, or are about to when they stay clear.
    pub resolved: Vec<Incident>,
}

/// True when a report has something to say that raises an incident.
pub fn has_failures(report: &Report) -> bool {
    report.cohort.is_none() && report.findings.iter().any(|finding| finding.verdict.is_failure())
}

/// Raises and ends the incidents of a report's checks, in the control store.
///
/// # Errors
/// When the control store fails.
pub fn tell(session: &mut Session, report: &Report) -> Result<Told, EngineError> {
    let mut told = Told::default();
    if report.cohort.is_some() {
        return Ok(told);
    }
    for finding in &report.findings {
        let cause = format!("check/{}/{}", report.system, finding.check);
        if finding.verdict.is_failure() {
            told.raised.push(alert::raise(session, &signal(&report.system, cause, finding))?.0);
        } else if finding.verdict.is_kept() {
            told.resolved.extend(alert::clear(session, &cause, "the check keeps its rule again")?);
        }
    }
    Ok(told)
}

fn signal(system: &str, cause: String, finding: &Finding) -> Signal {
    let how = if finding.verdict == Verdict::Error { "could not run" } else { "fails" };
    let mut detail = vec![finding.title.clone(), format!("asked: {}", threshold(finding))];
    detail.extend(finding.value.map(|value| format!("measured: {value}")));
    detail.extend(finding.message.clone());
    detail.extend(Some(format!("hint: {}", finding.hint)).filter(|_| !finding.hint.is_empty()));
    Signal {
        cause,
        severity: Severity::of_check(finding.severity),
        title: format!("check {} of {system} {how}", finding.check),
        detail: detail.join("\n"),
        runbook: RUNBOOK.to_owned(),
        system: system.to_owned(),
    }
}
