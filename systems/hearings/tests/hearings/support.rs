//! Databases to plan against, and records to plan.
//!
//! Owns a store with the system's tables in a temporary folder, planning of one record through the engine's own
//! function, and writing the planned rows the way a batch does: compare-and-set, in one transaction, foreign keys on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_core::change::{Change, reshape};
use plimsoll_core::clock::Clock;
use plimsoll_core::item::{Item, Refusal};
use plimsoll_core::value::Value;
use plimsoll_engine::change::context::PlanMemory;
use plimsoll_engine::change::propose::plan_record;
use plimsoll_engine::source::SourceRecord;
use plimsoll_hearings::{SYSTEM, schema, update::DailyUpdate};
use plimsoll_simulator::congress::{Corpus, baseline};
use plimsoll_store::{Access, Store, StoreError, StoreUrl, in_transaction};
use plimsoll_testkit::postgres_server::PostgresServer;
use serde_json::{Value as Json, json};

/// When databases are made.
pub(crate) const NOW: &str = "2026-01-02T03:00:00Z";

/// A database of hearings in a folder of its own.
pub(crate) struct Database {
    pub(crate) store: Box<dyn Store>,
    pub(crate) memory: PlanMemory,
    /// The file of a SQLite database.
    pub(crate) file: Option<PathBuf>,
    /// How many items were written; each moves the time of planning on by a second.
    written: u32,
    _folder: Option<tempfile::TempDir>,
}

/// What planning one record came to.
#[derive(Debug)]
pub(crate) enum Planned {
    Unchanged,
    Changes(Item),
    Refused(Refusal),
}

impl Planned {
    pub(crate) fn changes(self) -> Item {
        match self {
            Self::Changes(item) => item,
            other => panic!("no changes were proposed but {other:?}"),
        }
    }

    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            other => panic!("it was not refused but {other:?}"),
        }
    }

    pub(crate) fn is_unchanged(&self) -> bool {
        matches!(self, Self::Unchanged)
    }
}

/// The real hearings, where the reference data is at hand.
pub(crate) fn snapshot() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/hearings_snapshot.db");
    if path.exists() {
        return Some(path);
    }
    println!("skipped: ../shared/data/hearings_snapshot.db is not here");
    None
}

impl Database {
    /// Empty tables at the latest version.
    pub(crate) fn empty() -> Self {
        Self::prepare(|_, _| {})
    }

    /// A copy of a database file, brought to the latest version.
    pub(crate) fn copy_of(file: &Path) -> Self {
        Self::prepare(|target, _| {
            std::fs::copy(file, target).unwrap();
            // The original may be read-only.
            let mut permissions = std::fs::metadata(target).unwrap().permissions();
            #[expect(clippy::permissions_set_readonly_false, reason = "a temporary file of this test")]
            permissions.set_readonly(false);
            std::fs::set_permissions(target, permissions).unwrap();
        })
    }

    /// A database of the earlier schema that holds `corpus`, brought to the latest version.
    pub(crate) fn of_corpus(corpus: &Corpus) -> Self {
        Self::prepare(|_, store| {
            let sql = baseline::baseline_sql(corpus).join(";\n");
            in_transaction(store, Access::ReadWrite, |store| store.run_script(&sql)).unwrap();
        })
    }

    fn prepare(fill: impl FnOnce(&Path, &mut dyn Store)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hearings.db");
        let url: StoreUrl = format!("sqlite:{}?durability=normal", file.display()).parse().unwrap();
        // Opening makes the file, which a copy then replaces; so it is opened again.
        let mut store = plimsoll_store::open(&url).unwrap();
        fill(&file, store.as_mut());
        drop(store);
        let mut store = plimsoll_store::open(&url).unwrap();
        plimsoll_store::schema::upgrade(store.as_mut(), &schema::SCHEMA, NOW).unwrap();
        Self { store, memory: PlanMemory::default(), file: Some(file), written: 0, _folder: Some(folder) }
    }

    /// Empty tables at the latest version in a database of the test server; none where PostgreSQL is not installed.
    pub(crate) fn on_postgres() -> Option<Self> {
        let server = PostgresServer::shared()?;
        let url: StoreUrl = server.database().unwrap().parse().unwrap();
        let mut store = plimsoll_store::open(&url).unwrap();
        plimsoll_store::schema::upgrade(store.as_mut(), &schema::SCHEMA, NOW).unwrap();
        Some(Self { store, memory: PlanMemory::default(), file: None, written: 0, _folder: None })
    }

    /// Takes over every row of another database, in one transaction.
    pub(crate) fn fill_from(&mut self, other: &mut Self) {
        in_transaction(self.store.as_mut(), Access::ReadWrite, |store| -> Result<(), StoreError> {
            for table in SYSTEM.tables {
                let (from, to) = (other.store.shape(table)?.unwrap(), store.shape(table)?.unwrap());
                let mut rows = Vec::new();
                other.store.scan_rows(&from, &mut |row| {
                    rows.push(Change::new(to.clone(), None, Some(reshape(&row, &from, &to, None))).unwrap());
                    Ok(())
                })?;
                let written = store.write_rows(&rows.iter().collect::<Vec<_>>())?;
                assert!(written.into_iter().all(|written| written), "{table}");
            }
            Ok(())
        })
        .unwrap();
    }

    /// Plans one record whose answer is `meeting`.
    pub(crate) fn plan(&mut self, meeting: &Json) -> Planned {
        let event = meeting["eventId"].as_str().unwrap_or("?").to_owned();
        let body = json!({ "committeeMeeting": meeting });
        self.plan_record(&SourceRecord { label: format!("hearing {event}"), body: Ok(body) })
    }

    pub(crate) fn plan_record(&mut self, record: &SourceRecord) -> Planned {
        let now = format!("2026-01-02T03:{:02}:{:02}Z", 4 + self.written / 60, self.written % 60);
        match plan_record(self.store.as_mut(), &DailyUpdate, record, &mut self.memory, &now).unwrap() {
            None => Planned::Unchanged,
            Some(Item { refusal: Some(refusal), .. }) => Planned::Refused(refusal),
            Some(item) => Planned::Changes(item),
        }
    }

    /// Writes an item's rows; every row must be where the plan saw it. Says why the database refuses.
    pub(crate) fn write(&mut self, changes: &[Change]) -> Result<(), String> {
        in_transaction(self.store.as_mut(), Access::ReadWrite, |store| {
            let all: Vec<&Change> = changes.iter().collect();
            let written = store.write_rows(&all)?;
            store.check_deferred()?;
            assert!(written.into_iter().all(|written| written), "a row was not where the plan saw it");
            Ok(())
        })
        .map_err(|error: StoreError| error.message)?;
        // A new plan begins: ids and shared rows are looked up afresh.
        self.memory = PlanMemory::default();
        self.written += 1;
        Ok(())
    }

    /// Plans and writes a record that must change something; returns what changed.
    pub(crate) fn take(&mut self, meeting: &Json) -> Item {
        let item = self.plan(meeting).changes();
        self.write(&item.changes).unwrap();
        item
    }

    /// The columns of the rows that a query gives, as printable texts.
    pub(crate) fn ask(&mut self, sql: &str) -> Vec<Vec<String>> {
        let rows = self.store.query(sql, &[]).unwrap();
        rows.into_iter().map(|row| row.iter().map(shown).collect()).collect()
    }

    /// The only value of the only row of a query.
    pub(crate) fn ask_one(&mut self, sql: &str) -> String {
        let rows = self.ask(sql);
        let [row] = rows.as_slice() else { panic!("{} rows: {sql}", rows.len()) };
        row.join(" | ")
    }

    /// Digest and row count of every table.
    pub(crate) fn digests(&mut self) -> BTreeMap<String, String> {
        let digests = plimsoll_store::digest::table_digests(self.store.as_mut(), SYSTEM.tables).unwrap();
        digests.into_iter().map(|digest| (digest.table.clone(), format!("{digest:?}"))).collect()
    }

    /// Integrity and foreign keys, as the database itself sees them.
    pub(crate) fn check(&mut self) {
        if self.file.is_none() {
            // PostgreSQL has no unchecked constraint.
            return;
        }
        assert_eq!(self.ask_one("PRAGMA integrity_check"), "ok");
        assert_eq!(self.ask("PRAGMA foreign_key_check"), Vec::<Vec<String>>::new());
    }
}

/// A clock on which waiting takes no time.
#[derive(Default)]
pub(crate) struct QuickClock(AtomicU64);

impl Clock for QuickClock {
    fn now(&self) -> String {
        "2026-01-02T03:00:00Z".into()
    }

    fn monotonic_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep_ms(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

fn shown(value: &Value) -> String {
    value.as_text().map_or_else(|| value.to_string(), str::to_owned)
}

/// A plain meeting that keeps every rule.
pub(crate) fn meeting() -> Json {
    json!({
        "eventId": "118296",
        "congress": 119,
        "chamber": "House",
        "title": "On lighthouses",
        "type": "Hearing",
        "meetingStatus": "Scheduled",
        "date": "2025-05-21T14:00:00Z",
        "updateDate": "2025-10-01T19:59:54Z",
        "location": { "room": "1324", "building": "Longworth House Office Building" },
        "committees": [{ "systemCode": "hsii24", "name": "Indian and Insular Affairs Subcommittee" }],
        "witnesses": [
            { "name": "Nicol Turner Lee", "position": "Director", "organization": "Institute of Lamps" },
            { "name": "Mary Osceola", "position": "Keeper" },
        ],
        "witnessDocuments": [
            {
                "documentType": "Witness Statement", "format": "PDF",
                "url": "https://x/HHRG-119-II24-Wstate-OsceolaM-20250521.pdf",
            },
        ],
        "meetingDocuments": [
            {
                "name": "Hearing Notice", "description": null, "documentType": "Support Document",
                "format": "PDF", "url": "https://x/HHRG-119-II24-20250521-SD001.pdf",
            },
        ],
        "hearingTranscript": [{ "jacketNumber": 58428, "url": "https://x/hearing/119/house/58428" }],
        "relatedItems": { "bills": [{ "congress": 119, "type": "HR", "number": 12, "url": "https://x/bill" }] },
        "videos": [{ "name": "On lighthouses", "url": "https://www.youtube.com/watch?v=Demoabcdefg" }],
    })
}

/// The plain meeting with some members replaced; null removes one.
pub(crate) fn meeting_with(members: Json) -> Json {
    let mut changed = meeting();
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            changed.as_object_mut().unwrap().remove(name);
        } else {
            changed[name] = value.clone();
        }
    }
    changed
}

/// What an item does, in order: `insert hearings`, `update witness_appearances position`, ..
pub(crate) fn told(item: &Item) -> Vec<String> {
    let names = |change: &Change| -> Vec<String> {
        change.changed().into_iter().map(|at| change.table.columns[at].name.clone()).collect()
    };
    item.changes
        .iter()
        .map(|change| match (&change.before, &change.after) {
            (Some(_), Some(_)) => format!("update {} {}", change.table.name, names(change).join(",")),
            (Some(_), None) => format!("delete {}", change.table.name),
            _ => format!("insert {}", change.table.name),
        })
        .collect()
}
