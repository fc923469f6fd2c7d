//! `cargo xtask bench live`: from a file's writing to its rows in the views.
//!
//! Owns following a copy of a store's newest session with the real binary (`ingest --watch`), writing one part at a
//! time into it, and waiting for the line that the binary prints when rows, ledger and derived tables are committed: from
//! then on every view shows the part. Needs the store's ledger to be up to date, so it ingests first.
//!
//! What it writes into the store it takes out again; a store named with `--from` is as it was.

use std::fs;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// Files that are measured.
const FILES: usize = 200;
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
    std::thread::spawn(move || {
        for line in std::io::BufReader::new(output).lines().map_while(Result::ok) {
            if outlet.send(line).is_err() {
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
    }
    drop(follower);
    for path in written {
        drop(fs::remove_file(path));
    }
    outcome?;
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1000.0;
    println!(
        "file written to row in a view, {FILES} files one by one: p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms, longest {:.0} ms (asked: p99 <= 250 ms)",
        at(50),
        at(95),
        at(99),
        at(100)
    );
    Ok(())
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
