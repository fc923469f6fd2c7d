//! A generated database, a clock that is set, and a probe that fails where it is told to.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use plimsoll_core::clock::Clock;
use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use plimsoll_core::undo::UndoMode;
use plimsoll_engine::change::run::Run;
use plimsoll_engine::change::split::backup::{self, FileCopy};
use plimsoll_engine::change::split::{self, Place, SplitPlan, Start, journal};
use plimsoll_engine::session::Probe;
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_opencode::split::SPLIT_PARTS;
use plimsoll_simulator::opencode::{Earlier, generate_earlier};
use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::{Analytics, Resources};

/// A clock that shows what it is told.
pub(crate) struct SetClock(pub(crate) Mutex<String>);

impl Clock for SetClock {
    fn now(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn monotonic_ms(&self) -> u64 {
        0
    }

    fn sleep_ms(&self, _ms: u64) {}
}

/// A probe that ends the work when a point is passed for the given time.
pub(crate) struct DieAt {
    point: &'static str,
    after: u32,
    passed: AtomicU32,
}

impl Probe for DieAt {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        if point == self.point && self.passed.fetch_add(1, Ordering::Relaxed) == self.after {
            return Err(EngineError::new(ErrorKind::Crash, point));
        }
        Ok(())
    }
}

/// A database of these settings, generated once.
fn generated(settings: Earlier) -> PathBuf {
    type Made = Vec<(Earlier, tempfile::TempDir)>;
    static MADE: Mutex<Made> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap();
    if !made.iter().any(|(known, _)| *known == settings) {
        let folder = tempfile::tempdir().unwrap();
        generate_earlier(&settings, &folder.path().join("earlier.duckdb")).unwrap();
        made.push((settings, folder));
    }
    let (_, folder) = made.iter().find(|(known, _)| *known == settings).unwrap();
    folder.path().join("earlier.duckdb")
}

/// A folder with a generated database.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<SetClock>,
}

impl World {
    pub(crate) fn new(settings: Earlier) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(generated(settings), folder.path().join("earlier.duckdb")).unwrap();
        Self { folder, clock: Arc::new(SetClock(Mutex::new("2026-03-01T10:00:00.000Z".to_owned()))) }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("earlier.duckdb")
    }

    pub(crate) fn place(&self) -> Place {
        let store = Analytics::open(&self.file(), Resources::default()).unwrap();
        let mut place = Place::new(store, "tester");
        place.clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        place
    }

    /// A place whose process dies when it passes a point for the `after`th time, from 0.
    pub(crate) fn dying(&self, point: &'static str, after: u32) -> Place {
        let mut place = self.place();
        place.probe = Arc::new(DieAt { point, after, passed: AtomicU32::new(0) });
        place
    }

    pub(crate) fn backup(&self) -> FileCopy {
        let copy = backup::make(&self.file(), &self.folder.path().join("backups"), &*self.clock).unwrap();
        let place = self.place();
        journal::prepare(&place.store).unwrap();
        journal::record_copy(&place, &copy).unwrap();
        copy
    }

    /// Backs up, plans and starts a split; nothing is done yet.
    pub(crate) fn started(&self, place: &Place, copy: FileCopy) -> (SplitPlan, Run) {
        let plan = split::plan_split(place, "opencode", &SPLIT_PARTS, true).unwrap();
        let mut start = Start { backup: Some(copy), ..Start::default() };
        start.settings.batch_size = Some(400);
        let run = split::start(place, &SPLIT_PARTS, &plan, &start).unwrap();
        (plan, run)
    }

    /// A whole split.
    pub(crate) fn split(&self) -> (SplitPlan, Run) {
        let copy = self.backup();
        let place = self.place();
        let (plan, run) = self.started(&place, copy);
        (plan, split::drive(&place, &SPLIT_PARTS, &run.id).unwrap())
    }

    /// A whole undo.
    pub(crate) fn undo(&self, id: &Id, mode: UndoMode) -> Result<Run, EngineError> {
        let place = self.place();
        let (plan, _) = split::plan_undo(&place, &SPLIT_PARTS, id, mode, true)?;
        let mut start = Start::default();
        start.settings.batch_size = Some(700);
        let run = split::start(&place, &SPLIT_PARTS, &plan, &start)?;
        split::drive(&place, &SPLIT_PARTS, &run.id)
    }

    /// Digests of all tables but the journal's, and how `parts` and its indexes are made.
    pub(crate) fn picture(&self) -> (Vec<TableDigest>, Vec<String>) {
        let place = self.place();
        let mut digests = backup::table_digests(&place.store).unwrap();
        digests.retain(|digest| !digest.table.starts_with("plimsoll_"));
        let sql = "SELECT sql FROM duckdb_tables() WHERE table_name = 'parts'
            UNION ALL SELECT sql FROM duckdb_indexes() ORDER BY 1";
        let made = place.store.query(sql, &[]).unwrap().rows;
        (digests, made.iter().map(|row| row[0].as_text().unwrap().to_owned()).collect())
    }
}

/// The number that a query answers.
pub(crate) fn number(place: &Place, sql: &str) -> i64 {
    place.store.query(sql, &[]).unwrap().rows[0][0].as_integer().unwrap()
}

/// The cells that a query answers.
pub(crate) fn cells(place: &Place, sql: &str) -> Vec<Vec<OwnedCell>> {
    place.store.query(sql, &[]).unwrap().rows
}

/// A database small enough for many rounds.
pub(crate) fn small() -> Earlier {
    Earlier { parts: 2_000, seed: 5, mean_characters: 60, latest: false }
}

/// The same with the columns and tables of that monitor's last version.
pub(crate) fn latest() -> Earlier {
    Earlier { latest: true, seed: 6, ..small() }
}
