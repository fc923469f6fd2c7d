//! `metrics`: every figure that Prometheus would scrape.
//!
//! Owns which stores are opened: those that are there, and when. Nothing is created.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use plimsoll_engine::analytic::AnalyticSystem;
use plimsoll_engine::change::setup;
use plimsoll_engine::metric::{self, AnalyticStore, DeclaredMetric, Sample, Stores, SystemStore};
use plimsoll_engine::{EngineError, control};
use plimsoll_server::Collect;
use plimsoll_store::StoreUrl;
use serde_json::json;

use super::Context;
use crate::registry::{ANALYTIC_SYSTEMS, LINKED_SYSTEMS, SYSTEMS};
use crate::ui::Ui;

/// Arguments of `metrics`.
#[derive(Debug, Args)]
pub(crate) struct MetricsArguments {
    /// Print one value: name{label="value"}, or sum(..), max(..), min(..), count(..) of it
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) select: Option<String>,
}

/// Prints all samples in the text form, or the value that a selector finds.
pub(crate) fn metrics(context: &Context, arguments: &MetricsArguments) -> Result<ExitCode, EngineError> {
    let samples = context.samples();
    match &arguments.select {
        None => {
            let document: Vec<_> = samples.iter().map(document).collect();
            context.ui.print(&document, || metric::render(&samples))?;
        }
        Some(selector) => {
            let value = metric::value(&samples, selector)?.ok_or_else(|| {
                EngineError::usage(format!(
                    "no sample matches `{selector}`\nhint: `plimsoll metrics` lists all of them"
                ))
            })?;
            context.ui.print(&json!({ "selector": selector, "value": value }), || value.to_string())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn document(sample: &Sample) -> serde_json::Value {
    let labels: serde_json::Map<String, serde_json::Value> =
        sample.labels.iter().map(|(label, value)| ((*label).to_owned(), json!(value))).collect();
    json!({ "name": sample.name, "kind": sample.kind.as_str(), "labels": labels, "value": sample.value })
}

impl Context {
    /// The same settings for work that nobody watches.
    pub(super) fn silent(&self) -> Self {
        let ui = Ui { json: false, quiet: true };
        Self { ui, config: self.config.clone(), store: self.store.clone() }
    }

    /// Every sample that there is now.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        let mut samples = metric::collect(&mut self.metric_stores());
        samples.extend(metric::process());
        samples
    }

    /// Every store that there is, for its metrics. One that cannot be opened is there with the reason.
    pub(crate) fn metric_stores(&self) -> Stores {
        let mut stores = self.transactional_stores();
        let analytics = ANALYTIC_SYSTEMS.iter().filter(|system| self.is_there(system));
        stores.analytics = analytics.map(|system| self.analytic_store(system)).collect();
        stores
    }

    fn transactional_stores(&self) -> Stores {
        let control = self.control_url().ok().filter(exists).map(|url| SystemStore {
            system: "control",
            session: self.open(&url).and_then(|mut session| {
                control::prepare(&mut session)?;
                Ok(session)
            }),
            links: Vec::new(),
            metrics: Vec::new(),
        });
        let mut systems = Vec::new();
        for system in SYSTEMS {
            let session = match self.store_url(system) {
                Ok(url) if !exists(&url) => continue,
                Ok(url) => self.open(&url).and_then(|mut session| {
                    // The tables of a system that declares metrics are asked, so they have to be there.
                    let tables = Some(*system).filter(|system| !system.metrics.is_empty());
                    setup::prepare(&mut session, tables)?;
                    Ok(session)
                }),
                Err(error) => Err(error),
            };
            let linked = LINKED_SYSTEMS.iter().filter(|linked| linked.system.name == system.name);
            let links = linked.map(|linked| linked.link.name()).collect();
            let (metrics, session) = match (DeclaredMetric::parse_all(system.metrics), session) {
                (Ok(metrics), session) => (metrics, session),
                (Err(error), _) => (Vec::new(), Err(error)),
            };
            systems.push(SystemStore { system: system.name, session, links, metrics });
        }
        Stores { control, systems, analytics: Vec::new() }
    }

    fn is_there(&self, system: &AnalyticSystem) -> bool {
        self.analytic_path(system).is_ok_and(|path| path.is_file())
    }

    fn analytic_store(&self, system: &AnalyticSystem) -> AnalyticStore {
        match DeclaredMetric::parse_all(system.metrics) {
            Ok(metrics) => AnalyticStore { system: system.name, store: self.analytic(system), metrics },
            Err(error) => AnalyticStore { system: system.name, store: Err(error), metrics: Vec::new() },
        }
    }
}

/// Whether a store is there, as far as that can be told without asking a server.
pub(super) fn exists(url: &StoreUrl) -> bool {
    !matches!(url, StoreUrl::Sqlite { path, .. } if !path.is_file())
}

/// Collects for a server, again and again.
///
/// A DuckDB file belongs to one process at a time, so it is opened only when it changed since it was last asked, and
/// has been left alone for [`SETTLED`] since. Until then the samples of before stand, for [`STALE`] at most.
pub(crate) struct Collector {
    context: Context,
    kept: Mutex<HashMap<&'static str, Kept>>,
}

/// What an analytical store said, and when.
struct Kept {
    changed: Option<SystemTime>,
    asked: Instant,
    samples: Vec<Sample>,
}

/// How long a file must be unchanged before it is opened.
const SETTLED: Duration = Duration::from_secs(5);
/// How long samples stand while their file cannot be opened.
const STALE: Duration = Duration::from_secs(900);

impl Collector {
    /// A collector with the settings of this process.
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.silent(), kept: Mutex::default() }
    }

    /// The function that the server calls.
    pub(crate) fn into_collect(self) -> Collect {
        Arc::new(move || self.collect())
    }

    fn collect(&self) -> Vec<Sample> {
        let mut samples = metric::collect(&mut self.context.transactional_stores());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for system in ANALYTIC_SYSTEMS.iter().filter(|system| self.context.is_there(system)) {
            let changed = self
                .context
                .analytic_path(system)
                .ok()
                .and_then(|path| path.metadata().ok()?.modified().ok());
            if !kept.get(system.name).is_some_and(|kept| kept.stands(changed)) {
                let fresh = self.ask(system);
                let up = metric::value(
                    &fresh,
                    &format!("{}{{system=\"{}\"}}", metric::STORE_UP.name, system.name),
                );
                let failed = up.ok().flatten() != Some(1.0);
                let stands = kept.get(system.name).is_some_and(|kept| kept.asked.elapsed() < STALE);
                if !failed || !stands {
                    kept.insert(system.name, Kept { changed, asked: Instant::now(), samples: fresh });
                }
            }
            samples.extend(kept.get(system.name).into_iter().flat_map(|kept| kept.samples.iter().cloned()));
        }
        samples.extend(self.context.config.cache.iter().flat_map(|cache| metric::cache(cache.counts())));
        samples
    }

    /// The samples of one analytical store alone.
    fn ask(&self, system: &AnalyticSystem) -> Vec<Sample> {
        let analytics = vec![self.context.analytic_store(system)];
        let mut samples = metric::collect(&mut Stores { analytics, ..Stores::default() });
        samples.retain(|sample| {
            ![metric::BUILD.name, metric::SCRAPE_SECONDS.name].contains(&sample.name.as_str())
        });
        samples
    }
}

impl Kept {
    /// Whether nothing can have changed, or the file is being written at this moment.
    fn stands(&self, changed: Option<SystemTime>) -> bool {
        let being_written = changed.is_some_and(|changed| age(changed).is_some_and(|age| age < SETTLED));
        self.changed == changed || (being_written && self.asked.elapsed() < STALE)
    }
}

/// How long ago a file was changed, by the machine's clock, which also gave the file its time.
#[expect(
    clippy::disallowed_methods,
    reason = "a file's time is compared with the clock that it was taken from"
)]
fn age(changed: SystemTime) -> Option<Duration> {
    changed.elapsed().ok()
}
