//! The demo's third story: records that two sides edit, over a network that loses answers.
//!
//! Owns edits here and at the simulated PEMS, the conflicts that follow and their decisions. All records are generated.
//!
//! Invariants: in the end every row here is the row there, every operation had one effect, and nothing more is sent.

use std::path::Path;

use tinyjson::JsonValue;

use super::simulator::Simulator;
use super::{DONE, DONE_WITH_QUARANTINE, Demo, heading, http, show};
use crate::failure::Failure;
use crate::json;

/// Rows of the organization.
const ROWS: &str = "120";
/// Makes every demo the same.
const SEED: &str = "5";
const SCOPE: &str = "DEMO01";
/// Records that both sides edit in the same field.
const BOTH: [&str; 3] = ["DEMO01-000010", "DEMO01-000011", "DEMO01-000012"];
/// How often sync is run before it must have come to rest.
const ROUNDS: usize = 12;

/// Tells the story.
pub(super) fn tell(plimsoll: &Path, folder: &Path) -> Result<(), Failure> {
    let store = format!("sqlite:{}", folder.join("pfa.db").display());
    let demo = Demo { plimsoll, folder, store: &store };

    heading("14. A master system that others edit too");
    println!(
        "Generated demo data: {ROWS} equipment records at a simulated PEMS, which loses answers, asks to wait,"
    );
    println!(
        "fails, lets other users edit and delete, and moves the rows of its listings. Every fault is on a seed."
    );
    let pems = Simulator::pems(plimsoll, folder, &["--faults", "--rows", ROWS, "--seed", SEED])?;
    let sync = ["sync", "pfa", "--remote", pems.address(), "--scope", SCOPE, "--rate", "0"];
    print!("{}", demo.output(&sync, DONE)?);

    heading("15. Edits on both sides");
    for number in 1..=9 {
        let key = format!("{SCOPE}-00000{number}");
        demo.output(&["edit", "pfa", &key, &format!("model=Demo {number}"), "--commit"], DONE)?;
    }
    for key in BOTH {
        demo.output(&["edit", "pfa", key, "model=Demo here", "--commit"], DONE)?;
        let there = format!("{{\"id\":\"{key}\",\"fields\":{{\"pfs_f_model\":\"Demo there\"}}}}");
        http::ask(pems.address(), "POST", "/control/edit", &there)?;
    }
    println!("12 records were edited here, {} of them at PEMS as well.", BOTH.len());

    heading("16. Sync, and what needs a person");
    let drain = [&sync[..], &["--drain"]].concat();
    print!("{}", demo.output(&drain, DONE_WITH_QUARANTINE)?);
    print!("{}", demo.output(&["conflicts", "list", "pfa"], DONE)?);
    for (key, side) in BOTH.iter().zip(["mine", "theirs", "mine"]) {
        demo.output(&["conflicts", "resolve", "pfa", key, "--take", side, "--reason", "demo"], DONE)?;
    }

    heading("17. To rest");
    http::ask(pems.address(), "PUT", "/control/faults", "{\"on\":false}")?;
    let mut rested = false;
    let complete = [&drain[..], &["--complete", "--json"]].concat();
    for _ in 0..ROUNDS {
        // What other users did while answers were lost may be asked as well: theirs is taken.
        let report = demo.either(&complete)?;
        let status = json::member(&report, "status");
        let number = |value: Option<&JsonValue>, name| {
            value.and_then(|value| json::number(value, name)).unwrap_or(1.0)
        };
        let sent = number(json::member(&report, "sent"), "sent");
        if sent == 0.0 && number(status, "conflicts") == 0.0 && number(status, "due") == 0.0 {
            rested = true;
            break;
        }
        demo.either(&["conflicts", "resolve", "pfa", "--all", "--take", "theirs", "--json"])?;
    }
    if !rested {
        return Err(Failure::new(format!("sync did not come to rest in {ROUNDS} rounds")));
    }
    let here = demo.json(&["records", "pfa", "--limit", "0"], DONE)?;
    let there = http::ask(pems.address(), "GET", &format!("/control/rows?organization={SCOPE}"), "")?;
    let there = json::items(&there, "rows");
    let here = here.get::<Vec<JsonValue>>().map_or(&[][..], Vec::as_slice);
    if here.len() != there.len() {
        return Err(Failure::new(format!("{} records here, {} at PEMS", here.len(), there.len())));
    }
    for (here, there) in here.iter().zip(there) {
        if json::text(here, "key") != json::text(there, "pfs_id")
            || json::text(here, "model") != json::text(there, "pfs_f_model")
        {
            return Err(Failure::new(format!("a record differs: {here:?} here, {there:?} at PEMS")));
        }
    }
    let effects = http::ask(pems.address(), "GET", "/control/effects", "")?;
    let operations = json::member(&effects, "operations").and_then(JsonValue::get);
    let operations: &std::collections::HashMap<String, JsonValue> =
        operations.ok_or_else(|| Failure::new("PEMS tells no effects"))?;
    if let Some((operation, _)) = operations.iter().find(|(_, times)| times.get::<f64>() != Some(&1.0)) {
        return Err(Failure::new(format!("{operation} had more than one effect")));
    }
    println!(
        "{} records are equal on both sides; {} operations had one effect each.",
        here.len(),
        operations.len()
    );
    println!("Faults that PEMS injected:");
    show::value(&http::ask(pems.address(), "GET", "/control/faults", "")?);
    print!("{}", demo.output(&["links"], DONE)?);
    Ok(())
}

impl Demo<'_> {
    /// As [`Demo::json`], for a verb that may leave something to a person.
    fn either(&self, arguments: &[&str]) -> Result<JsonValue, Failure> {
        let mut command = super::plimsoll_command(self.plimsoll, self.folder);
        command.args(arguments).args(["--store", self.store]);
        let (_, text) = crate::process::capture_with_codes(&mut command, &[DONE, DONE_WITH_QUARANTINE])?;
        json::parse(&format!("the output of `plimsoll {}`", arguments[0]), &text)
    }
}
