//! `cargo xtask simulate`: many simulated histories of sync, or of cut-overs, each from a seed.
//!
//! Owns dividing the seeds among threads, progress, and what is printed. A history that breaks an invariant ends the
//! program with its seed; `--from SEED --seeds 1` plays it again, the same to the last step. `--what cutover` plays customers
//! that are moved from one store to another and back. `--compare` plays other histories to the planner and to the algorithms of the two earlier systems, and prints the table of the guide.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a developer's program")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use plimsoll_core::pilot::cutover::simulate as cutover;
use plimsoll_core::sync::simulate::compare::{System, Tally, compare};
use plimsoll_core::sync::simulate::{Counts, Violation, simulate};

struct Options {
    seeds: u64,
    from: u64,
    compare: bool,
    cutover: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options { seeds: 100_000, from: 0, compare: false, cutover: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let target = match word.as_str() {
            "--compare" => {
                options.compare = true;
                continue;
            }
            "--what" => {
                let what = words.next().unwrap_or_default();
                options.cutover = match what.as_str() {
                    "sync" => false,
                    "cutover" => true,
                    _ => return Err(format!("there is no simulation of `{what}`: --what sync or cutover")),
                };
                continue;
            }
            "--seeds" => &mut options.seeds,
            "--from" => &mut options.from,
            _ => {
                return Err(format!(
                    "unknown option `{word}`\nusage: [--what sync|cutover] [--compare] [--seeds N] [--from FIRST_SEED]"
                ));
            }
        };
        let value = words.next().and_then(|value| value.parse().ok());
        *target = value.ok_or_else(|| format!("{word} needs a number"))?;
    }
    Ok(options)
}

/// Plays each seed on some thread, until one of them finds something wrong: what each thread summed up and found.
fn each_seed<Sum: Default + Send>(
    options: &Options,
    play: impl Fn(u64, &mut Sum) -> Result<(), Violation> + Sync,
) -> Vec<(Sum, Option<Violation>)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    let seeds = options.seeds;
    let run = || {
        let mut sum = Sum::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= seeds || stop.load(Ordering::Relaxed) {
                return (sum, None);
            }
            if at > 0 && at.is_multiple_of(20_000) {
                let left = began.elapsed().as_secs_f64() / at as f64 * (seeds - at) as f64;
                eprintln!("{at} of {seeds} seeds, {left:.0} s left");
            }
            if let Err(violation) = play(options.from + at, &mut sum) {
                stop.store(true, Ordering::Relaxed);
                return (sum, Some(violation));
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::from(2);
        }
    };
    if options.compare {
        print_comparison(&options)
    } else if options.cutover {
        print_cutovers(&options)
    } else {
        print_simulation(&options)
    }
}

/// The first of what the threads found.
fn first<Sum>(outcomes: Vec<(Sum, Option<Violation>)>, mut add: impl FnMut(Sum)) -> Option<Violation> {
    let mut first: Option<Violation> = None;
    for (sum, found) in outcomes {
        add(sum);
        first = match (first, found) {
            (Some(known), Some(other)) => Some(if other.seed < known.seed { other } else { known }),
            (known, found) => known.or(found),
        };
    }
    first
}

/// The last lines: what was broken and how to see it again, or that nothing was.
fn end(options: &Options, began: Instant, found: Option<Violation>) -> ExitCode {
    if let Some(found) = found {
        let what = if options.cutover { " --what cutover" } else { "" };
        println!("{found}");
        println!("again: cargo xtask simulate{what} --seeds 1 --from {}", found.seed);
        return ExitCode::FAILURE;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{} seeds from {}: 0 violations, {seconds:.1} s", options.seeds, options.from);
    ExitCode::SUCCESS
}

fn print_cutovers(options: &Options) -> ExitCode {
    let began = Instant::now();
    let outcomes = each_seed(options, |seed, sum: &mut cutover::Counts| {
        cutover::simulate(seed, cutover::Weakness::None).map(|counts| sum.add(&counts))
    });
    let mut sum = cutover::Counts::default();
    let found = first(outcomes, |counts| sum.add(&counts));
    println!(
        "{} customers: {} writes taken, {} refused by fences, {} handovers; {} ended on the new side, {} on the legacy side",
        sum.customers, sum.accepted, sum.refused, sum.handovers, sum.done, sum.back
    );
    println!(
        "{} differences planted, {} rows repaired, {} left alone because they had changed meanwhile",
        sum.planted, sum.repaired, sum.left_alone
    );
    let [lost, doubled, crashes] = sum.faults;
    println!("faults: {lost} messages lost, {doubled} doubled, {crashes} crashes");
    end(options, began, found)
}

fn print_simulation(options: &Options) -> ExitCode {
    let began = Instant::now();
    let outcomes = each_seed(options, |seed, sum: &mut Counts| simulate(seed).map(|counts| sum.add(&counts)));
    let mut sum = Counts::default();
    let found = first(outcomes, |counts| sum.add(&counts));
    println!(
        "{} edits committed, {} requests of which {} took effect, {} changes by others",
        sum.commits, sum.requests, sum.effects, sum.foreign
    );
    println!(
        "{} conflicts ({} about an increment that the remote cannot tell of), {} outcomes asked for, \
         {} dead letters, {} values gave way; {} counters compared with the sum of their increments",
        sum.conflicts, sum.undecidable, sum.limbo, sum.dead_letters, sum.lost, sum.counted
    );
    let faults: Vec<String> =
        sum.faults.named().iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!("faults: {}", faults.join(", "));
    end(options, began, found)
}

/// The table, in Markdown: a line for each figure, a column for each system.
fn print_comparison(options: &Options) -> ExitCode {
    let began = Instant::now();
    let outcomes = each_seed(options, |seed, sums: &mut BTreeMap<System, Tally>| {
        for (system, tally) in compare(seed) {
            sums.entry(system).or_default().add(&tally);
        }
        Ok(())
    });
    let mut sums: BTreeMap<System, Tally> = BTreeMap::new();
    for (system, tally) in outcomes.iter().flat_map(|(sums, _)| sums) {
        sums.entry(*system).or_default().add(tally);
    }
    let line = |cells: Vec<String>| println!("| {} |", cells.join(" | "));
    let with_name = |name: &str, cells: Vec<String>| [vec![name.to_owned()], cells].concat();
    line(with_name("", sums.keys().map(|system| system.as_str().to_owned()).collect()));
    line(vec!["---".to_owned(); sums.len() + 1]);
    for (at, (name, _)) in Tally::default().named().iter().enumerate() {
        let cells = sums.values().map(|tally| tally.named()[at].1.to_string()).collect();
        line(with_name(name, cells));
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{} histories from seed {}, {seconds:.1} s", options.seeds, options.from);
    ExitCode::SUCCESS
}
