//! Running checks.
//!
//! Owns one run of all checks: measure, judge, compare with the run before, write the history.

use std::cmp::Ordering;

use jiff::Timestamp;
use plimsoll_core::clock::Clock;
use plimsoll_store::analytics::AnalyticTable;
use plimsoll_store::duckdb::Analytics;

use super::Check;
use super::history::{self, Before, HEALTH_CHECK_HISTORY};
use super::measure::Subject;
use super::report::{Finding, Report, Trend, Verdict};
use crate::error::EngineError;

/// What a run of checks looks at.
pub struct Checkup<'a> {
    /// The checks, in the order of the report.
    pub checks: &'a [Check],
    /// The system's views; checks of speed name some of them.
    pub views: &'a [crate::view::View],
    /// The tables whose keys and references are checked.
    pub tables: &'a [&'a AnalyticTable],
    /// The time.
    pub clock: &'a dyn Clock,
    /// Identifier of the run, such as [`crate::clock::new_id`] makes.
    pub run_id: &'a str,
}

impl Checkup<'_> {
    /// Runs all checks, and adds what they found to the store's history.
    ///
    /// # Errors
    /// When the history cannot be read or written. A check that cannot run is a finding and no error.
    pub fn run(&self, store: &Analytics) -> Result<Report, EngineError> {
        store.create_tables(&[&HEALTH_CHECK_HISTORY])?;
        let mut before = history::before(store)?;
        let now = self.clock.now();
        let checked_at: Timestamp = now
            .parse()
            .map_err(|error| EngineError::integrity(format!("the clock says `{now}`: {error}")))?;
        let subject = Subject { store, tables: self.tables, views: self.views, clock: self.clock };
        let findings = self
            .checks
            .iter()
            .map(|check| self.find(check, &subject, before.remove(check.name).as_ref()))
            .collect();
        let report = Report {
            run_id: self.run_id.to_owned(),
            checked_at: now,
            checked_at_us: checked_at.as_microsecond(),
            findings,
        };
        history::add(store, &report)?;
        Ok(report)
    }

    fn find(&self, check: &Check, subject: &Subject<'_>, before: Option<&Before>) -> Finding {
        let start = self.clock.monotonic_ms();
        let mut message = None;
        let (value, mut samples) = match check.measure.take(subject) {
            Ok(measured) => (measured.value, measured.samples),
            Err(error) => {
                message = Some(error.message);
                (None, None)
            }
        };
        let verdict = match value {
            _ if message.is_some() => Verdict::Fail,
            None => Verdict::Unknown,
            Some(value) if check.rule.holds(value) => Verdict::Pass,
            Some(_) => Verdict::Fail,
        };
        if verdict != Verdict::Fail {
            samples = None;
        } else if message.is_none() {
            match check.measure.samples(subject) {
                Ok(None) => {}
                Ok(found) => samples = found,
                Err(error) => message = Some(error.message),
            }
        }
        let duration_ms = self.clock.monotonic_ms().saturating_sub(start);
        Finding {
            check: check.name,
            title: check.title,
            severity: check.severity,
            rule: check.rule,
            hint: check.hint,
            verdict,
            value,
            before: before.and_then(|before| before.value),
            trend: trend(check, verdict, value, before),
            samples,
            duration_ms: i64::try_from(duration_ms).unwrap_or(i64::MAX),
            message,
        }
    }
}

fn trend(check: &Check, verdict: Verdict, value: Option<f64>, before: Option<&Before>) -> Trend {
    let Some(before) = before else { return Trend::First };
    match (before.verdict, verdict) {
        (Verdict::Fail, Verdict::Pass) => return Trend::Recovered,
        (Verdict::Pass | Verdict::Unknown, Verdict::Fail) => return Trend::Broke,
        _ => {}
    }
    let (Some(value), Some(earlier)) = (value, before.value) else { return Trend::Same };
    match check.rule.compare(value, earlier) {
        Ordering::Greater => Trend::Better,
        Ordering::Less => Trend::Worse,
        Ordering::Equal => Trend::Same,
    }
}
