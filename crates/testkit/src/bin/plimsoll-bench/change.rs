//! `bench change`: rows a second of the change engine beside the same updates without it.

use std::time::Instant;

use plimsoll_core::undo::UndoMode;
use plimsoll_core::value::Value;
use plimsoll_engine::Session;
use plimsoll_engine::change::apply::{self, StartRun};
use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::change::undo;
use plimsoll_store::{Durability, StoreUrl};
use plimsoll_testkit::postgres_server::{PostgresServer, ServerOptions};

use crate::table::{line, median};
use crate::{Failure, floor, hearings, memory, rows};

struct Options<'words> {
    rows: i64,
    rounds: usize,
    quick: bool,
    only: Option<&'words str>,
}

/// A part of the benchmark, which can be run alone.
type Part = fn(&Options<'_>) -> Result<(), Failure>;

/// Runs the benchmark.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let mut options = Options { rows: 20_000, rounds: 5, quick: false, only: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--rows" => options.rows = words.next().ok_or("--rows N")?.parse()?,
            "--rounds" => options.rounds = words.next().ok_or("--rounds N")?.parse()?,
            "--quick" => options = Options { rows: 5_000, rounds: 1, quick: true, ..options },
            "--sqlite-only" => options.only = Some("sqlite"),
            "--only" => options.only = Some(words.next().ok_or("--only PART")?),
            other => return Err(format!("unknown option `{other}`").into()),
        }
    }
    println!(
        "bench change: {} rows, 3 of 6 columns updated, median of {} rounds",
        options.rows, options.rounds
    );
    let parts: &[(&str, Part)] = &[
        ("sqlite", both_durabilities),
        ("isolation", |_| isolation()),
        ("postgres", postgres),
        ("hearings", |options| hearings::run(options.rounds)),
        ("memory", |options| memory::run(if options.quick { &[500, 50_000] } else { &[500, 1_000_000] })),
    ];
    if let Some(only) = options.only.filter(|only| parts.iter().all(|(name, _)| name != only)) {
        return Err(
            format!("there is no part `{only}`: sqlite, isolation, postgres, hearings, memory").into()
        );
    }
    for (name, part) in parts {
        match options.only {
            Some(only) if only != *name => println!("\n{name}: left out on request"),
            _ => part(&options)?,
        }
    }
    Ok(())
}

fn both_durabilities(options: &Options<'_>) -> Result<(), Failure> {
    sqlite(options, "FULL", Durability::Full, "full")?;
    sqlite(options, "NORMAL", Durability::Normal, "normal")
}

fn sqlite(
    options: &Options<'_>,
    name: &str,
    durability: Durability,
    synchronous: &str,
) -> Result<(), Failure> {
    println!("\nSQLite, synchronous = {name}");
    let folder = tempfile::tempdir()?;
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        StoreUrl::Sqlite { path: folder.path().join(format!("{next}.db")), durability }
    };
    for batch in [25_u64, 50, 100] {
        measure(options, batch, &mut || Ok(fresh()), Some(synchronous))?;
    }
    let count = options.rows.min(if durability == Durability::Full { 2_000 } else { 20_000 });
    let mut session = rows::prepare(&fresh(), count)?;
    let taken = floor::plain(session.store.as_mut(), count, 1)?;
    line("one commit a row (the earlier system's shape)", count as f64 / taken, 0.0, None);
    Ok(())
}

/// One way to do the updates, and the seconds it took in each round.
struct Way {
    name: &'static str,
    seconds: Vec<f64>,
}

impl Way {
    fn new(name: &'static str) -> Self {
        Self { name, seconds: Vec::new() }
    }

    /// The median of the ratios of this way's rate to another's, round by round: what slows a whole round
    /// down slows both.
    fn beside(&self, other: &Self) -> f64 {
        median(other.seconds.iter().zip(&self.seconds).map(|(other, own)| other / own).collect()).0
    }
}

/// The floor, ours and, with `python`, the script, once in every round.
fn measure(
    options: &Options<'_>,
    batch: u64,
    open: &mut dyn FnMut() -> Result<StoreUrl, Failure>,
    python: Option<&str>,
) -> Result<(), Failure> {
    let mut floor = Way::new("the floor, same updates, no journal");
    let mut ours = ["ours, apply", "ours, plan + apply", "ours, undo (plan + apply)"].map(Way::new);
    let mut script = Way::new("Python sqlite3, JSON prior image");
    let in_batch = i64::try_from(batch)?;
    for _ in 0..options.rounds {
        let mut session = rows::prepare(&open()?, options.rows)?;
        floor.seconds.push(floor::plain(session.store.as_mut(), options.rows, in_batch)?);
        drop(session);
        let mut session = rows::prepare(&open()?, options.rows)?;
        let started = Instant::now();
        let plan = rows::plan(&mut session, options.rows, &[])?;
        let planned = started.elapsed().as_secs_f64();
        let applied = apply_plan(&mut session, &plan, batch)?;
        let started = Instant::now();
        let run = plimsoll_engine::change::run::list(session.store.as_mut())?.remove(0);
        let settings = RunSettings { batch_size: Some(batch), ..RunSettings::default() };
        let undone = undo::undo(&mut session, &run.id, UndoMode::Skip, &settings, "")?;
        if undone.iter().any(|run| i64::try_from(run.tally.applied) != Ok(options.rows)) {
            return Err("the undo did not restore every row".into());
        }
        ours[0].seconds.push(applied);
        ours[1].seconds.push(planned + applied);
        ours[2].seconds.push(started.elapsed().as_secs_f64());
        drop(session);
        if let Some(synchronous) = python {
            let url = open()?;
            drop(rows::prepare(&url, options.rows)?);
            let StoreUrl::Sqlite { path, .. } = &url else { continue };
            script.seconds.extend(floor::python(path, options.rows, in_batch, synchronous)?);
        }
    }
    let say = |way: &Way, ratio: Option<f64>| {
        let rates = way.seconds.iter().map(|seconds| options.rows as f64 / seconds).collect();
        let (figure, spread) = median(rates);
        line(&format!("batch {batch}: {}", way.name), figure, spread, ratio);
    };
    say(&floor, None);
    ours.iter().for_each(|way| say(way, Some(way.beside(&floor))));
    if !script.seconds.is_empty() {
        say(&script, Some(script.beside(&floor)));
        println!("  batch {batch}: ours, apply, is {:.2}x the script", ours[0].beside(&script));
    } else if python.is_some() {
        println!("  python3 is not here: its line is left out");
    }
    Ok(())
}

fn apply_plan(
    session: &mut Session,
    plan: &plimsoll_engine::change::plan::Plan,
    batch: u64,
) -> Result<f64, Failure> {
    let settings = RunSettings { batch_size: Some(batch), ..RunSettings::default() };
    let started = Instant::now();
    let run = apply::start(session, plan, &StartRun { settings, ..StartRun::default() })?;
    let run = apply::drive(session, &run.id, None)?;
    let seconds = started.elapsed().as_secs_f64();
    if run.tally.applied + run.tally.quarantined != plan.items {
        return Err("not every row was applied".into());
    }
    Ok(seconds)
}

/// One bad row in a batch of 1,000.
fn isolation() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let url = StoreUrl::Sqlite { path: folder.path().join("bad.db"), durability: Durability::Normal };
    let mut session = rows::prepare(&url, 1_000)?;
    let plan = rows::plan(&mut session, 1_000, &[617])?;
    let seconds = apply_plan(&mut session, &plan, 1_000)?;
    let sql = "SELECT attempts, quarantined, applied FROM plimsoll_batch";
    let row = session.store.query(sql, &[])?.remove(0);
    let figure = |at: usize| row.get(at).and_then(Value::as_integer).unwrap_or(-1);
    println!(
        "\nisolation: 1 bad row in a batch of 1,000: {} sub-applies (aim <= 25), {} quarantined, {} applied, {:.1} ms",
        figure(0),
        figure(1),
        figure(2),
        seconds * 1_000.0
    );
    Ok(())
}

fn postgres(options: &Options<'_>) -> Result<(), Failure> {
    let Some(server) = PostgresServer::start(ServerOptions { fsync: true })? else { return Ok(()) };
    println!("\nPostgreSQL, fsync on, loopback");
    for batch in [25_u64, 50, 100] {
        let mut open = || Ok(server.database()?.parse()?);
        measure(options, batch, &mut open, None)?;
    }
    let mut session = rows::prepare(&server.database()?.parse()?, 2_000)?;
    let taken = floor::plain(session.store.as_mut(), 2_000, 1)?;
    line("one commit a row (the earlier system's shape)", 2_000.0 / taken, 0.0, None);
    let mut session = rows::prepare(&server.database()?.parse()?, options.rows)?;
    let plan = rows::plan(&mut session, options.rows, &[])?;
    let settings = RunSettings { batch_size: Some(50), workers: 2, ..RunSettings::default() };
    let started = Instant::now();
    let run = apply::start(&mut session, &plan, &StartRun { settings, ..StartRun::default() })?;
    apply::drive(&mut session, &run.id, None)?;
    let figure = options.rows as f64 / started.elapsed().as_secs_f64();
    line("batch 50: ours, apply, 2 workers", figure, 0.0, None);
    Ok(())
}
