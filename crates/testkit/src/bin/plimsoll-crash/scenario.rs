//! One scenario and its rounds.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plimsoll_core::digest::{TableHashing, name_order};
use plimsoll_core::id::Id;
use plimsoll_core::item::Tally;
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_engine::Session;
use plimsoll_engine::change::run::{self, Run};
use plimsoll_engine::change::{quarantine, setup, verify};
use serde_json::Value as Json;

use crate::Failure;
use crate::binary::{self, Ended};
use crate::chance::Chance;
use crate::place::{Address, Place};

/// The store that every round copies.
const TEMPLATE: &str = "template_store";

/// A command is killed at most this often before it may get through.
const KILLS_AT_MOST: u64 = 3;

/// What an uninterrupted run leaves after one phase.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    content: String,
    tally: Tally,
    took: Duration,
}

/// A prepared scenario and what was seen so far.
pub(crate) struct Scenario {
    plan: String,
    /// Items in the plan.
    pub(crate) planned: u64,
    /// Bad records among them.
    pub(crate) bad: u64,
    before: String,
    applied: Expected,
    replayed: Expected,
    undone: Expected,
    kills: BTreeMap<&'static str, u64>,
    /// Rounds that ended with a row missing or an item not accounted for.
    pub(crate) lost: u64,
    /// Rounds that ended with something applied twice.
    pub(crate) doubled: u64,
}

impl Scenario {
    /// Makes the template and runs everything once without interruption.
    pub(crate) fn prepare(place: &Place) -> Result<Self, Failure> {
        place.create(TEMPLATE)?;
        let at = place.at(TEMPLATE);
        let baseline = place.file("baseline.db");
        let (mut simulator, address) = simulate(&baseline)?;
        let made = (|| {
            let from = format!("sqlite:{}", baseline.display());
            finish(&at, &["copy-store", "hearings", "--from", &from])?;
            finish(&at, &["plan", "hearings", "daily-update", "--source", &address])
        })();
        simulator.kill()?;
        simulator.wait()?;
        let plan: Json = serde_json::from_str(&made?.0)?;
        let plan = plan["id"].as_str().ok_or("the plan has no id")?.to_owned();
        settle_template(&at)?;
        let before = digests(&at)?;
        place.copy(TEMPLATE, "reference")?;
        let at = place.at("reference");
        let (_, took) = finish(&at, &apply_words(&plan))?;
        let applied = expect(&at, took)?;
        repair(&at)?;
        let run = forward_run(&at)?.ok_or("no run")?.id;
        let (_, took) = finish(&at, &["quarantine", "replay", "--run", run.as_str()])?;
        let replayed = expect(&at, took)?;
        let (_, took) = finish(&at, &["undo", run.as_str(), "--batch-size", "7"])?;
        let undone = expect(&at, took)?;
        if digests(&at)? != before {
            return Err("even without a crash the undo does not restore the tables".into());
        }
        place.remove("reference")?;
        Ok(Self {
            plan,
            planned: applied.tally.planned,
            bad: applied.tally.quarantined,
            before,
            applied,
            replayed,
            undone,
            kills: BTreeMap::new(),
            lost: 0,
            doubled: 0,
        })
    }

    /// Kills by phase, for a person.
    pub(crate) fn kills_by_phase(&self) -> String {
        let parts: Vec<String> = self.kills.iter().map(|(phase, count)| format!("{phase} {count}")).collect();
        parts.join(", ")
    }

    /// One round; returns how many kills struck.
    pub(crate) fn round(&mut self, place: &Place, round: u64, chance: &mut Chance) -> Result<u64, Failure> {
        let name = format!("round_{round}");
        place.copy(TEMPLATE, &name)?;
        let result = self.play(&place.at(&name), chance);
        match &result {
            Ok(_) => place.remove(&name)?,
            Err(_) => println!("  left for inspection: {}", place.at(&name).url),
        }
        result
    }

    fn play(&mut self, at: &Address, chance: &mut Chance) -> Result<u64, Failure> {
        let mut kills = 0;
        // Apply, with its backup before it.
        let mut words = apply_words(&self.plan);
        loop {
            let moment = self.moment(chance, self.applied.took, kills);
            if self.strike(at, &words, moment, "apply", &mut kills)? {
                break;
            }
            match forward_run(at)? {
                None => continue,
                Some(run) if run.status == RunStatus::Finished => break,
                Some(run) => words = vec!["resume".into(), run.id.to_string()],
            }
        }
        self.compare(at, &self.applied.clone(), "apply")?;
        // Replay of repaired items into the same run.
        repair(at)?;
        let run = forward_run(at)?.ok_or("no run after apply")?.id;
        let first = kills;
        loop {
            let words = match forward_run(at)?.ok_or("no run")? {
                run if run.status == RunStatus::Running => vec!["resume".into(), run.id.to_string()],
                run if !open_repaired(at)?.is_empty() => {
                    vec!["quarantine".into(), "replay".into(), "--run".into(), run.id.to_string()]
                }
                _ => break,
            };
            let moment = self.moment(chance, self.replayed.took, kills - first);
            self.strike(at, &words, moment, "replay", &mut kills)?;
        }
        self.compare(at, &self.replayed.clone(), "replay")?;
        // Undo.
        let first = kills;
        let words = vec!["undo".into(), run.to_string(), "--batch-size".into(), "7".into()];
        loop {
            let moment = self.moment(chance, self.undone.took, kills - first);
            if self.strike(at, &words, moment, "undo", &mut kills)? {
                break;
            }
        }
        if digests(at)? != self.before {
            self.lost += 1;
            return Err("after undo the tables differ from those before the run".into());
        }
        verify_all(at)?;
        Ok(kills)
    }

    /// When to kill: within the time that the phase takes, or never after enough kills.
    fn moment(&self, chance: &mut Chance, took: Duration, kills: u64) -> Option<Duration> {
        let whole = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        (kills < KILLS_AT_MOST).then(|| Duration::from_micros(chance.below(whole + whole / 10)))
    }

    /// Runs a command and perhaps kills it; true when it got through.
    fn strike(
        &mut self,
        at: &Address,
        words: &[String],
        moment: Option<Duration>,
        phase: &'static str,
        kills: &mut u64,
    ) -> Result<bool, Failure> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match binary::run(at, &words, moment)? {
            Ended::Killed => {
                *kills += 1;
                *self.kills.entry(phase).or_default() += 1;
                Ok(false)
            }
            Ended::Itself { code: 0 | 3, .. } => Ok(true),
            // The run finished, and the process was killed before it could say so.
            Ended::Itself { code: 2, output, .. } if output.contains("finished run cannot resume") => {
                Ok(true)
            }
            Ended::Itself { code, output, .. } => {
                Err(format!("`{}` after {kills} kills: exit {code}: {output}", words.join(" ")).into())
            }
        }
    }

    fn compare(&mut self, at: &Address, expected: &Expected, phase: &str) -> Result<(), Failure> {
        let run = forward_run(at)?.ok_or("the run is gone")?;
        if run.tally != expected.tally {
            if run.tally.ended() > run.tally.planned {
                self.doubled += 1;
            } else {
                self.lost += 1;
            }
            return Err(format!(
                "after {phase} the tally is {:?} instead of {:?}",
                run.tally, expected.tally
            )
            .into());
        }
        if content(at)? != expected.content {
            self.lost += 1;
            return Err(format!("after {phase} the tables differ from the uninterrupted run").into());
        }
        Ok(())
    }
}

fn apply_words(plan: &str) -> Vec<String> {
    ["apply", plan, "--batch-size", "7"].map(str::to_owned).to_vec()
}

/// Starts the simulator, which writes the hearings before the changes to `baseline`.
fn simulate(baseline: &std::path::Path) -> Result<(Child, String), Failure> {
    let mut child = Command::new(binary::path()?)
        .args(["simulate", "congress", "--generate", "250", "--changes", "120", "--bad", "8", "--seed", "11"])
        .arg("--write-baseline")
        .arg(baseline)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut address = String::new();
    let stdout = child.stdout.take().ok_or("the simulator has no output")?;
    BufReader::new(stdout).read_line(&mut address)?;
    Ok((child, address.trim().to_owned()))
}

/// Runs a command to its end, without a kill.
fn finish(at: &Address, words: &[impl AsRef<str>]) -> Result<(String, Duration), Failure> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match binary::run(at, &words, None)? {
        Ended::Itself { code: 0 | 3, output, took } => Ok((output, took)),
        Ended::Itself { code, output, .. } => {
            Err(format!("`{}`: exit {code}: {output}", words.join(" ")).into())
        }
        Ended::Killed => Err(format!("`{}` was killed by something else", words.join(" ")).into()),
    }
}

fn session(at: &Address) -> Result<Session, Failure> {
    Ok(Session::new(plimsoll_store::open(&at.url.parse()?)?, "campaign"))
}

/// Moves everything into the SQLite file itself, so that copying the file copies the store.
fn settle_template(at: &Address) -> Result<(), Failure> {
    if at.url.starts_with("sqlite:") {
        session(at)?.store.query("PRAGMA wal_checkpoint(TRUNCATE)", &[])?;
    }
    Ok(())
}

fn digests(at: &Address) -> Result<String, Failure> {
    Ok(finish(at, &["digest", "hearings"])?.0)
}

fn expect(at: &Address, took: Duration) -> Result<Expected, Failure> {
    let run = forward_run(at)?.ok_or("no run")?;
    Ok(Expected { content: content(at)?, tally: run.tally, took })
}

/// The digests of the tables without the columns that say when a row was planned: a repaired item is
/// planned anew in each round, and so at another time.
fn content(at: &Address) -> Result<String, Failure> {
    let document: Json = serde_json::from_str(&digests(at)?)?;
    let mut session = session(at)?;
    let mut all = Vec::new();
    for table in document["tables"].as_array().ok_or("no tables")? {
        let name = table["table"].as_str().ok_or("a table without a name")?;
        let Some(shape) = session.store.shape(name)? else { continue };
        let order = name_order(&shape);
        let times: Vec<usize> =
            ["created_at", "updated_at"].iter().filter_map(|column| shape.position(column)).collect();
        let mut hashing = TableHashing::default();
        session.store.scan_rows(&shape, &mut |mut image| {
            times.iter().for_each(|&at| image[at] = Value::Null);
            hashing.add(&shape, &order, &image);
            Ok(())
        })?;
        all.push(hashing.finish(name));
    }
    Ok(serde_json::to_string(&all)?)
}

/// The run of the plan under test: the newest that neither copies nor undoes.
fn forward_run(at: &Address) -> Result<Option<Run>, Failure> {
    let mut session = session(at)?;
    let runs = run::list(session.store.as_mut())?;
    Ok(runs.into_iter().find(|run| run.change == "daily-update"))
}

/// Repairs what can be repaired: every open item gets a title.
fn repair(at: &Address) -> Result<(), Failure> {
    let mut session = session(at)?;
    for item in quarantine::list(session.store.as_mut(), None, false)? {
        if item.record.is_some() && item.edited.is_none() {
            let set = [("committeeMeeting.title".to_owned(), "Demo: a repaired title".to_owned())];
            quarantine::edit(&mut session, &item.id, &set, "campaign")?;
        }
    }
    Ok(())
}

/// Items that were repaired and wait for their replay.
fn open_repaired(at: &Address) -> Result<Vec<Id>, Failure> {
    let mut session = session(at)?;
    let items = quarantine::list(session.store.as_mut(), None, false)?;
    Ok(items.into_iter().filter(|item| item.edited.is_some()).map(|item| item.id).collect())
}

fn verify_all(at: &Address) -> Result<(), Failure> {
    let mut session = session(at)?;
    setup::prepare(&mut session, None)?;
    for run in run::list(session.store.as_mut())? {
        let found = verify::verify(&mut session, &run.id)?;
        if !found.ok {
            return Err(format!("run {} does not verify: {}", run.id, found.problems.join("; ")).into());
        }
    }
    let problems = plimsoll_engine::event::verify(session.store.as_mut())?;
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ").into()) }
}
