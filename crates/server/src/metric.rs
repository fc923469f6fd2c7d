//! What the server measures about itself, for Prometheus.
//!
//! Owns the figures of requests, event clients and the process, and writing all of it as OpenMetrics text. What
//! the engine measures is collected there and only joined here.
//!
//! Invariants: names and labels are constants of this file; a label never holds what a caller sent (routes are the
//! patterns of the router, flags are known ones), so nobody can make the number of series grow.

use std::fs;
use std::time::{Duration, Instant};

use plimsoll_core::clock::Clock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The content type of [`Metrics::write`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the histogram of durations, in seconds: an evaluation takes tens of microseconds, a page of runs
/// milliseconds, a slow view seconds.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: RouteLabel,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Routed {
    route: RouteLabel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reported {
    flag: std::sync::Arc<str>,
    answer: &'static str,
}

type RouteLabel = std::sync::Arc<str>;

/// The figures.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Routed, Histogram, fn() -> Histogram>,
    /// Events pushed, counted once for each event.
    pub(crate) pushed: Counter,
    /// Flag evaluations answered over HTTP.
    pub(crate) evaluations: Counter,
    reported: Family<Reported, Counter>,
}

impl Metrics {
    /// Nothing counted yet. `clients` tells how many follow the flags.
    pub(crate) fn new(clock: &dyn Clock, clients: std::sync::Arc<crate::clients::Clients>) -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        registry.register("plimsoll_http_requests", "Requests answered", requests.clone());
        let durations = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        registry.register(
            "plimsoll_http_request_duration_seconds",
            "Time until the answer began, in seconds",
            durations.clone(),
        );
        let pushed = Counter::default();
        registry.register("plimsoll_server_events", "Events pushed to clients", pushed.clone());
        let evaluations = Counter::default();
        registry.register(
            "plimsoll_server_flag_evaluations",
            "Flags evaluated over HTTP",
            evaluations.clone(),
        );
        let reported = Family::default();
        registry.register(
            "plimsoll_server_client_evaluations",
            "Flags evaluated by Unleash clients, as they report it",
            reported.clone(),
        );
        registry.register_collector(Box::new(Process {
            started: Instant::now(),
            started_at: unix_seconds(clock),
        }));
        registry.register_collector(Box::new(EventClients(clients)));
        Self { registry, requests, durations, pushed, evaluations, reported }
    }

    /// Counts one answered request.
    pub(crate) fn answered(&self, method: &'static str, route: &RouteLabel, status: u16, took: Duration) {
        let answered = Answered { method, route: RouteLabel::clone(route), status };
        self.requests.get_or_create(&answered).inc();
        self.durations.get_or_create(&Routed { route: RouteLabel::clone(route) }).observe(took.as_secs_f64());
    }

    /// Counts what a client says that it evaluated itself.
    pub(crate) fn client_evaluations(&self, flag: &str, on: u64, off: u64) {
        for (answer, count) in [("on", on), ("off", off)] {
            let label = Reported { flag: flag.into(), answer };
            self.reported.get_or_create(&label).inc_by(count);
        }
    }

    /// Everything as OpenMetrics text.
    ///
    /// # Errors
    /// When a figure cannot be written, which only a full memory can cause.
    pub(crate) fn write(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

fn unix_seconds(clock: &dyn Clock) -> f64 {
    let now: Option<jiff::Timestamp> = clock.now().parse().ok();
    now.map_or(0.0, |now| now.as_millisecond() as f64 / 1e3)
}

#[derive(Debug)]
struct EventClients(std::sync::Arc<crate::clients::Clients>);

impl Collector for EventClients {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let count = i64::try_from(self.0.count()).unwrap_or(i64::MAX);
        gauge(&mut encoder, "plimsoll_server_event_clients", "Clients that follow the flags now", count)
    }
}

/// The figures that Prometheus' own libraries give for a process, under the same names.
#[derive(Debug)]
struct Process {
    started: Instant,
    started_at: f64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let uptime = self.started.elapsed().as_secs_f64();
        gauge_of(&mut encoder, "plimsoll_server_uptime_seconds", "Seconds since the server began", uptime)?;
        let help = "When the server began, in seconds since 1970";
        gauge_of(&mut encoder, "process_start_time_seconds", help, self.started_at)?;
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let metric = encoder.encode_descriptor(
                "process_cpu_seconds",
                "Processor time used, user and system, in seconds",
                None,
                counter.metric_type(),
            )?;
            counter.encode(metric)?;
        }
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Resident memory", resident_bytes()),
            ("process_open_fds", "Open files and connections", open_files()),
            ("process_max_fds", "How many may be open", file_limit()),
            ("process_threads", "Threads", status_number("Threads:")),
        ] {
            if let Some(value) = value {
                gauge(&mut encoder, name, help, value)?;
            }
        }
        Ok(())
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: i64,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn gauge_of(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: f64,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

/// Fields 14 and 15 of `/proc/self/stat`, in ticks of a hundredth of a second (proc(5); Linux shows user space 100
/// ticks a second on every machine).
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

fn resident_bytes() -> Option<i64> {
    Some(status_number("VmRSS:")? * 1024)
}

fn status_number(name: &str) -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn open_files() -> Option<i64> {
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

fn file_limit() -> Option<i64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
