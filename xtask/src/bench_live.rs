//! `cargo xtask bench live`: from a file's writing to its rows in the views.
//!
//! Owns following a copy of a store's newest session with the real binary (`ingest --watch`), writing one part at a
//! time into it, and waiting for the line that the binary prints when rows and ledger are committed: from then on the
//! views of documents show the part. The views of figures show it when the line `derived` is printed; that line tells how
//! long the oldest change that it covers has waited. Needs the store's ledger to be up to date, so it ingests first.
//!
//! What it writes into the store it takes out again; a store named with `--from` is as it was.

use std::fs;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::json;

/// Files that are measured.
const FILES: usize = 200;
/// The unit of the pauses between files.
const PAUSE: Duration = Duration::from_millis(15);
/// The first pass over everything may take this long.
const FIRST: Duration = Duration::from_secs(600);

/// Kills the follower when the measurement ends, however it ends.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Measures on a store that `plimsoll ingest` filled; prints median, p99 and the longest.
pub(crate) fn run(plimsoll: &Path, from: &Path, root: &Path, file: &Path) -> Result<(), Failure> {
    let model = a_part(&root.join("storage/part"))?;
    let text = fs::read_to_string(&model).map_err(|error| failure(&model, &error))?;
    let id = model.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    let mut command = Command::new(plimsoll);
    command.args(["ingest", "opencode", "--watch", "--json", "--from"]).arg(from);
    command.arg("--store").arg(format!("duckdb:{}", file.display()));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut follower = Follower(command.spawn().map_err(|error| failure(plimsoll, &error))?);
    let Some(output) = follower.0.stdout.take() else { return Err(Failure::new("no output to read")) };
    let (outlet, inlet) = channel();
    let figures = Arc::new(Mutex::new(Vec::new()));
    let waited = Arc::clone(&figures);
    std::thread::spawn(move || {
        for line in std::io::BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(time) = derived(&line) {
                waited.lock().unwrap_or_else(PoisonError::into_inner).push(time);
            } else if outlet.send(line).is_err() {
                return;
            }
        }
    });
    let mut written = Vec::new();
    let mut times = Vec::new();
    let mut outcome = Ok(());
    for number in 0..=FILES {
        let name = format!("{id}bench{number}");
        let path = model.with_file_name(format!("{name}.json"));
        let began = Instant::now();
        if let Err(error) = fs::write(&path, text.replace(&id, &name)) {
            outcome = Err(failure(&path, &error));
            break;
        }
        written.push(path);
        if let Err(error) = stored(&inlet, if number == 0 { FIRST } else { Duration::from_secs(30) }) {
            outcome = Err(error);
            break;
        }
        // The first one waited for the pass over everything.
        if number > 0 {
            times.push(began.elapsed());
        }
        // A pause that falls differently into the computations that go on meanwhile.
        std::thread::sleep(PAUSE * (number as u32 % 7));
    }
    let outcome = outcome.and_then(|()| settle(&figures));
    drop(follower);
    for path in written {
        drop(fs::remove_file(path));
    }
    outcome?;
    println!("file written to row in a view, {FILES} files: {} (asked: p99 <= 250 ms)", shares(times));
    let figures = std::mem::take(&mut *figures.lock().unwrap_or_else(PoisonError::into_inner));
    println!("row to figures in the derived tables, {} computations: {}", figures.len(), shares(figures));
    Ok(())
}

fn shares(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| {
        let place = (times.len() * share / 100).min(times.len().saturating_sub(1));
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    format!("p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms, longest {:.0} ms", at(50), at(95), at(99), at(100))
}

/// How long the oldest change that a line `derived` covers has waited.
fn derived(line: &str) -> Option<Duration> {
    let document = json::parse("a line of the follower", line).ok()?;
    if json::text(&document, "event") != Some("derived") {
        return None;
    }
    json::number(&document, "duration_ms").map(|time| Duration::from_secs_f64(time / 1000.0))
}

/// Waits until no computation follows any more.
fn settle(figures: &Mutex<Vec<Duration>>) -> Result<(), Failure> {
    let count = || figures.lock().unwrap_or_else(PoisonError::into_inner).len();
    let mut seen = 0;
    for _ in 0..10 {
        std::thread::sleep(Duration::from_secs(2));
        let now = count();
        if now > 0 && now == seen {
            return Ok(());
        }
        seen = now;
    }
    Err(Failure::new("the derived tables were not computed"))
}

/// Waits for a line that says that a document was stored.
fn stored(inlet: &Receiver<String>, within: Duration) -> Result<(), Failure> {
    let end = Instant::now() + within;
    loop {
        match inlet.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) if line.contains("\"stored\":1") => return Ok(()),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => {
                return Err(Failure::new(format!("a file was not taken in within {} s", within.as_secs())));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::new("plimsoll ingest --watch ended")),
        }
    }
}

/// Any part of the last folder in order.
fn a_part(folder: &Path) -> Result<PathBuf, Failure> {
    let last = |folder: &Path| -> Result<PathBuf, Failure> {
        let entries = fs::read_dir(folder).map_err(|error| failure(folder, &error))?;
        let found = entries.flatten().map(|entry| entry.path()).max();
        found.ok_or_else(|| Failure::new(format!("{}: nothing is there", folder.display())))
    };
    last(&last(folder)?)
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}
