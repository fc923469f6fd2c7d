//! Computing samples from the stores.
//!
//! Owns which stores are asked and what happens when one cannot be: its samples are missing, `plimsoll_store_up` is
//! 0, the reason is logged, and everything else is there. Each kind of store has a module of its own.

mod analytic;
mod control;
mod decided;
mod link;
mod pilot;
mod transactional;

use std::time::Instant;

use plimsoll_store::duckdb::Analytics;
use plimsoll_store::{Access, StoreUrl};

use super::{BUILD, DeclaredMetric, SCRAPE_SECONDS, STORE_BYTES, STORE_UP, Sample};
use crate::clock::instant;
use crate::error::EngineError;
use crate::session::Session;

/// The store of a transactional system.
pub struct SystemStore {
    /// The system's name.
    pub system: &'static str,
    /// A session on it, or why there is none.
    pub session: Result<Session, EngineError>,
    /// The names of its links with a remote.
    pub links: Vec<&'static str>,
    /// The metrics that the system declares; asked once its tables are there.
    pub metrics: Vec<DeclaredMetric>,
}

/// The store of an analytical system.
pub struct AnalyticStore {
    /// The system's name.
    pub system: &'static str,
    /// The store, or why it cannot be opened. A store that was never made is not an error: leave it out.
    pub store: Result<Analytics, EngineError>,
    /// The metrics that the system declares.
    pub metrics: Vec<DeclaredMetric>,
}

/// The stores to ask.
#[derive(Default)]
pub struct Stores {
    /// The control store.
    pub control: Option<SystemStore>,
    /// The stores of transactional systems.
    pub systems: Vec<SystemStore>,
    /// The stores of analytical systems.
    pub analytics: Vec<AnalyticStore>,
}

/// The name under which the control store's own samples are.
const CONTROL: &str = "control";

/// Computes every sample of the stores; what the process itself has to say is [`super::process`]'s.
pub fn collect(stores: &mut Stores) -> Vec<Sample> {
    let began = Instant::now();
    let mut samples = vec![BUILD.sample(&[env!("CARGO_PKG_VERSION")], 1.0)];
    if let Some(control) = &mut stores.control {
        of_store(&mut samples, CONTROL, &mut control.session, |session, samples| {
            transactional::journal(session, CONTROL, samples)?;
            control::collect(session, samples)
        });
    }
    for SystemStore { system, session, links, metrics } in &mut stores.systems {
        of_store(&mut samples, system, session, |session, samples| {
            transactional::journal(session, system, samples)?;
            transactional::runs(session, system, samples)?;
            pilot::collect(session, system, samples)?;
            for metric in &*metrics {
                samples.extend(metric.store_samples(session)?);
            }
            links.iter().try_for_each(|link| link::collect(session, link, samples))
        });
    }
    for AnalyticStore { system, store, metrics } in &mut stores.analytics {
        let mut own = Vec::new();
        let result = match store {
            Ok(store) => analytic::collect(store, system, metrics, &mut own),
            Err(error) => Err(error.clone()),
        };
        finish(&mut samples, system, own, result);
    }
    samples.push(SCRAPE_SECONDS.sample(&[], began.elapsed().as_secs_f64()));
    samples
}

fn of_store(
    samples: &mut Vec<Sample>,
    system: &str,
    session: &mut Result<Session, EngineError>,
    work: impl FnOnce(&mut Session, &mut Vec<Sample>) -> Result<(), EngineError>,
) {
    let mut own = Vec::new();
    let result = match session {
        Ok(session) => snapshot(session, |session| {
            own.push(STORE_BYTES.sample(&[system], size(session)?));
            work(session, &mut own)
        }),
        Err(error) => Err(error.clone()),
    };
    finish(samples, system, own, result);
}

/// One consistent snapshot, so that figures of one scrape agree with each other.
fn snapshot(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    session.store.begin(Access::ReadOnly)?;
    let result = work(session);
    // Nothing was written; a failed rollback ends with the connection anyway.
    drop(session.store.rollback());
    result
}

/// Half of a store's figures would be taken for all of them, so an error leaves none.
fn finish(samples: &mut Vec<Sample>, system: &str, own: Vec<Sample>, result: Result<(), EngineError>) {
    let up = match result {
        Ok(()) => {
            samples.extend(own);
            1.0
        }
        Err(error) => {
            tracing::warn!(system, error = %error.message, "the store's metrics cannot be computed");
            0.0
        }
    };
    samples.push(STORE_UP.sample(&[system], up));
}

/// The size of a store in bytes.
fn size(session: &mut Session) -> Result<f64, EngineError> {
    match session.store.url() {
        StoreUrl::Sqlite { path, .. } => Ok(file_bytes(&path)),
        StoreUrl::Postgres { .. } => {
            let rows = session.store.query("SELECT pg_database_size(current_database())", &[])?;
            Ok(rows
                .first()
                .and_then(|row| row.first())
                .and_then(plimsoll_core::value::Value::as_integer)
                .map_or(0.0, double))
        }
    }
}

/// The size of a file and of its write-ahead log.
fn file_bytes(path: &std::path::Path) -> f64 {
    let mut total = 0;
    for ending in ["", "-wal", ".wal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        total += std::fs::metadata(name).map_or(0, |metadata| metadata.len());
    }
    double(i64::try_from(total).unwrap_or(i64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "the text form of Prometheus has doubles only")]
fn double(number: i64) -> f64 {
    number as f64
}

/// A moment as seconds since 1970.
fn seconds(moment: &str) -> Result<f64, EngineError> {
    Ok(double(instant(moment)?.as_millisecond()) / 1_000.0)
}
