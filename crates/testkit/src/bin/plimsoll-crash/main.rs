//! The crash campaign: the real binary, killed with SIGKILL at random points, must lose and double nothing.
//!
//! Owns the rounds and the verdict. One scenario is prepared per database: a generated hearings store, a
//! plan of good and bad changes made from the simulator, and the table digests of an uninterrupted run
//! after apply, after the replay of repaired quarantined items, and after undo. Each round starts from a
//! copy, runs the same commands, kills each at a random moment - again and again, until it gets through -
//! goes on as a person would (`resume`, or the command again), and compares.
//!
//! A campaign is a function of its seed, apart from where in the program a kill strikes.
//!
//! That is the campaign of changes. The one of a link (`--what sync`) is in [`storm`], that of a pilot
//! (`--what pilot`) in [`pilot`].

#![expect(clippy::print_stdout, reason = "a campaign prints what it saw")]

mod binary;
mod chance;
mod pilot;
mod place;
mod scenario;
mod storm;

use std::process::ExitCode;
use std::time::Instant;

use chance::Chance;
use place::Place;
use scenario::Scenario;

/// What a campaign may go wrong with.
type Failure = Box<dyn std::error::Error>;

struct Options {
    rounds: u64,
    seed: u64,
    stores: Vec<&'static str>,
    campaigns: Vec<Campaign>,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Campaign {
    /// A run of the change engine, its replay and its undo.
    Change,
    /// Two processes that keep a link in step.
    Sync,
    /// Two processes that carry changes and move the members of a pilot.
    Pilot,
}

const USAGE: &str = "usage: plimsoll-crash [--rounds N] [--seed S] [--store sqlite|postgres|both] [--what change|sync|pilot|both]";

fn options() -> Result<Options, Failure> {
    let mut options = Options {
        rounds: 50,
        seed: 1,
        stores: vec!["sqlite", "postgres"],
        campaigns: vec![Campaign::Change],
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--rounds" => options.rounds = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--store" => {
                options.stores = match value()?.as_str() {
                    "sqlite" => vec!["sqlite"],
                    "postgres" => vec!["postgres"],
                    "both" => vec!["sqlite", "postgres"],
                    other => return Err(format!("--store is sqlite, postgres or both, not `{other}`").into()),
                }
            }
            "--what" => {
                options.campaigns = match value()?.as_str() {
                    "change" => vec![Campaign::Change],
                    "sync" => vec![Campaign::Sync],
                    "pilot" => vec![Campaign::Pilot],
                    "both" => vec![Campaign::Change, Campaign::Sync],
                    other => {
                        return Err(format!("--what is change, sync, pilot or both, not `{other}`").into());
                    }
                }
            }
            _ => return Err(format!("unknown option `{word}`\n{USAGE}").into()),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options().and_then(|options| campaign(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn campaign(options: &Options) -> Result<bool, Failure> {
    let mut all_good = true;
    for store in &options.stores {
        let Some(place) = Place::open(store)? else {
            println!("{store}: left out, it is not installed here");
            continue;
        };
        for campaign in &options.campaigns {
            all_good &= match campaign {
                Campaign::Change => rounds(options, store, &place)?,
                Campaign::Sync => storm::rounds(options.rounds, options.seed, store, &place)?,
                Campaign::Pilot => pilot::rounds(options.rounds, options.seed, store)?,
            };
        }
    }
    Ok(all_good)
}

/// All rounds on one database; true when none failed.
fn rounds(options: &Options, store: &str, place: &Place) -> Result<bool, Failure> {
    let mut scenario = Scenario::prepare(place)?;
    println!(
        "{store}: scenario of {} items, {} bad; {} rounds, seed {}",
        scenario.planned, scenario.bad, options.rounds, options.seed
    );
    let started = Instant::now();
    let mut kills = 0_u64;
    let mut failures = 0_u64;
    for round in 0..options.rounds {
        let mut chance = Chance::new(options.seed, round);
        match scenario.round(place, round, &mut chance) {
            Ok(struck) => kills += struck,
            Err(error) => {
                failures += 1;
                println!("{store}: round {round} FAILED: {error}");
            }
        }
        let done = round + 1;
        if done % 50 == 0 {
            println!(
                "{store}: {done} rounds, {kills} kills, {failures} failures, {:.0} s",
                started.elapsed().as_secs_f64()
            );
        }
    }
    println!(
        "{store}: {} rounds, {kills} kills with -9 ({}), {failures} failures: {} lost, {} double, {:.0} s",
        options.rounds,
        scenario.kills_by_phase(),
        scenario.lost,
        scenario.doubled,
        started.elapsed().as_secs_f64()
    );
    // A test runner's words, for whoever reads only the last line.
    println!("{} passed, {failures} failed", options.rounds - failures);
    Ok(failures == 0)
}
