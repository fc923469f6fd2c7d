//! Following changes, alone and together with a pass.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plimsoll_engine::ingest::{Live, SyncState, WatchSettings};
use plimsoll_simulator::opencode::Generation;
use plimsoll_simulator::opencode::{append_exchange, append_session, delete_session, exchange, session_ids};
use plimsoll_store::duckdb::{Analytics, Parameter};

use crate::support::{Demo, afresh, assert_keys, count, files, open_in, tables_of};

/// An ingest that follows a root in another thread.
struct Follower {
    store: Analytics,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Follower {
    fn start(root: &Path, reconcile_every: Duration) -> Self {
        let store = Analytics::open_in_memory().unwrap();
        let mut ingest = open_in(store.another().unwrap(), &[root.to_owned()]);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let settings = WatchSettings { reconcile_every, ..WatchSettings::default() };
        let (began, begun) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut told = false;
            ingest
                .watch(&SyncState::default(), &stopping, settings, &mut |_, live| {
                    if !told && matches!(live, Live::Listening(..)) {
                        told = true;
                        began.send(()).unwrap();
                    }
                })
                .unwrap();
        });
        begun.recv_timeout(Duration::from_secs(20)).unwrap();
        Self { store, stop, thread: Some(thread) }
    }

    /// Waits until the ledger has a settled line for every document below the root.
    fn wait_for(&self, root: &Path) {
        let expected = i64::try_from(documents(root)).unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let sql = "SELECT count(*) FROM plimsoll_ingest_document WHERE outcome = 'stored'
                AND NOT EXISTS (SELECT 1 FROM plimsoll_ingest_affected)";
            let stored = count(&self.store, sql);
            if stored == expected {
                return;
            }
            assert!(Instant::now() < end, "{stored} of {expected} documents after a minute");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn documents(root: &Path) -> usize {
    files(&root.join("storage"))
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .count()
}

/// Files of a store, each to be written into another root.
fn pieces(from: &Path, to: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(from)
        .into_iter()
        .map(|path| (to.join(path.strip_prefix(from).unwrap()), std::fs::read(path).unwrap()))
        .collect()
}

fn write(pieces: &[(PathBuf, Vec<u8>)]) {
    for (path, content) in pieces {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

/// A long time: only what is heard counts.
const NEVER: Duration = Duration::from_secs(3_600);

#[test]
fn live_alone_comes_to_what_a_pass_comes_to() {
    let demo = Demo::new(12, 21, Generation::Json, 0);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("opencode");
    std::fs::create_dir_all(root.join("storage")).unwrap();
    let mut follower = Follower::start(&root, NEVER);
    write(&pieces(&demo.root(), &root));
    follower.wait_for(&root);
    follower.stop();
    assert_eq!(tables_of(&follower.store), afresh(&[root]));
    assert_keys(&follower.store);
}

/// One round of OC-24: a pass over part of a store while the rest, 100 files at least, is written.
fn overlap(seed: u64) {
    let demo = Demo::new(10, 100 + seed, Generation::Json, 0);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("opencode");
    let pieces = pieces(&demo.root(), &root);
    let (before, during): (Vec<_>, Vec<_>) = pieces.into_iter().enumerate().partition(|(at, _)| at % 3 != 0);
    let strip = |pieces: Vec<(usize, (PathBuf, Vec<u8>))>| {
        pieces.into_iter().map(|(_, piece)| piece).collect::<Vec<_>>()
    };
    let (before, during) = (strip(before), strip(during));
    assert!(during.len() >= 100, "{}", during.len());
    write(&before);
    let writer = std::thread::spawn(move || write(&during));
    let mut follower = Follower::start(&root, NEVER);
    writer.join().unwrap();
    follower.wait_for(&root);
    follower.stop();
    assert_eq!(tables_of(&follower.store), afresh(&[root]), "seed {seed}");
    assert_keys(&follower.store);
}

#[test]
fn a_pass_and_live_together_lose_nothing_and_double_nothing() {
    (0..4).for_each(overlap);
}

/// The whole of OC-24; `cargo nextest run -p plimsoll-opencode --run-ignored only hundred`.
#[test]
#[ignore = "takes minutes; the test above runs a few rounds of it"]
fn a_hundred_overlaps_of_a_hundred_files() {
    (0..100).for_each(overlap);
}

#[test]
fn torn_writes_are_waited_for_and_deletions_followed() {
    let demo = Demo::new(10, 31, Generation::Json, 0);
    let root = demo.root();
    let folder = demo.folder.path();
    let mut follower = Follower::start(&root, NEVER);
    for seed in 0..6 {
        let exchange = exchange(folder, seed).unwrap();
        for (path, content) in &exchange.files {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            // As a program writes in place: nothing, a half, all of it.
            std::fs::write(path, b"").unwrap();
            std::thread::sleep(Duration::from_millis(20));
            std::fs::write(path, &content[..content.len() / 2]).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            std::fs::write(path, content).unwrap();
        }
    }
    append_session(folder, 77).unwrap();
    follower.wait_for(&root);
    let gone = session_ids(folder).unwrap().remove(3);
    delete_session(folder, &gone).unwrap();
    follower.wait_for(&root);
    follower.stop();
    assert_eq!(tables_of(&follower.store), afresh(&[root]));
    assert_eq!(
        count(&follower.store, "SELECT count(*) FROM plimsoll_ingest_document WHERE outcome <> 'stored'"),
        0
    );
}

#[test]
fn what_notifications_miss_a_reconcile_repairs() {
    let demo = Demo::new(8, 41, Generation::Json, 0);
    let root = demo.root();
    let mut follower = Follower::start(&root, Duration::from_millis(200));
    follower.wait_for(&root);
    // A second name for a written file makes no notification of writing.
    let part = files(&root.join("storage/part")).remove(0);
    let twin = part.with_file_name("prt_200c072580015twin00000000.json");
    std::fs::hard_link(&part, &twin).unwrap();
    follower.wait_for(&root);
    follower.stop();
    assert_eq!(tables_of(&follower.store), afresh(&[root]));
}

#[test]
fn a_written_file_is_in_a_view_soon() {
    let demo = Demo::new(20, 51, Generation::Json, 0);
    let root = demo.root();
    let mut follower = Follower::start(&root, NEVER);
    follower.wait_for(&root);
    let mut times = Vec::new();
    for seed in 0..20 {
        let paths = append_exchange(demo.folder.path(), 1_000 + seed).unwrap();
        let last = paths.last().unwrap().file_stem().unwrap().to_str().unwrap().to_owned();
        let began = Instant::now();
        while follower
            .store
            .query("SELECT 1 FROM parts WHERE id = ?", &[Parameter::Text(last.clone())])
            .unwrap()
            .rows
            .is_empty()
        {
            assert!(began.elapsed() < Duration::from_secs(20), "not there after 20 s");
            std::thread::sleep(Duration::from_millis(2));
        }
        times.push(began.elapsed());
    }
    follower.stop();
    times.sort();
    // The promise is 250 ms; the machine may be busy with other tests here, and it is not measured alone yet.
    assert!(times[times.len() / 2] < Duration::from_secs(2), "{times:?}");
}
