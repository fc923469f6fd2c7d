//! The fixture: a system of two tables that stands for any system, and short words to work with it.
//!
//! Owns the tables `account` and `entry`, one change kind over them, stores to put them in, and a clock that
//! only moves when it is told to. It knows no real system and holds no expectations: those are the tests'.
//!
//! Invariant: every value made here is canonical for its store, so a change equals what the store reads back.

#![expect(clippy::unwrap_used, reason = "tests only: a fixture that cannot be set up ends the test")]

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use plimsoll_core::change::Change;
use plimsoll_core::clock::Clock;
use plimsoll_core::digest::TableDigest;
use plimsoll_core::item::{Item, Refusal};
use plimsoll_core::table::{Image, RowKey, TableShape};
use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::apply::{self, StartRun};
use plimsoll_engine::change::context::{CurrentRow, PlanContext, Proposal};
use plimsoll_engine::change::plan::{NewPlan, Plan, PlanWriter};
use plimsoll_engine::change::run::{Run, RunSettings};
use plimsoll_engine::change::{propose, setup};
use plimsoll_engine::session::Session;
use plimsoll_engine::source::{
    Fetch, FetchError, FetchStatistics, Query, SourceRecord, SourceRequest, SourceSummary,
};
use plimsoll_engine::system::{ChangeKind, Dialect, Schema, SchemaAction, SchemaStep, System};
use plimsoll_store::{Access, Durability, StoreUrl};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::postgres_server::PostgresServer;

const TABLES: Dialect = Dialect {
    sqlite: "CREATE TABLE IF NOT EXISTS account (
        id integer PRIMARY KEY,
        name text NOT NULL UNIQUE,
        balance integer NOT NULL CHECK (balance >= 0),
        note text,
        rate decimal(12, 4),
        opened_at timestamp,
        active boolean
    );
    CREATE TABLE IF NOT EXISTS entry (
        id integer PRIMARY KEY,
        account_id integer NOT NULL REFERENCES account (id),
        amount integer NOT NULL,
        memo text
    );
    CREATE INDEX IF NOT EXISTS entry_account ON entry (account_id);",
    postgres: "CREATE TABLE IF NOT EXISTS account (
        id bigint PRIMARY KEY,
        name text NOT NULL UNIQUE,
        balance bigint NOT NULL CHECK (balance >= 0),
        note text,
        rate numeric(12, 4),
        opened_at timestamptz,
        active boolean
    );
    CREATE TABLE IF NOT EXISTS entry (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL REFERENCES account (id),
        amount bigint NOT NULL,
        memo text
    );
    CREATE INDEX IF NOT EXISTS entry_account ON entry (account_id);",
};

/// The system over the two tables.
pub static SYSTEM: System = System {
    name: "fixture",
    title: "Accounts and their entries, for tests",
    schema: Schema {
        component: "fixture",
        steps: &[SchemaStep { version: 1, name: "tables", actions: &[SchemaAction::Script(TABLES)] }],
        current: TABLES,
    },
    tables: &["account", "entry"],
    changes: &[&SYNC],
    checks: &[],
    settings: &[],
    ..System::EMPTY
};

/// The change kind: brings accounts in step with records.
pub static SYNC: AccountSync = AccountSync;

/// See [`SYNC`]. A record is `{"id", "name", "balance", "note"?, "entries"?: [{"id", "amount"}], "delete"?}`.
#[derive(Debug)]
pub struct AccountSync;

impl ChangeKind for AccountSync {
    fn name(&self) -> &'static str {
        "sync"
    }

    fn help(&self) -> &'static str {
        "brings accounts in step with records"
    }

    fn needs_backup(&self) -> bool {
        false
    }

    fn read(
        &self,
        fetch: &mut dyn Fetch,
        request: &SourceRequest,
        each: &mut dyn FnMut(SourceRecord) -> Result<(), EngineError>,
    ) -> Result<SourceSummary, EngineError> {
        if let Some((name, _)) = request.options.first() {
            return Err(EngineError::usage(format!("`sync` has no option `{name}`")));
        }
        let listed =
            fetch.get(&Query::new("accounts")).map_err(|error| EngineError::source(error.to_string()))?;
        let listed = listed.as_array().cloned().unwrap_or_default();
        let count = listed.len() as u64;
        for body in listed {
            each(SourceRecord { label: format!("account {}", body["id"]), body: Ok(body) })?;
        }
        Ok(SourceSummary { listed: count, delivered: count, ..SourceSummary::default() })
    }

    fn propose(&self, record: &SourceRecord, context: &mut PlanContext<'_>) -> Result<Proposal, EngineError> {
        let body = match &record.body {
            Ok(body) => body,
            Err(problem) => return Ok(Proposal::Refuse(Refusal::quarantined("source", problem.as_str()))),
        };
        let Some(id) = body["id"].as_i64() else {
            return Ok(Proposal::Refuse(Refusal::quarantined("source", "the id is no number")));
        };
        let found = context.find("account", &[("id", Value::Integer(id))])?.pop();
        if body["delete"] == true {
            return delete_record(context, id, found);
        }
        let values = [
            ("name", Value::optional_text(body["name"].as_str())),
            ("balance", body["balance"].as_i64().map_or(Value::Null, Value::Integer)),
            ("note", Value::optional_text(body["note"].as_str())),
        ];
        match found {
            Some(row) => drop(context.update(&row, &values)?),
            None => {
                let mut all = vec![("id", Value::Integer(id))];
                all.extend(values);
                context.insert("account", &all)?;
            }
        }
        for entry in body["entries"].as_array().into_iter().flatten() {
            let entry_id = Value::Integer(entry["id"].as_i64().unwrap_or_default());
            let values = [
                ("id", entry_id.clone()),
                ("account_id", Value::Integer(id)),
                ("amount", entry["amount"].as_i64().map_or(Value::Null, Value::Integer)),
            ];
            match context.find("entry", &[("id", entry_id)])?.pop() {
                Some(row) => drop(context.update(&row, &values)?),
                None => drop(context.insert("entry", &values)?),
            }
        }
        Ok(Proposal::Change)
    }

    fn validate(&self, items: &[Item]) -> Vec<(usize, String)> {
        let invalid = |item: &Item| {
            item.changes.iter().any(|change| {
                let name = change.after.as_ref().map(|after| change.table.get(after, "name"));
                name.and_then(Value::as_text).is_some_and(|name| name.starts_with("invalid"))
            })
        };
        let found = items.iter().enumerate().filter(|(_, item)| invalid(item));
        found.map(|(at, _)| (at, "the name begins with `invalid`".to_owned())).collect()
    }
}

fn delete_record(
    context: &mut PlanContext<'_>,
    id: i64,
    found: Option<CurrentRow>,
) -> Result<Proposal, EngineError> {
    for entry in context.find("entry", &[("account_id", Value::Integer(id))])? {
        context.delete(&entry)?;
    }
    if let Some(row) = found {
        context.delete(&row)?;
    }
    Ok(Proposal::Change)
}

/// A source that delivers these records.
#[derive(Debug, Clone, Default)]
pub struct Records(pub Vec<Json>);

impl Fetch for Records {
    fn get(&mut self, _query: &Query) -> Result<Json, FetchError> {
        Ok(Json::Array(self.0.clone()))
    }

    fn budget_left(&self) -> Option<u64> {
        None
    }

    fn statistics(&self) -> FetchStatistics {
        FetchStatistics::default()
    }
}

/// A clock that moves when it is told to, and by one millisecond each time it is asked for the date.
#[derive(Debug, Default)]
pub struct SimulatedClock {
    micros: AtomicU64,
    slept_ms: AtomicU64,
}

impl SimulatedClock {
    /// Lets time pass.
    pub fn advance_us(&self, us: u64) {
        self.micros.fetch_add(us, Ordering::SeqCst);
    }

    /// Milliseconds spent in [`Clock::sleep_ms`].
    pub fn slept_ms(&self) -> u64 {
        self.slept_ms.load(Ordering::SeqCst)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> String {
        // 2026-01-01T00:00:00Z
        let start = 1_767_225_600_000_000;
        let micros = self.micros.fetch_add(1_000, Ordering::SeqCst);
        let at = jiff::Timestamp::from_microsecond(start + i64::try_from(micros).unwrap()).unwrap();
        format!("{at:.3}")
    }

    fn monotonic_ms(&self) -> u64 {
        self.monotonic_us() / 1_000
    }

    fn monotonic_us(&self) -> u64 {
        self.micros.load(Ordering::SeqCst)
    }

    fn sleep_ms(&self, ms: u64) {
        self.slept_ms.fetch_add(ms, Ordering::SeqCst);
        self.advance_us(ms * 1_000);
    }
}

/// A store with the journal and the two empty tables, which sessions come to and go from.
#[derive(Debug)]
pub struct Place {
    url: StoreUrl,
    clock: Arc<SimulatedClock>,
    _folder: Option<TempDir>,
}

impl Place {
    /// A SQLite file in a folder of its own.
    pub fn sqlite(durability: Durability) -> Self {
        // Setting up takes many statements; copying a file that is set up takes one.
        static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let place = Self {
            url: StoreUrl::Sqlite { path: path.clone(), durability },
            clock: Arc::default(),
            _folder: Some(folder),
        };
        let empty = EMPTY.get_or_init(|| {
            drop(place.prepared());
            std::fs::read(&path).unwrap()
        });
        std::fs::write(&path, empty).unwrap();
        place
    }

    /// A place of its own with a copy of this SQLite file; no session may be open on it.
    pub fn copy(&self) -> Self {
        let StoreUrl::Sqlite { path, durability } = &self.url else {
            panic!("only a file can be copied");
        };
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("store.db");
        std::fs::copy(path, &copy).unwrap();
        Self {
            url: StoreUrl::Sqlite { path: copy, durability: *durability },
            clock: Arc::clone(&self.clock),
            _folder: Some(folder),
        }
    }

    /// A database of its own on the PostgreSQL server that the tests of this process share; `None` where
    /// PostgreSQL is not installed.
    pub fn postgres() -> Option<Self> {
        let url = PostgresServer::shared()?.database().unwrap();
        let place = Self { url: StoreUrl::Postgres { url }, clock: Arc::default(), _folder: None };
        drop(place.prepared());
        Some(place)
    }

    fn prepared(&self) -> Session {
        let mut session = self.session();
        setup::prepare(&mut session, Some(&SYSTEM)).unwrap();
        session
    }

    /// A new session on this store, on this place's clock.
    pub fn session(&self) -> Session {
        let mut session = Session::new(plimsoll_store::open(&self.url).unwrap(), "tester");
        session.clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        session
    }

    /// The clock that its sessions share.
    pub fn clock(&self) -> &Arc<SimulatedClock> {
        &self.clock
    }

    /// True when this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.url, StoreUrl::Postgres { .. })
    }
}

/// Runs a test on SQLite in both durabilities, and on PostgreSQL where it is installed.
pub fn for_each_store(test: impl Fn(&Place)) {
    test(&Place::sqlite(Durability::Full));
    test(&Place::sqlite(Durability::Normal));
    if let Some(place) = Place::postgres() {
        test(&place);
    }
}

/// A SQLite place for tests that need only one store.
pub fn place() -> Place {
    Place::sqlite(Durability::Normal)
}

/// Column values by name.
pub type Values<'a> = &'a [(&'a str, Value)];

/// The shape of a table.
pub fn shape(session: &mut Session, table: &str) -> Arc<TableShape> {
    session.store.shape(table).unwrap().unwrap()
}

/// A whole row; columns that are not named are null.
pub fn row(session: &mut Session, table: &str, values: Values<'_>) -> Image {
    let shape = shape(session, table);
    let empty = vec![Value::Null; shape.columns.len()];
    with(session, &shape, empty, values)
}

fn with(session: &Session, shape: &TableShape, mut image: Image, values: Values<'_>) -> Image {
    for (name, value) in values {
        let at = shape.position(name).unwrap();
        image[at] = session.store.canonical(&shape.columns[at], value.clone());
    }
    image
}

/// The values of an account as seeded: named after its id, with 100 more than its id on it.
pub fn account(id: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("id", Value::Integer(id)),
        ("name", Value::text(format!("account {id:04}"))),
        ("balance", Value::Integer(100 + id)),
        ("rate", Value::Decimal(format!("{}.2500", id % 7))),
        ("opened_at", Value::Timestamp(format!("2025-01-{:02}T10:00:00Z", id % 28 + 1))),
        ("active", Value::Boolean(id % 2 == 0)),
    ]
}

/// The values of an entry.
pub fn entry(id: i64, account: i64) -> Vec<(&'static str, Value)> {
    vec![("id", Value::Integer(id)), ("account_id", Value::Integer(account)), ("amount", Value::Integer(id))]
}

/// Writes accounts directly, as rows that were always there.
pub fn seed(session: &mut Session, ids: RangeInclusive<i64>) {
    let changes: Vec<Change> = ids.map(|id| insert(session, "account", &account(id))).collect();
    write(session, &changes);
}

/// Writes changes directly, past the engine, as somebody else would.
pub fn write(session: &mut Session, changes: &[Change]) {
    let changes: Vec<&Change> = changes.iter().collect();
    session.store.begin(Access::ReadWrite).unwrap();
    assert!(session.store.write_rows(&changes).unwrap().into_iter().all(|written| written));
    session.store.commit().unwrap();
}

/// The row with this id as it is now.
pub fn current(session: &mut Session, table: &str, id: i64) -> Option<Image> {
    let shape = shape(session, table);
    session.store.read_rows(&shape, &[RowKey(vec![Value::Integer(id)])]).unwrap().pop().unwrap()
}

/// One value of the row with this id as it is now.
pub fn cell(session: &mut Session, table: &str, id: i64, column: &str) -> Option<Value> {
    let image = current(session, table, id)?;
    Some(shape(session, table).get(&image, column).clone())
}

/// The insertion of a row.
pub fn insert(session: &mut Session, table: &str, values: Values<'_>) -> Change {
    let after = row(session, table, values);
    Change::new(shape(session, table), None, Some(after)).unwrap()
}

/// An update of a row as it is now.
pub fn update(session: &mut Session, table: &str, id: i64, values: Values<'_>) -> Change {
    let before = current(session, table, id).unwrap();
    update_from(session, table, before, values)
}

/// An update on top of another change of the same row.
pub fn then(session: &mut Session, first: &Change, values: Values<'_>) -> Change {
    update_from(session, &first.table.name, first.after.clone().unwrap(), values)
}

fn update_from(session: &mut Session, table: &str, before: Image, values: Values<'_>) -> Change {
    let shape = shape(session, table);
    let after = with(session, &shape, before.clone(), values);
    Change::new(shape, Some(before), Some(after)).unwrap()
}

/// The deletion of a row as it is now.
pub fn delete(session: &mut Session, table: &str, id: i64) -> Change {
    let before = current(session, table, id).unwrap();
    Change::new(shape(session, table), Some(before), None).unwrap()
}

/// An item of these changes.
pub fn item(changes: impl Into<Vec<Change>>) -> Item {
    Item { changes: changes.into(), ..Item::default() }
}

/// An item that sets the balance of an account that is there.
pub fn set_balance(session: &mut Session, id: i64, balance: i64) -> Item {
    item([update(session, "account", id, &[("balance", Value::Integer(balance))])])
}

/// Stores a plan of these items.
pub fn plan(session: &mut Session, items: &[Item]) -> Plan {
    try_plan(session, items).unwrap()
}

/// Stores a plan of these items, or tells why not.
///
/// # Errors
/// Those of the writer.
pub fn try_plan(session: &mut Session, items: &[Item]) -> Result<Plan, EngineError> {
    let new = NewPlan {
        system: SYSTEM.name.to_owned(),
        change: "test".to_owned(),
        source: "a test".to_owned(),
        ..NewPlan::default()
    };
    let mut writer = PlanWriter::create(session, &new)?;
    for item in items {
        writer.add(session, item)?;
    }
    writer.finish(session, 0, json!({}))
}

/// Plans records through the change kind.
///
/// # Errors
/// Those of planning.
pub fn plan_records(session: &mut Session, records: &[Json]) -> Result<Plan, EngineError> {
    let mut fetch = Records(records.to_vec());
    propose::propose(session, &SYSTEM, &SYNC, &mut fetch, "records of a test", &SourceRequest::default())
}

/// Settings for batches of `size`; 0 is the plain path. No share of errors stops the run.
pub fn batches_of(size: u64) -> RunSettings {
    RunSettings { batch_size: (size > 0).then_some(size), max_error_share: 1.0, ..RunSettings::default() }
}

/// A start with these settings.
pub fn start_with(settings: RunSettings) -> StartRun {
    StartRun { settings, ..StartRun::default() }
}

/// Applies a plan to its end.
///
/// # Errors
/// Those of starting and applying.
pub fn apply_plan(session: &mut Session, plan: &Plan, settings: RunSettings) -> Result<Run, EngineError> {
    let run = apply::start(session, plan, &start_with(settings))?;
    apply::drive(session, &run.id, Some(&SYNC))
}

/// Plans these items and applies them in batches of `size`.
pub fn apply_items(session: &mut Session, items: &[Item], size: u64) -> Run {
    let plan = plan(session, items);
    apply_plan(session, &plan, batches_of(size)).unwrap()
}

/// The digests of the two tables.
pub fn digests(session: &mut Session) -> Vec<TableDigest> {
    setup::digests(session, &SYSTEM).unwrap()
}

/// Every row of the two tables.
pub fn dump(session: &mut Session) -> BTreeMap<&'static str, Vec<Image>> {
    let mut tables = BTreeMap::new();
    for table in SYSTEM.tables {
        let shape = shape(session, table);
        let mut rows = Vec::new();
        session
            .store
            .scan_rows(&shape, &mut |image| {
                rows.push(image);
                Ok(())
            })
            .unwrap();
        tables.insert(*table, rows);
    }
    tables
}

/// Runs statements directly, past the engine, as somebody else would.
pub fn sql(session: &mut Session, statements: &str) {
    session.store.run_script(statements).unwrap();
}

/// The one number that a query returns.
pub fn number(session: &mut Session, query: &str) -> i64 {
    let rows = session.store.query(query, &[]).unwrap();
    rows[0][0].as_integer().unwrap()
}
