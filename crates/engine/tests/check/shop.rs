//! A shop with customers and orders, on each of the three databases.

use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_core::clock::Clock;
use plimsoll_engine::EngineError;
use plimsoll_engine::check::{Check, Checkup, Cohort, Finding, Report};
use plimsoll_store::duckdb::Analytics;
use plimsoll_store::{Store, StoreUrl};
use plimsoll_testkit::postgres_server::PostgresServer;
use tempfile::TempDir;

/// A clock that stands at noon and moves on a minute with each question for the day.
#[derive(Default)]
pub(crate) struct Noon {
    minutes: AtomicU64,
    micros: AtomicU64,
}

impl Clock for Noon {
    fn now(&self) -> String {
        let minute = self.minutes.fetch_add(1, Ordering::Relaxed);
        format!("2026-03-20T12:{:02}:00.000Z", minute % 60)
    }

    fn monotonic_ms(&self) -> u64 {
        self.monotonic_us() / 1_000
    }

    fn monotonic_us(&self) -> u64 {
        self.micros.fetch_add(1_000, Ordering::Relaxed)
    }

    fn sleep_ms(&self, _: u64) {}
}

pub(crate) enum Place {
    /// With the folder that holds a file.
    Store(Box<dyn Store>, #[expect(dead_code, reason = "it goes with the store")] Option<TempDir>),
    Analytics(Analytics),
}

pub(crate) struct Shop {
    pub(crate) place: Place,
    pub(crate) clock: Noon,
    pub(crate) name: &'static str,
    runs: u32,
}

const TABLES: &str = "
    CREATE TABLE customers (id bigint PRIMARY KEY, email text, age double precision, country text,
        seen_at timestamp);
    CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, number text, amount decimal(12, 2),
        status text);
    INSERT INTO customers VALUES
        (1, 'ada@example.org', 36, 'TW', '2026-03-20 06:00:00'),
        (2, 'ben@example.org', 41, 'TW', '2026-03-19 06:00:00'),
        (3, 'cyd@example.org', 17.5, 'JP', '2026-03-18 06:00:00'),
        (4, 'dee@example.org', 90, 'JP', '2026-03-17 06:00:00');
    INSERT INTO orders VALUES
        (1, 1, 'A-1', 10.50, 'paid'), (2, 1, 'A-2', 20.00, 'open'), (3, 2, 'A-3', 30.00, 'paid'),
        (4, 3, 'A-4', 40.00, 'paid'), (5, 4, 'A-5', 50.00, 'open'), (6, NULL, NULL, 60.00, 'open');";

impl Shop {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url: StoreUrl = format!("sqlite:{}", folder.path().join("shop.db").display()).parse().unwrap();
        let store = plimsoll_store::open(&url).unwrap();
        Self::filled(Place::Store(store, Some(folder)), "SQLite")
    }

    pub(crate) fn postgres() -> Option<Self> {
        let url: StoreUrl = PostgresServer::shared()?.database().unwrap().parse().unwrap();
        Some(Self::filled(Place::Store(plimsoll_store::open(&url).unwrap(), None), "PostgreSQL"))
    }

    pub(crate) fn duckdb() -> Self {
        Self::filled(Place::Analytics(Analytics::open_in_memory().unwrap()), "DuckDB")
    }

    /// Every database that is at hand.
    pub(crate) fn everywhere() -> Vec<Self> {
        let mut shops = vec![Self::sqlite(), Self::duckdb()];
        match Self::postgres() {
            Some(shop) => shops.push(shop),
            None => println!("skipped: PostgreSQL is not installed"),
        }
        shops
    }

    fn filled(place: Place, name: &'static str) -> Self {
        let mut shop = Self { place, clock: Noon::default(), name, runs: 0 };
        shop.script(TABLES);
        shop
    }

    pub(crate) fn script(&mut self, sql: &str) {
        match &mut self.place {
            Place::Store(store, _) => store.run_script(sql).unwrap(),
            Place::Analytics(store) => store.run_script(sql).unwrap(),
        }
    }

    pub(crate) fn store(&mut self) -> &mut dyn Store {
        match &mut self.place {
            Place::Store(store, _) => store.as_mut(),
            Place::Analytics(_) => panic!("an analytical store"),
        }
    }

    pub(crate) fn run(&mut self, checks: &[Check]) -> Report {
        self.run_with(checks, None, |checkup| checkup)
    }

    pub(crate) fn run_with<'a>(
        &'a mut self,
        checks: &'a [Check],
        cohort: Option<&'a Cohort>,
        change: impl FnOnce(Checkup<'a>) -> Checkup<'a>,
    ) -> Report {
        self.runs += 1;
        let run_id = format!("run-{}", self.runs);
        let run_id: &'a str = Box::leak(run_id.into_boxed_str());
        let checkup = change(Checkup { cohort, ..Checkup::new("shop", checks, &self.clock, run_id) });
        let result: Result<Report, EngineError> = match &mut self.place {
            Place::Store(store, _) => checkup.run_on(store.as_mut()),
            Place::Analytics(store) => checkup.run(store),
        };
        result.unwrap()
    }

    /// What one check finds.
    pub(crate) fn find(&mut self, check: &Check) -> Finding {
        self.run(std::slice::from_ref(check)).findings.remove(0)
    }
}

/// A check by its keys, one on a line; severity, title and hint are added.
pub(crate) fn check(lines: &str) -> Check {
    let (lines, sql) = lines
        .split_once("SELECT")
        .map_or((lines, String::new()), |(lines, sql)| (lines, format!("SELECT{sql}")));
    let lines: String = lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("-- {}\n", line.trim()))
        .collect();
    let text = format!(
        "-- check: it\n-- title: It is so\n-- severity: error\n-- hint: look\n-- requirements:\n{lines}\n{sql}\n"
    );
    Check::parse(&text).unwrap_or_else(|error| panic!("{}\n{text}", error.message))
}

/// The same check under another name.
pub(crate) fn named(name: &str, lines: &str) -> Check {
    let mut check = check(lines);
    check.name = name.to_owned();
    check
}
