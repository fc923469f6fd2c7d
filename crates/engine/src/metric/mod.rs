//! Metrics: the state of everything, as numbers with names.
//!
//! Owns the names (`family`), computing their values from the stores at the moment somebody asks (`collect`), finding
//! one by a selector (`select`), and the text form that Prometheus reads (`render`). It keeps no counters of its own:
//! what a counter shows is counted in the journal, so it survives a restart and does not depend on who was running. Only
//! the cache, which is in no journal, counts for itself (`cached`).
//! It deliberately opens no store; what happens while a server runs (requests) is handed over by the server.
//!
//! What only a system can know - what a session cost - the system declares as an SQL file with a header (`declared`).
//!
//! Invariants: a store that cannot be read costs its own samples and nothing else, and `plimsoll_store_up` says so.
//! Every sample belongs to a declared family and has exactly its labels. Names follow the conventions of Prometheus:
//! base units (seconds, bytes), `_total` for what only grows.

mod cached;
mod collect;
mod declared;
mod family;
mod process;
mod render;
mod select;

pub use cached::cache;
pub use collect::{AnalyticStore, Stores, SystemStore, collect};
pub use declared::DeclaredMetric;
pub use family::*;
pub use process::process;
pub use render::{CONTENT_TYPE, render, render_open_metrics};
pub use select::value;

/// Whether a value only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It only grows, until the store is made anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Observations counted in buckets: its samples are `_bucket` with a label `le`, `_sum`, and `_count`.
    Histogram,
}

impl Kind {
    /// The word in the text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric, described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What its value is, with the unit.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: Kind,
    /// Its labels, in order.
    pub labels: &'static [&'static str],
}

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name: that of its family, with `_bucket`, `_sum` or `_count` after it in a histogram.
    pub name: String,
    /// What the value is.
    pub help: &'static str,
    /// The kind of its family.
    pub kind: Kind,
    /// Labels with their values, in the family's order.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

impl Family {
    /// A sample of this family. `labels` are the values of its labels, in order.
    pub fn sample(&self, labels: &[&str], value: f64) -> Sample {
        debug_assert_eq!(labels.len(), self.labels.len(), "labels of {}", self.name);
        Sample {
            name: self.name.to_owned(),
            help: self.help,
            kind: self.kind,
            labels: self.labels.iter().copied().zip(labels.iter().map(|label| (*label).to_owned())).collect(),
            value,
        }
    }

    /// A sample of this family for a count.
    pub fn count(&self, labels: &[&str], count: u64) -> Sample {
        // Exact up to 2^53, which no count of rows reaches.
        #[expect(clippy::cast_precision_loss, reason = "the text form of Prometheus has doubles only")]
        self.sample(labels, count as f64)
    }

    /// The samples of a histogram: cumulative counts by upper bound in the family's unit, their sum and number.
    pub fn histogram(&self, labels: &[&str], buckets: &[(f64, u64)], sum: f64, count: u64) -> Vec<Sample> {
        let mut samples = Vec::with_capacity(buckets.len() + 3);
        let bounds = buckets.iter().map(|(bound, below)| (bound.to_string(), *below));
        for (bound, below) in bounds.chain([("+Inf".to_owned(), count)]) {
            let mut sample = self.count(labels, below);
            sample.name.push_str("_bucket");
            sample.labels.push(("le", bound));
            samples.push(sample);
        }
        let (mut total, mut number) = (self.sample(labels, sum), self.count(labels, count));
        total.name.push_str("_sum");
        number.name.push_str("_count");
        samples.extend([total, number]);
        samples
    }
}

#[cfg(test)]
mod tests;
