//! What sync costs; `cargo xtask bench sync` runs this and prints its figures.
//!
//! Asked for (requirements PFA, reference of the earlier system): a merged read of 20,000 rows in 100 ms, a draft saved
//! in 20 ms, a filter over 1,000,000 rows in 100 ms, 1,000 queued writes in 5 minutes at 10 requests a second.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use plimsoll_core::value::Value;
use plimsoll_engine::cache::Cache;
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::sync::cached::{self, Question};
use plimsoll_engine::sync::http::{JsonClient, Method};
use plimsoll_engine::sync::read::{self, Filter};
use plimsoll_engine::sync::worker::{Pace, Worker, WorkerSettings};
use plimsoll_engine::sync::{Link, edit};
use plimsoll_pfa::{PfaLink, kpi};
use plimsoll_simulator::pems::Options;
use plimsoll_testkit::redis_server::RedisServer;
use serde_json::json;

use crate::cache::rendered;
use crate::support::{Bench, SCOPE, values};

/// Median and p99 of a measurement, in milliseconds.
fn shares(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    format!("p50 {:.1} ms, p99 {:.1} ms", at(50), at(99))
}

fn measured(times: usize, mut work: impl FnMut(usize)) -> String {
    let one = |at| {
        let began = Instant::now();
        work(at);
        began.elapsed()
    };
    shares((0..times).map(one).collect())
}

/// Copies the mirror's rows until there are `rows`, without asking the remote.
fn grow(bench: &Bench, rows: u64) {
    let mut session = bench.session("anna");
    let name = "organization, remote_version, remote_changed_ms, observed_at, category, class, source, dor, area_silo,
        manufacturer, model, contract, equipment_tag, monthly_rate, purchase_price, original_start, original_end,
        forecast_start, forecast_end, actual_start, actual_end, is_actualized, is_discontinued, is_funds_transferable";
    let names = name.replacen("organization", "'GROWN' || (n % 50), remote_version", 1).replacen(
        "remote_version, remote_version",
        "remote_version",
        1,
    );
    let sql = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})
         INSERT INTO pfa_mirror (pfa_id, {name}) SELECT 'G' || n || '-' || pfa_id, {names}
         FROM numbers, (SELECT * FROM pfa_mirror WHERE organization = '{SCOPE}' ORDER BY pfa_id LIMIT 1000) AS one",
        rows / 1_000
    );
    session.store.run_script(&sql).unwrap();
    session.store.run_script("ANALYZE").unwrap();
}

fn reads(bench: &Bench, name: &str) {
    let mut session = bench.session("anna");
    bench.pull();
    for at in 0..200 {
        bench.edit("anna", &bench.key(at), &[("model", "Demo edited")]);
    }
    let all = Filter { scope: Some(SCOPE.into()), ..Filter::default() };
    let read = measured(30, |_| {
        let rows = read::rows(&mut session, &PfaLink, "anna", &all).unwrap();
        assert_eq!(rows.len(), 20_000);
    });
    println!("{name}: merged read of 20,000 rows, 200 of them edited here: {read} (asked 100, aim 20)");
    with_redis(bench, name, &all);
    let rows = read::rows(&mut session, &PfaLink, "anna", &all).unwrap();
    println!("{name}: figures of 20,000 rows: {}", measured(10, |_| drop(kpi::of(&rows))));
    let draft = measured(300, |at| {
        let key = format!("{SCOPE}-{:06}", 1_000 + at);
        edit::draft(&mut session, &PfaLink, &key, None, Some(&values(&[("model", "Demo draft")]))).unwrap();
    });
    println!("{name}: a draft saved: {draft} (asked 20, aim 5)");
    grow(bench, 1_000_000);
    let filter = Filter {
        scope: Some("GROWN7".into()),
        equal: [("category".to_owned(), Value::text("Cranes")), ("source".to_owned(), Value::text("Rental"))]
            .into(),
        limit: 100,
        ..Filter::default()
    };
    let found =
        measured(30, |_| assert!(!read::rows(&mut session, &PfaLink, "anna", &filter).unwrap().is_empty()));
    println!("{name}: a filter over 1,020,000 rows, the first 100: {found} (asked 100)");
}

/// The finished answer of 20,000 rows with and without the cache, and how often it is found while somebody edits.
fn with_redis(bench: &Bench, name: &str, all: &Filter) {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let cache = Cache::at(&redis.url()).unwrap();
    let mut session = bench.session("bert");
    let question = Question { reader: "bert", filter: all, count: false, form: "bench" };
    let mut ask = |cache: Option<&Cache>| {
        cached::answer(&mut session, &PfaLink, cache, &question, rendered).unwrap().bytes
    };
    let without = measured(20, |_| drop(ask(None)));
    ask(Some(&cache));
    let hit = measured(50, |_| drop(ask(Some(&cache))));
    assert_eq!(cache.counts().hits, 50);
    let bytes = ask(Some(&cache)).len();
    println!("{name}: 20,000 rows as JSON ({bytes} bytes): {without}; found in Redis: {hit}");
    let before = cache.counts();
    let mixed = measured(100, |at| {
        if at % 20 == 0 {
            bench.edit("anna", &bench.key(at), &[("model", &format!("Demo mixed {at}"))]);
        }
        ask(Some(&cache));
    });
    let counts = cache.counts();
    println!(
        "{name}: the same with an edit before every twentieth: {mixed}; {} of 100 found",
        counts.hits - before.hits
    );
}

#[test]
#[ignore = "a measurement"]
fn what_reading_and_drafting_cost() {
    Bench::each(
        &Options { organizations: 1, rows_per_organization: 20_000, ..Options::default() },
        |bench| {
            let postgres = bench.session("anna").store.kind() == plimsoll_store::DatabaseKind::Postgres;
            reads(bench, if postgres { "PostgreSQL" } else { "SQLite" });
        },
    );
}

fn queued(bench: &Bench, writes: usize, per_second: Option<u64>, workers: usize) -> Duration {
    bench.pull();
    for at in 0..writes {
        bench.edit("anna", &bench.key(at), &[("model", "Demo queued")]);
    }
    let real = Arc::new(MachineClock::new());
    let session = |name: &str| {
        let mut session = bench.session(name);
        session.clock = Arc::<MachineClock>::clone(&real);
        session
    };
    let pace = Pace::new(per_second, plimsoll_engine::sync::now_ms(&session("clock")));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..workers {
            let name = format!("w{number}");
            let remote = PfaLink.connect(bench.pems.address(), None).unwrap();
            let settings = WorkerSettings::named(name.as_str());
            let mut worker = Worker::new(session(&name), &PfaLink, remote, &pace, settings).unwrap();
            scope.spawn(move || worker.drain(&AtomicBool::new(false)).unwrap());
        }
    });
    assert_eq!(bench.pems.effects().total, writes as u64);
    bench.assert_sent_once();
    began.elapsed()
}

#[test]
#[ignore = "a measurement; takes two minutes"]
fn what_sending_costs() {
    let options = Options { organizations: 1, rows_per_organization: 2_000, ..Options::default() };
    let bench = Bench::sqlite(options.clone());
    // The floor: the same requests, and nothing else.
    let client = JsonClient::new(bench.pems.address(), None, Duration::from_secs(5)).unwrap();
    let keys: Vec<String> = (0..1_000).map(|at| bench.key(at)).collect();
    let began = Instant::now();
    for key in &keys {
        let body = json!({"version": 1, "fields": {"pfs_f_model": "Demo bare"}});
        assert_eq!(
            client.send(Method::Put, &format!("api/pems/pfa/{key}"), None, Some(&body)).unwrap().status,
            200
        );
    }
    let floor = began.elapsed();
    Bench::each(&options, |bench| {
        let postgres = bench.session("anna").store.kind() == plimsoll_store::DatabaseKind::Postgres;
        let name = if postgres { "PostgreSQL" } else { "SQLite" };
        let one = queued(bench, 1_000, None, 1);
        println!(
            "{name}: 1,000 writes without a limit, one worker: {:.2} s, {:.2} ms each; bare HTTP {:.2} s, so {:.2} ms of ours each",
            one.as_secs_f64(),
            one.as_secs_f64(),
            floor.as_secs_f64(),
            (one.saturating_sub(floor)).as_secs_f64()
        );
    });
    let limited = queued(&Bench::sqlite(options), 1_000, Some(10), 2);
    println!(
        "1,000 writes at 10 requests a second, two workers: {:.1} s (floor 100, aim 105)",
        limited.as_secs_f64()
    );
}
