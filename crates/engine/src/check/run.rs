//! Running checks.
//!
//! Owns one run: measure, judge, compare with the runs before, write the history. Everything is measured in one
//! read-only snapshot with a time limit for each query; the history is written afterwards.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use plimsoll_core::clock::Clock;
use plimsoll_store::Store;
use plimsoll_store::analytics::AnalyticTable;
use plimsoll_store::duckdb::Analytics;

use super::answers::{Answers, OfAnalytics, OfStore};
use super::catalog::Catalog;
use super::cohort::Cohort;
use super::fuse::Tables;
use super::history::{self, Past};
use super::kind::Kind;
use super::measure::{self, Measured, Subject};
use super::report::{Finding, Report, Trend, Verdict};
use super::{Check, WhenEmpty};
use crate::error::EngineError;

/// So many values of earlier runs are shown with a finding.
const SHOWN: usize = 30;

/// What a run of checks looks at.
pub struct Checkup<'a> {
    /// The system.
    pub system: &'a str,
    /// The checks, in the order of the report.
    pub checks: &'a [Check],
    /// The system's views; checks of speed name some of them.
    pub views: &'a [crate::view::View],
    /// The tables whose keys and references are checked, of an analytical store.
    pub tables: &'a [&'a AnalyticTable],
    /// The time.
    pub clock: &'a dyn Clock,
    /// Identifier of the run, such as [`crate::clock::new_id`] makes.
    pub run_id: &'a str,
    /// The rows to look at; none for all rows. Checks that cannot be scoped look at all rows.
    pub cohort: Option<&'a Cohort>,
    /// How long each query may take.
    pub limit: Duration,
    /// So many sample rows at most are kept for a check that failed.
    pub samples: usize,
    /// What a contract says that is not a check.
    pub not_run: &'a [String],
}

impl<'a> Checkup<'a> {
    /// A run of `checks` over all rows, with a minute for each query and ten sample rows.
    pub fn new(system: &'a str, checks: &'a [Check], clock: &'a dyn Clock, run_id: &'a str) -> Self {
        Self {
            system,
            checks,
            views: &[],
            tables: &[],
            clock,
            run_id,
            cohort: None,
            limit: Duration::from_secs(60),
            samples: 10,
            not_run: &[],
        }
    }

    /// Runs all checks on an analytical store, and adds what they found to its history.
    ///
    /// # Errors
    /// When the history cannot be read or written. A check that cannot run is a finding and no error.
    pub fn run(&self, store: &Analytics) -> Result<Report, EngineError> {
        history::prepare_analytics(store)?;
        let past = history::past_analytics(store, self.cohort_name())?;
        let report = self.examine(&mut OfAnalytics::new(store), &past)?;
        history::add_analytics(store, &report)?;
        Ok(report)
    }

    /// Runs all checks on a store of a system's tables, and adds what they found to its history.
    ///
    /// # Errors
    /// When the store or its history cannot be read or written. A check that cannot run is a finding and no error.
    pub fn run_on(&self, store: &mut dyn Store) -> Result<Report, EngineError> {
        history::prepare(store, &self.clock.now())?;
        let past = history::past(store, self.system, self.cohort_name())?;
        let report = self.examine(&mut OfStore::new(store), &past)?;
        history::add(store, &report)?;
        Ok(report)
    }

    /// Runs all checks on a store that belongs to somebody else: nothing is written, and there is no trend.
    ///
    /// # Errors
    /// When the store cannot be read. A check that cannot run is a finding and no error.
    pub fn look_at(&self, store: &mut dyn Store) -> Result<Report, EngineError> {
        self.examine(&mut OfStore::new(store), &HashMap::new())
    }

    /// As [`Self::look_at`], of an analytical store.
    ///
    /// # Errors
    /// When the store cannot be read. A check that cannot run is a finding and no error.
    pub fn look_at_figures(&self, store: &Analytics) -> Result<Report, EngineError> {
        self.examine(&mut OfAnalytics::new(store), &HashMap::new())
    }

    fn cohort_name(&self) -> Option<&str> {
        self.cohort.map(|cohort| cohort.name.as_str())
    }

    fn examine(
        &self,
        answers: &mut dyn Answers,
        past: &HashMap<String, Vec<Past>>,
    ) -> Result<Report, EngineError> {
        let checked_at = self.clock.now();
        let now: Timestamp = checked_at
            .parse()
            .map_err(|error| EngineError::integrity(format!("the clock says `{checked_at}`: {error}")))?;
        answers.begin(self.limit)?;
        let findings = self.findings(answers, past, now);
        answers.end();
        Ok(Report {
            run_id: self.run_id.to_owned(),
            system: self.system.to_owned(),
            checked_at,
            checked_at_us: now.as_microsecond(),
            cohort: self.cohort_name().map(str::to_owned),
            statements: answers.statements(),
            findings,
            not_run: self.not_run.to_vec(),
        })
    }

    fn findings(
        &self,
        answers: &mut dyn Answers,
        past: &HashMap<String, Vec<Past>>,
        now: Timestamp,
    ) -> Vec<Finding> {
        let mut catalog = Catalog::default();
        let mut tables = Tables {
            answers: &mut *answers,
            catalog: &mut catalog,
            clock: self.clock,
            cohort: self.cohort,
            now,
            asked: HashMap::new(),
        };
        let mut measured = tables.measure(self.checks);
        let mut subject = Subject {
            answers,
            catalog: &mut catalog,
            tables: self.tables,
            views: self.views,
            clock: self.clock,
            cohort: self.cohort,
            past,
            most: self.samples,
        };
        let find = |(at, check): (usize, &Check)| {
            let start = self.clock.monotonic_us();
            let (result, spent) = match measured.remove(&at) {
                Some(outcome) => outcome,
                None => (measure::take(check, &mut subject), 0),
            };
            let mut finding = self.judge(check, result, &mut subject, past.get(&check.name));
            let microseconds = self.clock.monotonic_us().saturating_sub(start) + spent;
            finding.duration_ms = i64::try_from(microseconds.div_ceil(1_000)).unwrap_or(i64::MAX);
            finding
        };
        self.checks.iter().enumerate().map(find).collect()
    }

    fn judge(
        &self,
        check: &Check,
        result: Result<Measured, EngineError>,
        subject: &mut Subject<'_>,
        past: Option<&Vec<Past>>,
    ) -> Finding {
        let (mut measured, failure) = match result {
            Ok(measured) => (measured, None),
            Err(error) => (Measured::default(), Some(error.message)),
        };
        let verdict = match (&failure, measured.value) {
            (Some(_), _) => Verdict::Error,
            (None, None) => match check.when_empty {
                WhenEmpty::Unknown => Verdict::Unknown,
                WhenEmpty::Pass => Verdict::Pass,
                WhenEmpty::Fail => Verdict::Fail,
            },
            (None, Some(value)) => check.verdict(value),
        };
        if verdict == Verdict::Error && failure.is_none() {
            measured.message = Some("what was measured is not a number".to_owned());
        }
        if failure.is_some() {
            measured.message = failure;
        }
        if matches!(verdict, Verdict::Pass | Verdict::Unknown | Verdict::Error) || self.samples == 0 {
            measured.samples = None;
        } else {
            match measure::samples(check, subject) {
                Ok(None) => {}
                Ok(found) => measured.samples = found,
                Err(error) => {
                    let why = format!("sample rows cannot be shown: {}", error.message);
                    let before = measured.message.take().map(|message| format!("{message}\n"));
                    measured.message = Some(before.unwrap_or_default() + &why);
                }
            }
        }
        if self.cohort.is_some() && measured.cohort.is_none() && verdict != Verdict::Error {
            let note = match &check.kind {
                Kind::Table(_) => {
                    "all rows were looked at: the check has no line `cohort:` that names the key's column"
                }
                _ => "all rows were looked at: the check cannot be asked about a cohort",
            };
            let before = measured.message.take().map(|message| format!("{message}\n"));
            measured.message = Some(before.unwrap_or_default() + note);
        }
        let before = past.and_then(|past| past.first());
        let history = past.map_or(&[][..], Vec::as_slice).iter().take(SHOWN).rev();
        Finding {
            check: check.name.clone(),
            title: check.title.clone(),
            kind: check.kind.name(),
            severity: check.severity,
            dimension: check.dimension,
            rule: check.rule.clone(),
            warn: check.warn.clone(),
            hint: check.hint.clone(),
            verdict,
            value: measured.value,
            sample_size: measured.sample_size,
            numbers: measured.numbers,
            before: before.and_then(|before| before.value),
            history: history.filter_map(|past| past.value).collect(),
            trend: trend(check, verdict, measured.value, before),
            samples: measured.samples,
            cohort: measured.cohort,
            duration_ms: 0,
            message: measured.message,
        }
    }
}

fn trend(check: &Check, verdict: Verdict, value: Option<f64>, before: Option<&Past>) -> Trend {
    let Some(before) = before else { return Trend::First };
    match (before.verdict.is_failure(), verdict) {
        (true, Verdict::Pass | Verdict::Warn) => return Trend::Recovered,
        (false, Verdict::Fail | Verdict::Error) => return Trend::Broke,
        _ => {}
    }
    let (Some(value), Some(earlier)) = (value, before.value) else { return Trend::Same };
    match check.rule.compare(value, earlier) {
        Ordering::Greater => Trend::Better,
        Ordering::Less => Trend::Worse,
        Ordering::Equal => Trend::Same,
    }
}
