//! `cargo xtask bench ingest` and `bench views`: the OpenCode system at the mission's size, beside its floor and rivals.
//!
//! Owns generating the store, reading it and doing nothing else (the floor), running the release binary and watching
//! its memory, and running rivals where Python or npm can fetch them. A rival that is not there is named as left out.
//! What a rival reads is said with its figure: most read messages only. Beside the clock stands the processors' time,
//! which other programs on the machine disturb less.
//!
//! Arguments: `--from DIR` uses a store that is there; `--rounds N` (default 3) repeats, floor and ours in turn; medians
//! are printed. `--binary FILE` measures that program and builds nothing.

use std::fs;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::{bench_live, campaigns, process, project};

/// The size that the mission names: sessions, messages, parts.
const SIZE: [&str; 3] = ["877", "43060", "187331"];
/// DuckDB's own way: every file as text, each kind into a table of its own.
const DUCKDB_SQL: &str = "
import sys, time, duckdb
root, file = sys.argv[1], sys.argv[2]
db = duckdb.connect(file, config={'threads': 2, 'preserve_insertion_order': False})
db.execute('SET enable_progress_bar = false')
began = time.time()
for kind, depth in (('session', '*/*'), ('message', '*/*'), ('part', '*/*')):
    db.execute(f\"CREATE TABLE {kind} AS SELECT filename, content::JSON AS body FROM read_text('{root}/storage/{kind}/{depth}.json')\")
db.execute('CHECKPOINT')
print(time.time() - began)
";

struct Options {
    from: Option<PathBuf>,
    binary: Option<PathBuf>,
    rounds: usize,
}

fn options(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options { from: None, binary: None, rounds: 3 };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let value = || Failure::usage(format!("{word} needs a value"));
        match word.as_str() {
            "--from" => options.from = Some(PathBuf::from(words.next().ok_or_else(value)?)),
            "--binary" => options.binary = Some(PathBuf::from(words.next().ok_or_else(value)?)),
            "--rounds" => {
                let rounds = words.next().ok_or_else(value)?;
                options.rounds = rounds.parse().map_err(|_| Failure::usage("--rounds is a number"))?;
            }
            _ => {
                return Err(Failure::usage(
                    "bench ingest, views and live take --from DIR, --rounds N and --binary FILE",
                ));
            }
        }
    }
    Ok(options)
}

/// The program to measure.
fn program(options: &Options) -> Result<PathBuf, Failure> {
    match &options.binary {
        Some(binary) => Ok(binary.clone()),
        None => campaigns::build_plimsoll(campaigns::Profile::Release),
    }
}

/// The store to measure on, generated when none is named.
fn store(plimsoll: &Path, options: &Options, folder: &Path) -> Result<PathBuf, Failure> {
    if let Some(from) = &options.from {
        return Ok(from.clone());
    }
    let to = folder.join("agent");
    let [sessions, messages, parts] = SIZE;
    let arguments = ["--sessions", sessions, "--messages", messages, "--parts", parts, "--seed", "7"];
    let quiet = ["simulate", "opencode", "--json", "--to"];
    process::capture(Command::new(plimsoll).args(quiet).arg(&to).args(arguments))?;
    Ok(to)
}

/// Measures the ingest.
pub(crate) fn ingest(arguments: &[String]) -> Result<(), Failure> {
    let options = options(arguments)?;
    let plimsoll = program(&options)?;
    let folder = project::temporary_folder("bench-ingest")?;
    let from = store(&plimsoll, &options, &folder)?;
    let root = root(&from);
    // Once before anything is measured, so that all find the files in memory.
    let (files, bytes) = read_everything(&root);
    println!(
        "{files} files, {} MB, medians of {} rounds, 2 threads, warm",
        bytes / 1_000_000,
        options.rounds
    );
    let (mut floors, mut ours, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let file = folder.join("bench.duckdb");
    for _ in 0..options.rounds {
        let (began, used) = (Instant::now(), processor_time("self"));
        read_everything(&root);
        let processors = processor_time("self").saturating_sub(used);
        floors.push(Run { took: began.elapsed(), processors, ..Run::default() });
        drop(fs::remove_file(&file));
        ours.push(ours_once(&plimsoll, &from, &file)?);
        again.push(ours_once(&plimsoll, &from, &file)?);
    }
    let memory = ours.iter().map(|run| run.peak).max().unwrap_or(0);
    let first = median(ours.iter().filter_map(|run| run.first).collect());
    let floor = Run::median(&floors);
    let note = |run: &Run, note: &str| {
        let (processors, of_floor) = (run.processors.as_secs_f64(), floor.processors.as_secs_f64());
        format!("{processors:.2} s of processors, {:.1} x floor{note}", processors / of_floor)
    };
    line("floor: read every file, nothing else", floor.took, floor.took, &note(&floor, ""));
    let run = Run::median(&ours);
    line("plimsoll ingest, all tables", run.took, floor.took, &note(&run, &format!(", peak {memory} MB")));
    line("plimsoll ingest, first totals on screen", first, floor.took, "asked: < 1 s");
    let run = Run::median(&again);
    line("plimsoll ingest again, nothing changed", run.took, floor.took, &note(&run, ", asked: < 2 s"));
    let floor = floor.took;
    match duckdb_once(&root, &folder) {
        Ok(took) => line("DuckDB read_text into raw tables", took, floor, "no typed tables, no ledger"),
        Err(failure) => println!("left out: DuckDB's own SQL ({failure})"),
    }
    for (name, package, program, words) in [
        (
            "tokscale 4.17.0",
            "@tokscale/cli-linux-x64-gnu@4.17.0",
            "tokscale",
            "models --client opencode --json --no-spinner",
        ),
        (
            "ccusage 20.0.24",
            "@ccusage/ccusage-linux-x64@20.0.24",
            "ccusage",
            "opencode daily --json --offline",
        ),
    ] {
        match rival(package, program, words, &from, &folder) {
            Ok(took) => line(name, took, floor, "messages only"),
            Err(failure) => println!("left out: {name} ({failure})"),
        }
    }
    match ocmonitor_once(&root, &folder) {
        Ok(took) => line("ocmonitor 1.0.5", took, floor, "messages only"),
        Err(failure) => println!("left out: ocmonitor 1.0.5 ({failure})"),
    }
    drop(fs::remove_dir_all(&folder));
    Ok(())
}

/// Measures the views, inside one process.
pub(crate) fn views(arguments: &[String]) -> Result<(), Failure> {
    let options = options(arguments)?;
    let plimsoll = program(&options)?;
    let folder = project::temporary_folder("bench-views")?;
    let from = store(&plimsoll, &options, &folder)?;
    let file = folder.join("bench.duckdb");
    ours_once(&plimsoll, &from, &file)?;
    let url = format!("duckdb:{}", file.display());
    let mut command = Command::new(&plimsoll);
    command.args(["view", "opencode", "--measure", "20", "--store", &url]);
    let (_, text) = process::capture_with_codes(&mut command, &[0, 3])?;
    print!("{text}");
    drop(fs::remove_dir_all(&folder));
    Ok(())
}

/// Measures how long a written file takes into the views.
pub(crate) fn live(arguments: &[String]) -> Result<(), Failure> {
    let options = options(arguments)?;
    let plimsoll = program(&options)?;
    let folder = project::temporary_folder("bench-live")?;
    let from = store(&plimsoll, &options, &folder)?;
    let file = folder.join("bench.duckdb");
    ours_once(&plimsoll, &from, &file)?;
    bench_live::run(&plimsoll, &from, &root(&from), &file)?;
    drop(fs::remove_dir_all(&folder));
    Ok(())
}

/// The folder that holds `storage`.
fn root(from: &Path) -> PathBuf {
    let inside = from.join("opencode");
    if inside.is_dir() { inside } else { from.to_owned() }
}

fn line(what: &str, took: Duration, floor: Duration, note: &str) {
    let ratio = took.as_secs_f64() / floor.as_secs_f64();
    println!("{what:<42} {:>8.2} s {ratio:>7.1} x floor  {note}", took.as_secs_f64());
}

/// What a run took.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    took: Duration,
    /// Of all threads, in the program and in the system for it.
    processors: Duration,
    /// Peak memory in MB.
    peak: u64,
    /// Until the first totals were told.
    first: Option<Duration>,
}

impl Run {
    fn median(runs: &[Self]) -> Self {
        Self {
            took: median(runs.iter().map(|run| run.took).collect()),
            processors: median(runs.iter().map(|run| run.processors).collect()),
            ..Self::default()
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The processors' time of a process so far, as `/proc` tells it: in hundredths of a second.
fn processor_time(process: &str) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; the fields behind it are numbers.
    let fields = text.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Walks a folder and reads every file, with two threads; returns how many files and bytes.
fn read_everything(root: &Path) -> (usize, u64) {
    let mut files = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(folder) = left.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    let (turn, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut content = Vec::new();
                while let Some(path) = files.get(turn.fetch_add(1, Ordering::Relaxed)) {
                    content.clear();
                    if let Ok(mut file) = fs::File::open(path) {
                        let read = std::io::Read::read_to_end(&mut file, &mut content).unwrap_or(0);
                        bytes.fetch_add(read as u64, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    (files.len(), bytes.into_inner())
}

/// One run of the product.
fn ours_once(plimsoll: &Path, from: &Path, file: &Path) -> Result<Run, Failure> {
    let mut command = Command::new(plimsoll);
    command.args(["ingest", "opencode", "--from"]).arg(from);
    command
        .arg("--store")
        .arg(format!("duckdb:{}", file.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| Failure::new(format!("plimsoll: {error}")))?;
    let talk = child.stderr.take();
    let listener = std::thread::spawn(move || {
        let mut first = None;
        for line in
            talk.into_iter().flat_map(|talk| std::io::BufReader::new(talk).lines().map_while(Result::ok))
        {
            if first.is_none() && line.starts_with("after ") {
                first = Some(began.elapsed());
            }
        }
        first
    });
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut run = Run::default();
    loop {
        let ended = child.try_wait().map_err(|error| Failure::new(error.to_string()))?;
        if let Some(ended) = ended {
            if !matches!(ended.code(), Some(0 | 3)) {
                return Err(Failure::new(format!("plimsoll ingest ended with {ended}")));
            }
            run.took = began.elapsed();
            run.first = listener.join().unwrap_or_default();
            return Ok(run);
        }
        let high = fs::read_to_string(&status).unwrap_or_default();
        let high = high
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        run.peak = run.peak.max(high.unwrap_or(0_u64) / 1_024);
        run.processors = run.processors.max(processor_time(&child.id().to_string()));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A Python of its own with one package; the folder of its programs.
fn python(folder: &Path, package: &str) -> Result<PathBuf, Failure> {
    let environment = folder.join(format!("python-{package}"));
    process::capture(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let programs = environment.join("bin");
    process::capture(Command::new(programs.join("pip")).args(["install", "--quiet", package]))?;
    Ok(programs)
}

/// ocmonitor's totals by day. It reads from its user's home and nowhere else, so it gets a home that leads to the store.
fn ocmonitor_once(root: &Path, folder: &Path) -> Result<Duration, Failure> {
    let programs = python(folder, "opencode-monitor==1.0.5")?;
    let home = folder.join("ocmonitor-home");
    let data = home.join(".local/share");
    fs::create_dir_all(&data).map_err(|error| Failure::new(error.to_string()))?;
    let store = fs::canonicalize(root).map_err(|error| Failure::new(error.to_string()))?;
    process::capture(Command::new("ln").arg("-s").arg(store).arg(data.join("opencode")))?;
    let mut command = Command::new(programs.join("ocmonitor"));
    command.args(["--no-remote", "daily", "--format", "json"]).env("HOME", &home);
    command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
    let began = Instant::now();
    process::capture(&mut command)?;
    Ok(began.elapsed())
}

fn duckdb_once(root: &Path, folder: &Path) -> Result<Duration, Failure> {
    let programs = python(folder, "duckdb==2.0.0")?;
    let mut command = Command::new(programs.join("python"));
    command.args(["-c", DUCKDB_SQL]).arg(root).arg(folder.join("rival.duckdb"));
    let seconds = process::capture(&mut command)?;
    let seconds: f64 =
        seconds.trim().parse().map_err(|_| Failure::new(format!("it printed no time: {seconds}")))?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Fetches a package, and runs its program on the store: once to warm up, then measured, with an empty cache.
fn rival(package: &str, program: &str, words: &str, from: &Path, folder: &Path) -> Result<Duration, Failure> {
    let place = folder.join(program);
    fs::create_dir_all(&place).map_err(|error| Failure::new(error.to_string()))?;
    let packed =
        process::capture(Command::new("npm").args(["pack", "--silent", package]).current_dir(&place))?;
    let archive = packed.lines().last().unwrap_or_default().trim().to_owned();
    process::capture(Command::new("tar").args(["xzf", &archive]).current_dir(&place))?;
    let binary = find(&place, program).ok_or_else(|| Failure::new("the package has no such program"))?;
    // npm would make it executable when it installs; unpacked by hand it may not be.
    process::capture(Command::new("chmod").arg("u+x").arg(&binary))?;
    let home = place.join("home");
    let run = || {
        drop(fs::remove_dir_all(&home));
        let mut command = Command::new(&binary);
        command.args(words.split(' ')).env("HOME", &home).env("XDG_DATA_HOME", from);
        command.env("OPENCODE_DATA_DIR", from.join("opencode")).env("TOKSCALE_PRICING_CACHE_ONLY", "1");
        command.env("TOKSCALE_CONFIG_DIR", home.join("config"));
        fs::create_dir_all(&home).map_err(|error| Failure::new(error.to_string()))?;
        let began = Instant::now();
        process::capture(&mut command)?;
        Ok::<Duration, Failure>(began.elapsed())
    };
    run()?;
    run()
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).ok()?.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(_) if entry.file_name() == name => return Some(entry.path()),
                _ => {}
            }
        }
    }
    None
}
