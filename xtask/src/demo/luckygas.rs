//! The demo's fourth story: customers move from a legacy database to a new one while both are in use, and back.
//!
//! Owns the pilot from the selection to the last certificate, with users at work on both sides all the time and carriers
//! that are killed in the middle of it. All records are generated.
//!
//! Invariants: the selection has exactly its size; whatever users were told stands on both sides, and after the rollback on
//! the legacy side; every certificate equals its oracle; the sample report's verdict comes out of its own figures.

use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use tinyjson::JsonValue;

use super::program::{Program, Running};
use super::{DONE, heading};
use crate::failure::Failure;
use crate::{json, process};

/// Clients of the legacy database.
const CLIENTS: &str = "2000";
const SEED: &str = "9";
/// What users do while the pilot runs.
const ACTIONS: &str = "2500";
/// How often the members are let on before all of them must soak.
const WAVES: usize = 16;
/// How the stages are asked in a demo: minutes of waiting show nothing.
const STAGES: [&str; 8] = ["--shadow-reads", "6", "--canary-reads", "6", "--soak", "1s", "--handovers", "50"];

/// Exit codes of a gate that stays shut.
const SHUT: i32 = 4;

/// The gate between the stages, as a user's own file: only what the demo measures.
const GATE: &str = r#"gate = "demo/stage"
title = "Demo: may the next wave follow?"
requirements = ["LG-21", "LG-49"]

[[criterion]]
id = "reconciled"
text = "Both sides agree on every member"
guards_data = true
[[criterion.evidence]]
kind = "facts"
facts = "luckygas-stage"
member = "differences"
rule = "= 0 differences"
max_age = "1h"
hint = "plimsoll pilot report --facts FILE, plimsoll gate facts record luckygas-stage FILE"

[[criterion]]
id = "errors"
text = "Writes to both sides do not fail"
guards_data = true
[[criterion.evidence]]
kind = "facts"
facts = "luckygas-stage"
member = "failed"
rule = "= 0 writes"
max_age = "1h"
hint = "plimsoll pilot report"
"#;

struct Pilot(Program);

impl Deref for Pilot {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.0
    }
}

/// Tells the story.
pub(super) fn tell(plimsoll: &Path, folder: &Path) -> Result<(), Failure> {
    let folder = folder.join("luckygas");
    let gates = folder.join("data").join("gates");
    let written = fs::create_dir_all(&gates).and_then(|()| fs::write(gates.join("demo.toml"), GATE));
    written.map_err(|error| Failure::new(format!("{}: {error}", gates.display())))?;
    let pilot = Pilot(Program { plimsoll: plimsoll.to_owned(), folder });

    heading("18. Two databases of a gas-delivery company");
    println!(
        "Generated demo data: a legacy database in Big5, with rows that cannot be carried among them, and a new one."
    );
    print!(
        "{}",
        pilot
            .output(&["simulate", "luckygas", "--clients", CLIENTS, "--seed", SEED, "--dirty", "2"], DONE)?
    );

    heading("19. Who goes first");
    let select = ["pilot", "select", "--percent", "10", "--reason", "demo"];
    let selected = pilot.json(&select, DONE)?;
    let members = json::items(&selected, "members").len();
    if members != 200 {
        return Err(Failure::new(format!("{members} members were selected where 10 % of {CLIENTS} is 200")));
    }
    println!(
        "{members} of {CLIENTS} customers, by region and type; the flag pilot_program has them from now on."
    );
    print!("{}", pilot.output(&["pilot", "enrol", "--reason", "demo"], DONE)?);
    let flag = pilot.output(&["flag", "show", "pilot_program"], DONE)?;
    println!("{}", flag.lines().next().unwrap_or_default());

    heading("20. Forward, while both sides are in use");
    let ledger = pilot.folder.join("ledger.json");
    let ledger = ledger.to_string_lossy();
    pilot.output(&["pilot", "start", "--reason", "demo"], DONE)?;
    let carry = [&["pilot", "run", "--watch"][..], &STAGES].concat();
    let mut carrier = pilot.start(&carry)?;
    let mut deaths = 0;
    let users = pilot.start(&[
        "simulate",
        "luckygas-users",
        "--ledger",
        &ledger,
        "--actions",
        ACTIONS,
        "--rate",
        "100",
    ])?;
    pilot.until("the copies are compared", |stages| {
        stages.iter().all(|(stage, _)| !matches!(stage.as_str(), "waiting" | "snapshot" | "catch_up"))
    })?;
    pilot.take_back_whom_nothing_can_carry()?;
    for _ in 0..WAVES {
        let stages = pilot.stages()?;
        if stages.iter().all(|(stage, _)| matches!(stage.as_str(), "soak" | "rolled_back")) {
            break;
        }
        pilot.advance()?;
        std::thread::sleep(Duration::from_millis(700));
        // A fault on purpose: the carrier dies in the middle of its work, and another one goes on.
        carrier = pilot.another(carrier, &carry, &mut deaths)?;
        std::thread::sleep(Duration::from_millis(800));
    }
    pilot.until("all members soak", |stages| {
        stages.iter().all(|(stage, _)| matches!(stage.as_str(), "soak" | "rolled_back"))
    })?;
    print!("{}", pilot.output(&["pilot", "report"], DONE)?);

    heading("21. What users were told");
    pilot.wait(users)?;
    pilot.output(
        &["simulate", "luckygas-users", "--ledger", &ledger, "--actions", "300", "--rate", "200"],
        DONE,
    )?;
    std::thread::sleep(Duration::from_secs(1));
    let check = ["simulate", "luckygas-users", "--check", "--ledger", &ledger];
    print!("{}", pilot.output(&check, DONE)?);

    heading("22. One customer back, then the cohort");
    let stages = pilot.members()?;
    let first = stages.iter().find(|(_, stage)| stage == "soak").map(|(customer, _)| customer.clone());
    let first = first.ok_or_else(|| Failure::new("nobody soaks"))?;
    pilot.output(&["pilot", "rollback", "--customer", &first, "--reason", "demo"], DONE)?;
    pilot.until("the first is back", |stages| {
        stages.iter().filter(|(stage, _)| stage == "going_back").count() == 0
    })?;
    print!("{}", pilot.output(&["pilot", "certificate", &first], DONE)?);
    pilot.output(&["pilot", "rollback", "--reason", "demo"], DONE)?;
    std::thread::sleep(Duration::from_millis(300));
    carrier = pilot.another(carrier, &carry, &mut deaths)?;
    pilot.until("everybody is back", |stages| stages.iter().all(|(stage, _)| stage == "rolled_back"))?;
    std::thread::sleep(Duration::from_millis(500));
    let mut whole = 0;
    for (customer, _) in pilot.members()? {
        let certificate = pilot.json(&["pilot", "certificate", &customer], DONE)?;
        let tables = json::member(&certificate, "certificate").map(|body| json::items(body, "tables"));
        for table in tables.unwrap_or_default() {
            let digest = |name| json::member(table, name).and_then(|digest| json::text(digest, "digest"));
            if digest("after") != digest("oracle") {
                return Err(Failure::new(format!("the certificate of {customer} is not whole: {table:?}")));
            }
        }
        whole += 1;
    }
    println!(
        "{whole} certificates, each equal to its oracle; meanwhile {deaths} carriers were killed with -9."
    );
    print!("{}", pilot.output(&check, DONE)?);
    drop(carrier);

    heading("23. The readiness of the earlier pilot, from its own figures");
    for gate in ["luckygas/pilot", "luckygas/readiness"] {
        print!("{}", pilot.output(&["gate", "evaluate", gate, "--sample"], SHUT)?);
    }
    Ok(())
}

impl Pilot {
    /// Kills a carrier with -9 and starts the next one.
    fn another(&self, carrier: Running, words: &[&str], deaths: &mut u64) -> Result<Running, Failure> {
        drop(carrier);
        *deaths += 1;
        self.start(words)
    }

    fn wait(&self, mut running: Running) -> Result<(), Failure> {
        let ended = running.0.wait().map_err(|error| Failure::new(error.to_string()))?;
        if ended.success() { Ok(()) } else { Err(Failure::new(format!("users ended with {ended}"))) }
    }

    /// Members with their stages.
    fn members(&self) -> Result<Vec<(String, String)>, Failure> {
        let status = self.json(&["pilot", "status"], DONE)?;
        let text = |member: &JsonValue, name| json::text(member, name).unwrap_or_default().to_owned();
        Ok(json::items(&status, "members")
            .iter()
            .map(|member| (text(member, "customer"), text(member, "stage")))
            .collect())
    }

    /// Stages with how many members are there.
    fn stages(&self) -> Result<Vec<(String, usize)>, Failure> {
        let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
        for (_, stage) in self.members()? {
            *counts.entry(stage).or_default() += 1;
        }
        Ok(counts.into_iter().collect())
    }

    /// Waits for what the carrier does.
    fn until(&self, what: &str, is_so: impl Fn(&[(String, usize)]) -> bool) -> Result<(), Failure> {
        let mut stages = Vec::new();
        for _ in 0..600 {
            stages = self.stages()?;
            if is_so(&stages) {
                println!("{what}: {}", words(&stages));
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(Failure::new(format!("{what} never came: {}", words(&stages))))
    }

    /// A member with a record that cannot be carried does not go on; the pilot goes on without it.
    fn take_back_whom_nothing_can_carry(&self) -> Result<(), Failure> {
        std::thread::sleep(Duration::from_secs(2));
        let status = self.json(&["pilot", "status"], DONE)?;
        let mut back = 0;
        for member in json::items(&status, "members") {
            let is_stuck = json::items(member, "missing")
                .iter()
                .any(|why| why.get::<String>().is_some_and(|why| why.contains("differ")));
            if let (true, Some(customer)) = (is_stuck, json::text(member, "customer")) {
                self.output(
                    &["pilot", "rollback", "--customer", customer, "--reason", "a record cannot be carried"],
                    DONE,
                )?;
                back += 1;
            }
        }
        println!(
            "{back} members have records that cannot be carried, each with its reason, and stay with the legacy side for now"
        );
        Ok(())
    }

    /// Measures what the gate asks for, and lets the next wave on when it says GO.
    fn advance(&self) -> Result<(), Failure> {
        let facts = self.folder.join("facts.json");
        let facts = facts.to_string_lossy();
        self.output(&["pilot", "report", "--facts", &facts], DONE)?;
        self.output(&["gate", "facts", "record", "luckygas-stage", &facts], DONE)?;
        let advance = ["pilot", "advance", "--gate", "demo/stage", "--reason", "demo"];
        let mut command = self.command(&[&advance[..], &STAGES].concat());
        // Not ready yet, or nobody waits at this moment: the next wave asks again.
        let refused = 4;
        let (code, text) = process::capture_with_codes(&mut command, &[DONE, refused])?;
        if code == DONE {
            println!("{}", text.lines().next().unwrap_or_default());
        }
        Ok(())
    }
}

fn words(stages: &[(String, usize)]) -> String {
    stages.iter().map(|(stage, count)| format!("{stage} {count}")).collect::<Vec<_>>().join(", ")
}
