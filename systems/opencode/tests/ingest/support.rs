//! What the tests share: generated stores, ingests into memory, and comparing tables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::ingest::{Ingest, IngestSettings, PassReport, Settings, digests};
use plimsoll_engine::view::{Parameters, View, to_json};
use plimsoll_opencode::SYSTEM;
use plimsoll_simulator::opencode::{Generation, Manifest, Settings as Generated, generate};
use plimsoll_store::duckdb::Analytics;
use serde_json::Value as Json;

/// A generated store in a folder of its own.
pub(crate) struct Demo {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) manifest: Manifest,
}

impl Demo {
    pub(crate) fn new(sessions: usize, seed: u64, generation: Generation, bad: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Generated::of(sessions, seed);
        settings.messages = sessions * 12;
        settings.parts = Generated::usual_parts(settings.messages, sessions);
        settings.mean_part_bytes = 900;
        settings.generation = generation;
        settings.bad = bad;
        let manifest = generate(&settings, folder.path()).unwrap();
        // Files written a moment ago may still be being written; these are not.
        age(folder.path());
        Self { folder, manifest }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("opencode")
    }
}

/// Sets the time of change of every file below a folder back by an hour.
pub(crate) fn age(folder: &Path) {
    let then = std::fs::metadata(folder).unwrap().modified().unwrap() - std::time::Duration::from_secs(3_600);
    for path in files(folder) {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    }
}

/// Every file below a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                left.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn open_in(store: Analytics, roots: &[PathBuf]) -> Ingest {
    let settings = IngestSettings { roots: roots.to_vec(), threads: 2, derive: Settings::default() };
    Ingest::open(SYSTEM.documents, store, Arc::new(MachineClock::new()), settings).unwrap()
}

pub(crate) fn open(roots: &[PathBuf]) -> Ingest {
    open_in(Analytics::open_in_memory().unwrap(), roots)
}

pub(crate) fn pass(ingest: &mut Ingest) -> PassReport {
    ingest.pass(false, &mut |_, _| {}).unwrap()
}

/// Digest and rows of every table.
pub(crate) fn tables(ingest: &Ingest) -> BTreeMap<&'static str, (u64, String)> {
    tables_of(ingest.store())
}

pub(crate) fn tables_of(store: &Analytics) -> BTreeMap<&'static str, (u64, String)> {
    let digests = digests(SYSTEM.documents, store).unwrap();
    digests.into_iter().map(|digest| (digest.table, (digest.rows, digest.digest))).collect()
}

/// What a new store says after one pass over the roots.
pub(crate) fn afresh(roots: &[PathBuf]) -> BTreeMap<&'static str, (u64, String)> {
    let mut ingest = open(roots);
    pass(&mut ingest);
    tables(&ingest)
}

pub(crate) fn view(store: &Analytics, name: &str) -> Json {
    let views = View::parse_all(SYSTEM.views).unwrap();
    let answer = View::named(&views, name).unwrap().run(store, &Parameters::new()).unwrap();
    serde_json::from_str(&to_json(&answer)).unwrap()
}

pub(crate) fn count(store: &Analytics, sql: &str) -> i64 {
    store.query(sql, &[]).unwrap().rows[0][0].as_integer().unwrap()
}

/// Each table's key, checked by query as the database has none.
pub(crate) fn assert_keys(store: &Analytics) {
    let derived = SYSTEM.documents.derivations().iter().map(|derivation| derivation.table);
    for table in SYSTEM.documents.tables().iter().copied().chain(derived) {
        let key = table.key.join(", ");
        let sql =
            format!("SELECT count(*) FROM (SELECT 1 FROM {} GROUP BY {key} HAVING count(*) > 1)", table.name);
        assert_eq!(count(store, &sql), 0, "rows of {} with the same {key}", table.name);
    }
    let sql = "SELECT count(*) FROM (SELECT 1 FROM plimsoll_ingest_document GROUP BY source, path HAVING count(*) > 1)";
    assert_eq!(count(store, sql), 0, "the ledger has two lines for a document");
}
