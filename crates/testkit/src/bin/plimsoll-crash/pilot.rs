//! Storms of a pilot: users are at work on both sides, members are moved and taken back, and all the while carriers and the
//! database server die by SIGKILL. In the end nothing that users were told is lost or doubled, and both sides are equal.
//!
//! Owns the rounds. All rounds play on one pair of databases, so that each begins with what the last one left behind. The
//! users of the simulator keep the ledger, and judge.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll_testkit::postgres_server::{PostgresServer, ServerOptions};
use tempfile::TempDir;

use crate::Failure;
use crate::binary;
use crate::chance::Chance;

/// The points at which a carrier can die by its own hand.
const POINTS: [&str; 9] = [
    "pilot:reconciled",
    "pilot:ordered",
    "pilot:moved",
    "sync:claimed",
    "sync:dispatched",
    "sync:answered",
    "sync:settled",
    "sync:committing",
    "sync:page_read",
];

/// What the stages ask in a storm. Nobody is done for good, so that everybody can go back again.
const STAGES: [&str; 8] =
    ["--shadow-reads", "3", "--canary-reads", "3", "--soak", "24h", "--handovers", "20"];

/// Nothing but what a campaign itself puts on record: whether the next wave goes is the storm's.
const GATE: &str = r#"gate = "storm/stage"
title = "Storm: always open"

[[criterion]]
id = "storm"
text = "The storm is on"
[[criterion.evidence]]
kind = "facts"
facts = "storm"
member = "on"
rule = "= 1 storm"
max_age = "365d"
hint = "plimsoll gate facts record storm FILE"
"#;

/// A carrier that found nothing more to do within so many starts is stuck.
const STARTS: usize = 40;

struct Storm {
    folder: TempDir,
    server: Option<PostgresServer>,
    kills: BTreeMap<String, u64>,
    crashes: u64,
}

/// All rounds on one kind of new side; true when none failed.
pub(crate) fn rounds(rounds: u64, seed: u64, store: &str) -> Result<bool, Failure> {
    let server = if store == "postgres" {
        // It is killed itself, so what it acknowledged has to be on its disk.
        match PostgresServer::start(ServerOptions { fsync: true })? {
            Some(server) => Some(server),
            None => {
                println!("{store}: left out, it is not installed here");
                return Ok(true);
            }
        }
    } else {
        None
    };
    let mut storm = Storm { folder: tempfile::tempdir()?, server, kills: BTreeMap::new(), crashes: 0 };
    storm.prepare()?;
    println!("{store}: 40 members of 300 customers; {rounds} rounds, seed {seed}");
    let began = Instant::now();
    let mut failures = 0;
    for round in 0..rounds {
        let mut chance = Chance::new(seed, round);
        if let Err(error) = storm.round(round, &mut chance) {
            failures += 1;
            println!("{store}: round {round} FAILED: {error}");
            if failures > 3 {
                break;
            }
        }
        if (round + 1) % 20 == 0 {
            println!(
                "{store}: {} rounds, {}, {failures} failures, {:.0} s",
                round + 1,
                storm.struck(),
                began.elapsed().as_secs_f64()
            );
        }
    }
    let told = storm.finish(&["pilot", "report"])?;
    println!("{told}");
    println!(
        "{store}: {rounds} rounds, {}, {failures} failures, {:.0} s",
        storm.struck(),
        began.elapsed().as_secs_f64()
    );
    println!("{} passed, {failures} failed", rounds - failures);
    Ok(failures == 0)
}

impl Storm {
    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, actor: &str, words: &[&str]) -> Result<Command, Failure> {
        let mut command = Command::new(binary::path()?);
        command
            .current_dir(self.folder.path())
            .args(words)
            .args(["--quiet", "--json"])
            .env_remove("PLIMSOLL_STORE")
            .env_remove("PLIMSOLL_CONTROL_STORE")
            .env_remove("PLIMSOLL_REDIS")
            .env_remove("PLIMSOLL_KILL_AT")
            .env("PLIMSOLL_DATA", self.data())
            .env("PLIMSOLL_ACTOR", actor)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }

    /// Runs a command to its end; exit codes other than 0 are failures.
    fn finish(&self, words: &[&str]) -> Result<String, Failure> {
        let (code, out) = self.ended(words)?;
        if code == Some(0) { Ok(out) } else { Err(format!("{}: {code:?}: {out}", words.join(" ")).into()) }
    }

    fn ended(&self, words: &[&str]) -> Result<(Option<i32>, String), Failure> {
        let output = self.command("campaign", words)?.output()?;
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ok((output.status.code(), text))
    }

    fn prepare(&self) -> Result<(), Failure> {
        std::fs::create_dir_all(self.data().join("gates"))?;
        std::fs::write(self.data().join("gates").join("storm.toml"), GATE)?;
        if let Some(server) = &self.server {
            let settings = format!("[stores]\nluckygas = \"{}\"\n", server.database()?);
            std::fs::write(self.folder.path().join("plimsoll.toml"), settings)?;
        }
        let facts = self.folder.path().join("storm.json");
        std::fs::write(&facts, "{\"on\": 1}")?;
        self.finish(&["simulate", "luckygas", "--clients", "300", "--dirty", "0", "--seed", "4"])?;
        self.finish(&["pilot", "select", "--count", "40", "--reason", "storm"])?;
        self.finish(&["pilot", "enrol", "--reason", "storm"])?;
        self.finish(&["gate", "facts", "record", "storm", &facts.to_string_lossy()])?;
        Ok(())
    }

    /// A carrier; it may die at a point.
    fn carrier(&self, number: u64, chance: &mut Chance) -> Result<(Child, Option<&'static str>), Failure> {
        let actor = format!("carrier-{number}");
        let mut command = self.command(&actor, &[&["pilot", "run", "--watch"][..], &STAGES].concat())?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut dies = None;
        if chance.below(2) == 0 {
            let point = POINTS[usize::try_from(chance.below(POINTS.len() as u64)).unwrap_or(0)];
            command.env("PLIMSOLL_KILL_AT", format!("{point}:{}", 1 + chance.below(30)));
            dies = Some(point);
        }
        Ok((command.spawn()?, dies))
    }

    fn round(&mut self, round: u64, chance: &mut Chance) -> Result<(), Failure> {
        let mut carriers = vec![self.carrier(1, chance)?, self.carrier(2, chance)?];
        let seed = round.to_string();
        let users = [
            "simulate",
            "luckygas-users",
            "--ledger",
            "ledger.json",
            "--actions",
            "80",
            "--rate",
            "200",
            "--others",
            "5",
            "--seed",
            &seed,
        ];
        let mut users = self.command("users", &users)?;
        users.stdout(Stdio::null()).stderr(Stdio::null());
        let mut users = users.spawn()?;
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(50 + chance.below(150)));
            self.accident(chance, &mut carriers)?;
            self.say(chance)?;
        }
        users.wait()?;
        for (mut carrier, dies) in carriers {
            match carrier.try_wait()? {
                Some(_) => *self.kills.entry(dies.unwrap_or("a moment").to_owned()).or_default() += 1,
                None => carrier.kill()?,
            }
            carrier.wait()?;
        }
        self.rest()?;
        let (code, told) =
            self.ended(&["simulate", "luckygas-users", "--check", "--ledger", "ledger.json"])?;
        if code != Some(0) {
            return Err(format!("users: {told}").into());
        }
        let facts = self.folder.path().join("facts.json");
        self.finish(&["pilot", "report", "--facts", &facts.to_string_lossy()])?;
        let facts: serde_json::Value = serde_json::from_slice(&std::fs::read(&facts)?)?;
        if facts["differences"] != 0 {
            return Err(format!("both sides differ: {facts}").into());
        }
        Ok(())
    }

    /// Something dies.
    fn accident(
        &mut self,
        chance: &mut Chance,
        carriers: &mut Vec<(Child, Option<&'static str>)>,
    ) -> Result<(), Failure> {
        match chance.below(4) {
            0 => {
                let at = usize::try_from(chance.below(carriers.len() as u64)).unwrap_or(0);
                let (mut carrier, dies) = carriers.remove(at);
                let point = match carrier.try_wait()? {
                    Some(_) => dies.unwrap_or("a moment"),
                    None => {
                        carrier.kill()?;
                        "a moment"
                    }
                };
                carrier.wait()?;
                *self.kills.entry(point.to_owned()).or_default() += 1;
                let another = self.carrier(3 + chance.below(1_000_000), chance)?;
                carriers.push(another);
            }
            1 => {
                if let Some(server) = &mut self.server {
                    server.crash_and_restart()?;
                    self.crashes += 1;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Somebody moves members. What cannot be done at this moment is refused, and that is fine.
    fn say(&self, chance: &mut Chance) -> Result<(), Failure> {
        let (_, text) = self.ended(&["pilot", "status"])?;
        let members = document(&text);
        let members: Vec<String> = members
            .iter()
            .flat_map(|status| status["members"].as_array().cloned().unwrap_or_default())
            .filter_map(|member| member["customer"].as_str().map(str::to_owned))
            .collect();
        let at = usize::try_from(chance.below(members.len().max(1) as u64)).unwrap_or(0);
        let one = members.get(at).cloned().unwrap_or_default();
        match chance.below(8) {
            0 | 1 => self.ended(&["pilot", "start", "--reason", "storm"])?,
            2 if !one.is_empty() => {
                self.ended(&["pilot", "rollback", "--customer", &one, "--reason", "storm"])?
            }
            3 if chance.below(6) == 0 => self.ended(&["pilot", "rollback", "--reason", "storm"])?,
            _ => {
                let advance = ["pilot", "advance", "--gate", "storm/stage", "--reason", "storm"];
                self.ended(&[&advance[..], &STAGES].concat())?
            }
        };
        Ok(())
    }

    /// One carrier, until nothing is left to do.
    fn rest(&self) -> Result<(), Failure> {
        let run = [&["pilot", "run"][..], &STAGES].concat();
        let mut last = String::new();
        for _ in 0..STARTS {
            let (code, text) = self.ended(&run)?;
            let is_idle = document(&text).is_some_and(|driven| {
                let sent = &driven["carried"]["sent"]["sent"];
                driven["orders"] == 0
                    && driven["carried"]["heard"] == 0
                    && driven["carried"]["behind"] == 0
                    && driven["carried"]["open"] == 0
                    && *sent == 0
            });
            if code == Some(0) && is_idle {
                return Ok(());
            }
            last = text;
            std::thread::sleep(Duration::from_millis(150));
        }
        Err(format!("it does not come to rest: {last}").into())
    }

    fn struck(&self) -> String {
        let kills: u64 = self.kills.values().sum();
        let by: Vec<String> = self.kills.iter().map(|(point, count)| format!("{point} {count}")).collect();
        format!("{kills} kills with -9 ({}), {} crashes of the server", by.join(", "), self.crashes)
    }
}

/// The document in what a command printed; what it said to people stands before or behind.
fn document(text: &str) -> Option<serde_json::Value> {
    let (from, to) = (text.find('{')?, text.rfind('}')?);
    serde_json::from_str(text.get(from..=to)?).ok()
}
