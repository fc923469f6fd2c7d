//! Evidence from systems: checks, queries, runs and metrics, asked of their stores at this moment.
//!
//! Owns the questions. Opening a store is the caller's ([`Stores`]), because only it knows where stores are.
//!
//! Invariants: everything is read in a read-only transaction or connection; an answer that comes after its limit is
//! none; a store that cannot be opened is an error and never an empty answer.

use std::sync::Arc;

use plimsoll_core::clock::Clock;
use plimsoll_core::gate::{Outcome, Reading, Source};
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::Analytics;
use plimsoll_store::{Access, ErrorClass};
use serde_json::json;

use super::evidence::Evidence;
use crate::change::{run, verify};
use crate::check::Verdict;
use crate::check::history::{self, StoredResult};
use crate::error::EngineError;
use crate::metric::{self, Sample};
use crate::session::Session;

/// A system's store.
pub enum Opened {
    /// A store with a journal.
    Journal(Box<Session>),
    /// An analytical store.
    Analytic(Analytics),
}

/// Opens stores by the name of their system.
pub trait Stores {
    /// The existing store of a system, for reading.
    ///
    /// # Errors
    /// When there is no such system or store.
    fn open(&mut self, system: &str) -> Result<Opened, EngineError>;

    /// Every metric of this program, as Prometheus would be given it at the first call: all questions of one pass see
    /// the same moment.
    fn metrics(&mut self) -> &[Sample];
}

/// The latest result of each of a system's checks.
pub(crate) fn latest_results(
    stores: &mut dyn Stores,
    system: &str,
) -> Result<Vec<StoredResult>, EngineError> {
    match stores.open(system)? {
        Opened::Analytic(store) => history::latest_of_all_analytics(&store),
        Opened::Journal(mut session) => history::latest_of_all(session.store.as_mut(), system),
    }
}

/// Evidence from the stores of systems.
pub struct Live<'a> {
    /// Opens them.
    pub stores: &'a mut dyn Stores,
    /// Measures how long an answer takes.
    pub clock: Arc<dyn Clock>,
}

impl Evidence for Live<'_> {
    fn read(&mut self, source: &Source) -> Reading {
        let query = source.query();
        let answered = match source {
            Source::Check { system, check } => self.check(system, check, &query),
            Source::Checks { system, severity } => self.checks(system, severity.as_deref(), &query),
            Source::Query { system, sql, limit } => self.query(system, sql, limit.ms, &query),
            Source::Run { system, change } => self.run(system, change, &query),
            Source::Metric { metric } => self.metric(metric, &query),
            _ => Err(EngineError::usage("no system knows that; the control store is asked first")),
        };
        answered.unwrap_or_else(|error| {
            let outcome = match error.class {
                Some(ErrorClass::Timeout) => Outcome::TimedOut(0),
                _ => Outcome::Error(error.message),
            };
            Reading::with(query, outcome, "")
        })
    }
}

impl Live<'_> {
    fn metric(&mut self, selector: &str, query: &str) -> Result<Reading, EngineError> {
        Ok(match metric::value(self.stores.metrics(), selector)? {
            Some(value) => Reading::with(query, Outcome::of(value), "as `plimsoll metrics` gives it"),
            None => Reading::missing(query, "no sample matches; `plimsoll metrics` lists all of them"),
        })
    }

    fn check(&mut self, system: &str, check: &str, query: &str) -> Result<Reading, EngineError> {
        let results = latest_results(self.stores, system)?;
        let Some(found) = results.into_iter().find(|result| result.check == check) else {
            return Ok(Reading::missing(
                query,
                format!("no result of check `{check}`; run `plimsoll check {system}`"),
            ));
        };
        let shown = found.value.map_or_else(|| "nothing".to_owned(), |value| format!("{value}"));
        let word = found.verdict.as_str();
        let basis = format!("{word}, measured {shown}");
        let outcome = match found.verdict {
            Verdict::Pass | Verdict::Warn => Outcome::Value(1.0),
            Verdict::Fail => Outcome::Value(0.0),
            Verdict::Unknown => Outcome::Empty,
            Verdict::Error => {
                Outcome::Error(found.message.unwrap_or_else(|| "the check could not run".into()))
            }
        };
        let mut reading = Reading::with(query, outcome, basis).from_time(found.checked_at);
        reading.facts = json!({ "verdict": word, "severity": found.severity, "measured": found.value });
        Ok(reading)
    }

    fn checks(&mut self, system: &str, severity: Option<&str>, query: &str) -> Result<Reading, EngineError> {
        let mut results = latest_results(self.stores, system)?;
        results.retain(|result| severity.is_none_or(|severity| result.severity == severity));
        let Some(first) = results.first() else {
            return Ok(Reading::missing(query, format!("no check ran; run `plimsoll check {system}`")));
        };
        let at = results.iter().map(|result| &result.checked_at).min().unwrap_or(&first.checked_at).clone();
        let passed = results.iter().filter(|result| result.verdict.is_kept()).count();
        let total = results.len();
        let failing: Vec<&str> = results
            .iter()
            .filter(|result| !result.verdict.is_kept())
            .map(|result| result.check.as_str())
            .collect();
        let mut basis = format!("{passed} of {total} passed");
        if !failing.is_empty() {
            basis += &format!("; not {}", failing.join(", "));
        }
        let mut reading = Reading::of(query, passed as f64 / total as f64 * 100.0, basis)
            .resting_on(total as u64)
            .from_time(at);
        reading.facts = json!({ "passed": passed, "total": total, "not_passed": failing });
        Ok(reading)
    }

    fn query(&mut self, system: &str, sql: &str, limit_ms: u64, query: &str) -> Result<Reading, EngineError> {
        let began = self.clock.monotonic_ms();
        let (value, sample) = match self.stores.open(system)? {
            Opened::Analytic(store) => {
                let answer = store.query(sql, &[])?;
                let sample = answer.columns.iter().position(|(name, _)| name == "sample");
                let first = answer.rows.into_iter().next().unwrap_or_default();
                let sample = sample.and_then(|at| first.get(at)).and_then(OwnedCell::as_integer);
                (first.first().map(number_of_cell), sample)
            }
            Opened::Journal(mut session) => {
                session.store.begin(Access::ReadOnly)?;
                let rows = session.store.query(sql, &[]);
                // Nothing was written: ending the snapshot either way is the same.
                session.store.rollback()?;
                let first = rows?.into_iter().next().unwrap_or_default();
                let sample = first.get(1).and_then(Value::as_integer);
                (first.first().map(number_of_value), sample)
            }
        };
        if self.clock.monotonic_ms().saturating_sub(began) > limit_ms {
            return Ok(Reading::with(query, Outcome::TimedOut(limit_ms), ""));
        }
        let outcome = value.unwrap_or(Outcome::Empty);
        let mut reading = Reading::with(query, outcome, "");
        reading.sample = sample.and_then(|sample| u64::try_from(sample).ok());
        Ok(reading)
    }

    fn run(&mut self, system: &str, change: &str, query: &str) -> Result<Reading, EngineError> {
        let Opened::Journal(mut session) = self.stores.open(system)? else {
            return Err(EngineError::usage(format!("`{system}` has no runs: it is filled by ingest")));
        };
        let runs = run::list(session.store.as_mut())?;
        let Some(last) = runs.into_iter().find(|run| run.system == system && run.change == change) else {
            return Ok(Reading::missing(query, format!("`{change}` never ran")));
        };
        let verified = verify::verify(&mut session, &last.id)?;
        let good = last.status == RunStatus::Finished && verified.ok;
        let word = if verified.ok { "verified" } else { "verification failed" };
        let basis = format!("run {} is {}, {word}", last.id.short(), last.status);
        let mut reading = Reading::of(query, f64::from(u8::from(good)), basis).resting_on(last.tally.planned);
        reading.at = last.finished_at.or(Some(last.started_at));
        reading.facts = json!({
            "run": last.id, "status": last.status, "verified": verified.ok, "tally": last.tally,
            "problems": verified.problems,
        });
        Ok(reading)
    }
}

fn number_of_cell(cell: &OwnedCell) -> Outcome {
    match cell {
        OwnedCell::Null => Outcome::Empty,
        OwnedCell::Integer(value) => Outcome::of(*value as f64),
        OwnedCell::Double(value) => Outcome::of(*value),
        OwnedCell::Decimal(digits, scale) => Outcome::of(*digits as f64 / 10_f64.powi(i32::from(*scale))),
        OwnedCell::Boolean(value) => Outcome::Value(f64::from(u8::from(*value))),
        OwnedCell::Text(text) => Outcome::Error(format!("the query gives `{text}`, which is no number")),
    }
}

fn number_of_value(value: &Value) -> Outcome {
    match value {
        Value::Null => Outcome::Empty,
        Value::Integer(value) => Outcome::of(*value as f64),
        Value::Float(value) => Outcome::of(*value),
        Value::Boolean(value) => Outcome::Value(f64::from(u8::from(*value))),
        Value::Decimal(text) if text.parse::<f64>().is_ok() => {
            text.parse().map_or(Outcome::NotANumber, Outcome::of)
        }
        other => Outcome::Error(format!("the query gives {other}, which is no number")),
    }
}
