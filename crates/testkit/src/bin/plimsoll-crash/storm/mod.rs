//! Storms of a linked system: two processes send, everything around them fails, they die by SIGKILL at every point that
//! the engine names, and in the end both sides hold the same.
//!
//! Owns the rounds, what each is made of, and the tally of what struck. A round has a store of its own and a simulated
//! PEMS of its own, which judges: it counts the effects of each operation. What must hold afterwards is in `verdict`.
//!
//! Not covered: a database server that dies (its own crash safety is not ours to test).

mod process;
mod turn;
mod verdict;

use std::collections::BTreeMap;
use std::time::Instant;

use plimsoll_simulator::pems::{Options as PemsOptions, Running, serve};
use plimsoll_testkit::redis_server::RedisServer;

use crate::Failure;
use crate::chance::Chance;
use crate::place::{Address, Place};
use process::{Clocks, Plimsoll};

/// The organization whose rows are linked.
const SCOPE: &str = "DEMO01";
/// Its rows.
const ROWS: usize = 30;
/// Edits, workers and accidents come in so many turns a round.
const TURNS: u64 = 4;

/// What struck, over all rounds.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Deaths by the point at which they struck, `moment` for those at a random one.
    kills: BTreeMap<String, u64>,
    /// What PEMS did, by the names of its faults.
    faults: BTreeMap<&'static str, u64>,
    /// What befell Redis and the clocks.
    accidents: BTreeMap<&'static str, u64>,
    /// Edits whose commit was told to their author.
    edits: u64,
    /// Effects at PEMS.
    effects: u64,
}

impl Tally {
    fn killed(&mut self, at: &str) {
        *self.kills.entry(at.to_owned()).or_default() += 1;
    }

    fn accident(&mut self, what: &'static str) {
        *self.accidents.entry(what).or_default() += 1;
    }
}

/// An edit whose author was told that it is committed.
struct Told {
    edit: String,
    key: String,
    /// The field's name at PEMS.
    wire: &'static str,
    value: String,
}

/// One round.
struct Round<'a> {
    pems: Running,
    at: Address,
    redis: Option<&'a mut RedisServer>,
    clocks: &'a Clocks,
    tally: &'a mut Tally,
    told: Vec<Told>,
}

impl Round<'_> {
    /// The command on this round's store, with Redis where there is one.
    fn plimsoll(&self, actor: &str, words: &[&str]) -> Result<Plimsoll, Failure> {
        let redis = self.redis.as_ref().map(|redis| redis.url());
        Plimsoll::new(&self.at, actor, words, redis.as_deref())
    }

    /// `sync` on this round's PEMS.
    fn sync(&self, actor: &str, more: &[&str]) -> Result<Plimsoll, Failure> {
        let words = ["sync", "pfa", "--scope", SCOPE, "--remote", self.pems.address()];
        // Short leases: what a dead worker held is free again soon.
        let usual = ["--rate", "0", "--lease", "2", "--workers", "2"];
        self.plimsoll(actor, &[&words[..], &usual[..], more].concat())
    }

    fn play(&mut self, chance: &mut Chance) -> Result<(), Failure> {
        self.pems.turn_faults(false);
        self.sync("campaign", &[])?.finish()?;
        self.pems.turn_faults(true);
        for _ in 0..TURNS {
            self.turn(chance)?;
        }
        self.calm()?;
        self.judge()
    }
}

/// All rounds on one database; true when none failed.
pub(crate) fn rounds(rounds: u64, seed: u64, store: &str, place: &Place) -> Result<bool, Failure> {
    let mut redis = RedisServer::start()?;
    let clocks = Clocks::find();
    let began = Instant::now();
    let mut tally = Tally::default();
    let mut failures = 0_u64;
    println!(
        "{store}: storms of two processes, {rounds} rounds, seed {seed}; Redis {}, clock jumps {}",
        if redis.is_some() { "on" } else { "left out: not installed" },
        if clocks.are_known() { "on" } else { "left out: libfaketime is not installed" },
    );
    for number in 0..rounds {
        let name = format!("storm_{number}");
        place.create(&name)?;
        if let Some(redis) = &mut redis {
            redis.restart()?;
        }
        let mut chance = Chance::new(seed, number);
        let options =
            PemsOptions { rows_per_organization: ROWS, ..PemsOptions::stormy(chance.below(1 << 40)) };
        let mut round = Round {
            pems: serve(options)?,
            at: place.at(&name),
            redis: redis.as_mut(),
            clocks: &clocks,
            tally: &mut tally,
            told: Vec::new(),
        };
        match round.play(&mut chance) {
            Ok(()) => place.remove(&name)?,
            Err(error) => {
                failures += 1;
                println!("{store}: storm {number} FAILED: {error}");
                println!("  left for inspection: {}", place.at(&name).url);
            }
        }
        let pems = round.pems;
        tally.effects += pems.effects().total;
        for (kind, count) in pems.injected() {
            *tally.faults.entry(kind).or_default() += count;
        }
        pems.shutdown()?;
        if (number + 1) % 10 == 0 {
            println!(
                "{store}: {} storms, {} kills, {failures} failures, {:.0} s",
                number + 1,
                tally.kills.values().sum::<u64>(),
                began.elapsed().as_secs_f64()
            );
        }
    }
    println!(
        "{store}: {rounds} storms, {} edits told as committed, {} effects at PEMS; {} kills with -9 ({}), {failures} failures, {:.0} s",
        tally.edits,
        tally.effects,
        tally.kills.values().sum::<u64>(),
        listed(&tally.kills),
        began.elapsed().as_secs_f64()
    );
    println!("  faults of PEMS: {}", listed(&tally.faults));
    println!("  accidents: {}", listed(&tally.accidents));
    println!("{} passed, {failures} failed", rounds - failures);
    Ok(failures == 0)
}

fn listed<N: std::fmt::Display>(counts: &BTreeMap<N, u64>) -> String {
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    parts.join(", ")
}
