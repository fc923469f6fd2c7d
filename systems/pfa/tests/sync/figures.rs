//! What Prometheus is told of a link that meets trouble, read from the store as whoever asks finds it.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use plimsoll_core::sync::plan::Dispatch;
use plimsoll_engine::metric::{self, Sample, Stores, SystemStore};
use plimsoll_engine::sync::declare::{Cursor, ListingPage, Page};
use plimsoll_engine::sync::worker::{Pace, Worker, WorkerSettings};
use plimsoll_engine::sync::{Link as _, Remote, RemoteRow, Trouble, Written};
use plimsoll_pfa::PfaLink;
use plimsoll_simulator::pems::{FaultKind, Options};

use crate::support::Bench;

fn stores(bench: &Bench) -> Stores {
    let session = Ok(bench.session("look"));
    let pfa = SystemStore { system: "pfa", session, links: vec!["pfa"], metrics: Vec::new() };
    Stores { control: None, systems: vec![pfa], analytics: Vec::new() }
}

fn samples(bench: &Bench) -> Vec<Sample> {
    metric::collect(&mut stores(bench))
}

fn figure(samples: &[Sample], name: &str) -> Option<f64> {
    metric::value(samples, &format!("plimsoll_sync_{name}")).unwrap()
}

/// What the breaker is said to do.
fn breaker(samples: &[Sample]) -> Vec<&str> {
    let of = samples.iter().filter(|sample| sample.name == "plimsoll_sync_breaker" && sample.value > 0.0);
    of.filter_map(|sample| sample.labels.iter().find(|(name, _)| *name == "state"))
        .map(|(_, state)| state.as_str())
        .collect()
}

#[test]
fn breaker_rate_retries_and_limbo_are_told_as_they_are() {
    Bench::each(&Options { rows_per_organization: 20, ..Options::default() }, |bench| {
        let nothing = samples(bench);
        assert_eq!((breaker(&nothing), figure(&nothing, "allowed_requests_per_second")), (vec![], None));
        bench.pull();
        assert_eq!(breaker(&samples(bench)), ["closed"]);

        // Ten requests a second are allowed; the remote fails five in a row.
        let pace = Pace::new(Some(10), bench.now_ms());
        let send = || {
            let remote = PfaLink.connect(bench.pems.address(), None).unwrap();
            let settings = WorkerSettings::named("paced");
            let worker = Worker::new(bench.session("paced"), &PfaLink, remote, &pace, settings);
            worker.unwrap().drain(&AtomicBool::new(false)).unwrap()
        };
        for at in 0..6 {
            bench.edit("anna", &bench.key(at), &[("model", "Demo figures")]);
        }
        bench.clock.advance_us(5_000_000);
        bench.pems.force(FaultKind::ServerError, 5);
        send();
        let broken = samples(bench);
        assert_eq!(breaker(&broken), ["open"]);
        assert_eq!(figure(&broken, "allowed_requests_per_second"), Some(10.0));
        assert_eq!(
            (figure(&broken, "due_records"), figure(&broken, "limbo_records")),
            (Some(6.0), Some(5.0))
        );
        assert!(figure(&broken, "lag_seconds").unwrap() >= 5.0);
        let (retries, tried) = (figure(&broken, "retries_total"), figure(&broken, "retrying_records"));
        assert!(retries.unwrap() >= 5.0 && tried.unwrap() >= 5.0, "{retries:?} {tried:?}");

        // It is back, asks for less, and everything arrives.
        bench.pems.force(FaultKind::RateLimited, 1);
        for _ in 0..20 {
            bench.clock.advance_us(600_000_000);
            send();
        }
        let well = samples(bench);
        assert_eq!((breaker(&well), figure(&well, "due_records")), (vec!["closed"], Some(0.0)));
        assert_eq!(figure(&well, "lag_seconds"), Some(0.0));
        assert_eq!(figure(&well, "write_outcomes_total{outcome=\"applied\"}"), Some(6.0));
        let rate = figure(&well, "allowed_requests_per_second").unwrap();
        assert!((1.0..10.0).contains(&rate), "{rate}");
        bench.assert_sent_once();
    });
}

/// A remote that looks at the figures before each write.
struct Watched {
    inner: Box<dyn Remote>,
    stores: Stores,
    seen: Arc<Mutex<BTreeSet<u64>>>,
}

impl Remote for Watched {
    fn read(&mut self, key: &str) -> Result<Option<RemoteRow>, Trouble> {
        self.inner.read(key)
    }

    fn write(&mut self, key: &str, scope: &str, dispatch: &Dispatch) -> Result<Written, Trouble> {
        let sum = figure(&metric::collect(&mut self.stores), "writes_total").unwrap();
        self.seen.lock().unwrap().insert(sum as u64);
        self.inner.write(key, scope, dispatch)
    }

    fn changes(&mut self, scope: &str, cursor: &Cursor, limit: u64) -> Result<Page, Trouble> {
        self.inner.changes(scope, cursor, limit)
    }

    fn listing(
        &mut self,
        scope: &str,
        listing: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<ListingPage, Trouble> {
        self.inner.listing(scope, listing, offset, limit)
    }

    fn before(&self, cursor: &Cursor, overlap_ms: u64) -> Cursor {
        self.inner.before(cursor, overlap_ms)
    }
}

#[test]
fn a_worker_that_has_much_to_do_tells_of_it_meanwhile() {
    let bench = Bench::sqlite(Options { rows_per_organization: 60, ..Options::default() });
    bench.pull();
    for at in 0..40 {
        bench.edit("anna", &bench.key(at), &[("model", "Demo many")]);
    }
    // At one request a second the simulated clock moves on while the worker waits for its turns.
    let pace = Pace::new(Some(1), bench.now_ms());
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let inner = PfaLink.connect(bench.pems.address(), None).unwrap();
    let remote = Watched { inner, stores: stores(&bench), seen: Arc::clone(&seen) };
    let settings = WorkerSettings { claim: 8, ..WorkerSettings::named("slow") };
    let mut worker = Worker::new(bench.session("slow"), &PfaLink, Box::new(remote), &pace, settings).unwrap();
    assert_eq!(worker.drain(&AtomicBool::new(false)).unwrap().applied, 40);
    assert_eq!(*seen.lock().unwrap(), [0, 8, 16, 24, 32].into());
    assert_eq!(figure(&samples(&bench), "writes_total"), Some(40.0));
}
