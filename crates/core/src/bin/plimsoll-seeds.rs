//! `cargo xtask simulate`: many simulated histories of sync, each from a seed.
//!
//! Owns dividing the seeds among threads, progress, and what is printed. A history that breaks an invariant ends the
//! program with its seed; `--from SEED --seeds 1` plays it again, the same to the last step.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a developer's program")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use plimsoll_core::sync::simulate::{Counts, Violation, simulate};

fn options() -> Result<(u64, u64), String> {
    let (mut seeds, mut from) = (100_000, 0);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let target = match word.as_str() {
            "--seeds" => &mut seeds,
            "--from" => &mut from,
            _ => return Err(format!("unknown option `{word}`\nusage: [--seeds N] [--from FIRST_SEED]")),
        };
        let value = words.next().and_then(|value| value.parse().ok());
        *target = value.ok_or_else(|| format!("{word} needs a number"))?;
    }
    Ok((seeds, from))
}

fn main() -> ExitCode {
    let (seeds, from) = match options() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::from(2);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    let outcomes: Vec<(Counts, Option<Violation>)> = std::thread::scope(|scope| {
        let run = || {
            let mut sum = Counts::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= seeds || stop.load(Ordering::Relaxed) {
                    return (sum, None);
                }
                if at > 0 && at.is_multiple_of(20_000) {
                    let left = began.elapsed().as_secs_f64() / at as f64 * (seeds - at) as f64;
                    eprintln!("{at} of {seeds} seeds, {left:.0} s left");
                }
                match simulate(from + at) {
                    Ok(counts) => sum.add(&counts),
                    Err(violation) => {
                        stop.store(true, Ordering::Relaxed);
                        return (sum, Some(violation));
                    }
                }
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let mut sum = Counts::default();
    let mut violation: Option<Violation> = None;
    for (counts, found) in outcomes {
        sum.add(&counts);
        violation = match (violation, found) {
            (Some(known), Some(other)) => Some(if other.seed < known.seed { other } else { known }),
            (known, found) => known.or(found),
        };
    }
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
    if let Some(violation) = violation {
        println!("{violation}");
        println!("again: cargo xtask simulate --seeds 1 --from {}", violation.seed);
        return ExitCode::FAILURE;
    }
    println!("{seeds} seeds from {from}: 0 violations, {:.1} s", began.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}
