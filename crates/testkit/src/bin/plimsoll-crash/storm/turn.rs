//! One turn of a storm: people edit on both sides, then two processes send while things break.
//!
//! Owns what happens and how likely it is. What is no failure of the product is named here: a record that waits for a
//! decision refuses edits, and a process whose remote or store misbehaves may say so and end.

use std::time::Duration;

use plimsoll_simulator::pems::{FaultKind, Faults};
use serde_json::{Map, Value as Json, json};

use super::process::{Death, Ended, Started};
use super::{ROWS, Round, SCOPE, Told};
use crate::Failure;
use crate::chance::Chance;

/// Fields that every row may have another text in, and their names at PEMS.
pub(super) const FIELDS: [(&str, &str); 3] =
    [("model", "pfs_f_model"), ("manufacturer", "pfs_f_manufacturer"), ("area_silo", "pfs_f_area")];
/// Edits of one turn, on both sides together.
const EDITS: u32 = 10;
const AUTHORS: [&str; 2] = ["anna", "bert"];
/// Occasions of 1000 on which PEMS answers 429 while it storms.
const STORM_OF_429: u32 = 700;
/// A clock is wrong by less than this, either way: three times a lease.
const WRONG_BY: u64 = 6;

impl Round<'_> {
    pub(super) fn turn(&mut self, chance: &mut Chance) -> Result<(), Failure> {
        self.edits(chance)?;
        let storming = chance.below(3) == 0;
        if storming {
            self.tally.accident("storms of 429");
            self.pems.set_faults(Faults::stormy().with(FaultKind::RateLimited, STORM_OF_429));
        }
        let mut running = Vec::new();
        for name in ["one", "two"] {
            running.push(self.worker(name, chance)?);
        }
        self.while_they_run(running, chance)?;
        if storming {
            self.pems.set_faults(Faults::stormy());
        }
        Ok(())
    }

    /// People edit, here and at PEMS; some commands of theirs die.
    fn edits(&mut self, chance: &mut Chance) -> Result<(), Failure> {
        for _ in 0..EDITS {
            let key = format!("{SCOPE}-{:06}", 1 + chance.below(ROWS as u64));
            let (field, wire) = FIELDS[chance.below(3) as usize];
            let value = format!("Demo {}", chance.below(1 << 40));
            if chance.below(3) == 0 {
                let fields: Map<String, Json> = [(wire.to_owned(), json!(value))].into_iter().collect();
                // The row may have been deleted, as others do at PEMS.
                drop(self.pems.edit(&key, &fields));
                continue;
            }
            let author = AUTHORS[chance.below(2) as usize];
            let death = Death::draw_for_edit(chance);
            let words = ["edit", "pfa", &key, &format!("{field}={value}"), "--commit"];
            match self.plimsoll(author, &words)?.dying(death).end()? {
                Ended::Itself { code: 0, out, .. } => {
                    let document: Json = serde_json::from_str(&out)?;
                    let edit = document["edit"].as_str().ok_or("an edit without an id")?.to_owned();
                    self.tally.edits += 1;
                    self.told.push(Told { edit, key, wire, value });
                }
                // It waits for a decision, or is gone at PEMS.
                Ended::Itself { code: 2 | 4, err, .. } if err.contains("hint:") => {}
                Ended::Itself { code, out, err } => {
                    return Err(format!("edit of {key}: exit {code}: {out}{err}").into());
                }
                Ended::Killed(at) => self.tally.killed(&at),
            }
        }
        Ok(())
    }

    /// A process that pulls and sends, or only sends, and perhaps dies or has a wrong clock.
    fn worker(&mut self, name: &str, chance: &mut Chance) -> Result<Started, Failure> {
        let more: &[&str] = match chance.below(4) {
            0 => &["--complete"],
            1 => &[],
            _ => &["--no-pull"],
        };
        let mut command = self.sync(name, more)?.dying(Death::draw(chance));
        if self.clocks.are_known() && chance.below(4) == 0 {
            let seconds = i64::try_from(chance.below(2 * WRONG_BY + 1)).unwrap_or(0) - WRONG_BY as i64;
            self.tally.accident("wrong clocks");
            command = command.with_clock(self.clocks, seconds);
        }
        command.start()
    }

    /// What befalls Redis while the processes run; a reader asks for figures through it.
    fn while_they_run(&mut self, mut running: Vec<Started>, chance: &mut Chance) -> Result<(), Failure> {
        let accident = chance.below(4);
        let moment = Duration::from_millis(chance.below(300));
        std::thread::sleep(moment);
        if let Some(redis) = self.redis.as_mut() {
            match accident {
                0 => {
                    redis.flush()?;
                    self.tally.accident("flushes of Redis");
                }
                1 => {
                    redis.stop();
                    self.tally.accident("stops of Redis");
                }
                _ => {}
            }
        }
        self.plimsoll("reader", &["records", "pfa", "--figures", "--scope", SCOPE])?.finish()?;
        while !running.is_empty() {
            let mut still = Vec::new();
            for mut process in running {
                if process.is_over()? {
                    self.ended(process)?;
                } else {
                    still.push(process);
                }
            }
            running = still;
            std::thread::sleep(Duration::from_millis(1));
        }
        if let (Some(redis), 1) = (self.redis.as_mut(), accident) {
            redis.restart()?;
        }
        Ok(())
    }

    fn ended(&mut self, process: Started) -> Result<(), Failure> {
        match process.end()? {
            Ended::Itself { code: 0 | 3, .. } => Ok(()),
            // A remote that refuses, loses or changes what it serves is told of; the next process goes on.
            Ended::Itself { code: 1 | 4, err, .. } if err.contains("hint:") => {
                self.tally.accident("processes that gave up on PEMS");
                Ok(())
            }
            Ended::Itself { code, out, err } => Err(format!("sync: exit {code}: {out}{err}").into()),
            Ended::Killed(at) => {
                self.tally.killed(&at);
                Ok(())
            }
        }
    }
}
