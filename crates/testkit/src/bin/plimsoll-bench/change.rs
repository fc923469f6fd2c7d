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

struct Options {
    rows: i64,
    rounds: usize,
    quick: bool,
    sqlite_only: bool,
}

/// Runs the benchmark.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let mut options = Options { rows: 20_000, rounds: 5, quick: false, sqlite_only: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--rows" => options.rows = words.next().ok_or("--rows N")?.parse()?,
            "--rounds" => options.rounds = words.next().ok_or("--rounds N")?.parse()?,
            "--quick" => options = Options { rows: 5_000, rounds: 1, quick: true, ..options },
            "--sqlite-only" => options.sqlite_only = true,
            other => return Err(format!("unknown option `{other}`").into()),
        }
    }
    println!(
        "bench change: {} rows, 3 of 6 columns updated, median of {} rounds",
        options.rows, options.rounds
    );
    for (name, durability, python) in
        [("FULL", Durability::Full, "full"), ("NORMAL", Durability::Normal, "normal")]
    {
        sqlite(&options, name, durability, python)?;
    }
    isolation()?;
    if options.sqlite_only {
        println!("\nPostgreSQL: left out on request");
    } else {
        postgres(&options)?;
    }
    hearings::run(options.rounds)?;
    memory::run(if options.quick { &[500, 50_000] } else { &[500, 1_000_000] })
}

fn sqlite(options: &Options, name: &str, durability: Durability, synchronous: &str) -> Result<(), Failure> {
    println!("\nSQLite, synchronous = {name}");
    let folder = tempfile::tempdir()?;
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        StoreUrl::Sqlite { path: folder.path().join(format!("{next}.db")), durability }
    };
    for batch in [25_u64, 50, 100] {
        let mut open = || Ok(fresh());
        let floor = measure(options, batch, &mut open)?;
        let mut seconds = Vec::new();
        for _ in 0..options.rounds {
            let url = fresh();
            drop(rows::prepare(&url, options.rows)?);
            let StoreUrl::Sqlite { path, .. } = &url else { continue };
            match floor::python(path, options.rows, i64::try_from(batch)?, synchronous)? {
                Some(taken) => seconds.push(taken),
                None => println!("  python3 is not here: its line is left out"),
            }
        }
        if !seconds.is_empty() {
            let (figure, spread) = rate(options.rows, seconds);
            line(&format!("batch {batch}: Python sqlite3, JSON prior image"), figure, spread, Some(floor));
        }
    }
    let count = options.rows.min(if durability == Durability::Full { 2_000 } else { 20_000 });
    let mut session = rows::prepare(&fresh(), count)?;
    let taken = floor::plain(session.store.as_mut(), count, 1)?;
    line("one commit a row (the earlier system's shape)", count as f64 / taken, 0.0, None);
    Ok(())
}

/// Ours and the floor at one batch size; returns the floor.
fn measure(
    options: &Options,
    batch: u64,
    open: &mut dyn FnMut() -> Result<StoreUrl, Failure>,
) -> Result<f64, Failure> {
    let mut timings: [Vec<f64>; 4] = Default::default();
    for _ in 0..options.rounds {
        let mut session = rows::prepare(&open()?, options.rows)?;
        timings[0].push(floor::plain(session.store.as_mut(), options.rows, i64::try_from(batch)?)?);
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
        timings[1].push(applied);
        timings[2].push(planned + applied);
        timings[3].push(started.elapsed().as_secs_f64());
    }
    let [floor, applied, whole, undone] = timings;
    let (floor, spread) = rate(options.rows, floor);
    line(&format!("batch {batch}: the floor, same updates, no journal"), floor, spread, None);
    for (what, seconds) in [("apply", applied), ("plan + apply", whole), ("undo (plan + apply)", undone)] {
        let (figure, spread) = rate(options.rows, seconds);
        line(&format!("batch {batch}: ours, {what}"), figure, spread, Some(floor));
    }
    Ok(floor)
}

fn rate(rows: i64, seconds: Vec<f64>) -> (f64, f64) {
    median(seconds.into_iter().map(|seconds| rows as f64 / seconds).collect())
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

fn postgres(options: &Options) -> Result<(), Failure> {
    let Some(server) = PostgresServer::start(ServerOptions { fsync: true })? else { return Ok(()) };
    println!("\nPostgreSQL, fsync on, loopback");
    for batch in [25_u64, 50, 100] {
        let mut open = || Ok(server.database()?.parse()?);
        measure(options, batch, &mut open)?;
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
