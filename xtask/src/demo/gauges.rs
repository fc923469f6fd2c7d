//! The demo's fifth story: a calibration laboratory with 500 gauge sets that an earlier system left.
//!
//! Owns the backfill with its verification, and what happens to sets afterwards: replaced, unpaired, retired, an ID that is
//! refused, an incomplete set that is found and repaired, and the export that an auditor takes home. All gauges are
//! generated.
//!
//! Invariants: whatever could be brought in is there, and whatever could not is named; a used ID is refused; the history
//! is whole at the end.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use tinyjson::JsonValue;

use super::program::Program;
use super::{DONE, DONE_WITH_QUARANTINE, heading, show};
use crate::failure::Failure;
use crate::json;

/// Sets that can be brought in.
const SETS: &str = "500";
const SEED: &str = "11";

/// A rule refuses.
const REFUSED: i32 = 4;

struct Laboratory(Program);

impl Deref for Laboratory {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.0
    }
}

/// A set as the demo picks it.
struct Set {
    id: String,
    go: String,
    nogo: String,
    likeness: JsonValue,
}

/// Tells the story.
pub(super) fn tell(plimsoll: &Path, folder: &Path) -> Result<(), Failure> {
    let folder = folder.join("gauges");
    fs::create_dir_all(&folder).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let lab = Laboratory(Program { plimsoll: plimsoll.to_owned(), folder });

    heading("24. A calibration laboratory");
    println!(
        "Generated demo data: people, places and categories, and a file with the gauges that an earlier system left."
    );
    print!(
        "{}",
        lab.shown(
            &["simulate", "gauges", "--sets", SETS, "--seed", SEED, "--earlier", "earlier.json"],
            DONE
        )?
    );

    heading("25. The sets are assessed, brought in, and verified");
    let backfill = ["run", "gauges", "backfill", "--source", "earlier.json"];
    let looked = lab.json(&[&backfill[..], &["--dry-run"]].concat(), DONE_WITH_QUARANTINE)?;
    let odd = json::items(&looked, "left_out").len();
    println!(
        "{odd} sets are odd and are left out, each with its reason. A join by id order would have swapped others:"
    );
    show::members(&looked, &["left_out", "records", "done"]);
    let done = lab.json(&backfill, DONE_WITH_QUARANTINE)?;
    show::members(&done, &["done", "checks", "backup"]);
    let wanted: f64 = SETS.parse().unwrap_or_default();
    if json::number(&done, "done") != Some(wanted) || json::items(&done, "checks").len() != 4 {
        return Err(Failure::new(format!("{SETS} sets and four checks were expected")));
    }
    let again = lab.json(&backfill, DONE_WITH_QUARANTINE)?;
    if json::number(&again, "done") != Some(0.0) {
        return Err(Failure::new("a second run brought in something again"));
    }
    println!("Running it again brings in nothing.");
    lab.verify()?;

    let sets = lab.usable(4)?;
    let [first, second, third, fourth] = sets.as_slice() else {
        return Err(Failure::new("fewer than four sets can be used"));
    };
    heading("26. Replace, unpair, retire");
    lab.spare("DEMO-NEW-1", "go", first)?;
    lab.operate(
        "replace",
        &[("set", &first.id), ("old", &first.go), ("new", "DEMO-NEW-1"), ("reason", "thread is chipped")],
    )?;
    println!("{} keeps its ID; {} is a spare.", first.id, first.go);
    lab.operate("unpair", &[("set", &second.id), ("reason", "paired by mistake")])?;
    lab.operate("retire-set", &[("set", &third.id), ("reason", "both members are worn out")])?;

    heading("27. A used ID is refused");
    let pair = lab.asked(
        "pair",
        &[
            ("go", &second.go),
            ("nogo", &second.nogo),
            ("location", "CAB-1"),
            ("id", &second.id),
            ("reason", "demo"),
        ],
    );
    let words: Vec<&str> = pair.iter().map(String::as_str).collect();
    lab.shown(&words, REFUSED)?;
    println!("refused, because {} stood for other gauges once.", second.id);
    let free =
        lab.json(&["view", "gauges", "check-availability", "--option", &format!("id={}", second.id)], DONE)?;
    show::members(&free, &["available", "reason", "suggestion"]);
    if json::member(&free, "available").and_then(|value| value.get::<bool>()) != Some(&false) {
        return Err(Failure::new("the ID of an unpaired set is said to be free"));
    }

    heading("28. An incomplete set is found and repaired");
    lab.operate("lose", &[("serial", &fourth.nogo), ("reason", "not found on the floor")])?;
    let incomplete = lab.json(&["view", "gauges", "incomplete"], DONE)?;
    show::value(&incomplete);
    if !json::items(&incomplete, "items").iter().any(|set| json::text(set, "set") == Some(&fourth.id)) {
        return Err(Failure::new(format!("{} is not among the incomplete sets", fourth.id)));
    }
    lab.spare("DEMO-NEW-2", "nogo", fourth)?;
    let option = format!("set={}", fourth.id);
    let candidates =
        lab.json(&["view", "gauges", "candidates", "--limit", "3", "--option", &option], DONE)?;
    show::members(&candidates, &["items"]);
    let best = json::items(&candidates, "items").first().and_then(|one| json::text(one, "serial"));
    let best = best.ok_or_else(|| Failure::new("no spare was found"))?.to_owned();
    lab.operate("replace", &[("set", &fourth.id), ("new", &best), ("reason", "the lost one is replaced")])?;
    let left = lab.json(&["view", "gauges", "incomplete"], DONE)?;
    if json::number(&left, "total") != Some(0.0) {
        return Err(Failure::new("a set is still incomplete"));
    }

    heading("29. What the auditor takes home");
    let history = lab.shown(&["view", "gauges", "export-history", "--option", &option], DONE)?;
    println!(
        "{} lines about {}, as CSV with the digest of each; and as a page to print:",
        history.lines().count() - 1,
        fourth.id
    );
    let page = lab.shown(&["view", "gauges", "export-history", "--option", "format=html"], DONE)?;
    let file = lab.folder.join("history.html");
    fs::write(&file, &page).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    if !page.contains("is whole") {
        return Err(Failure::new("the page does not say that the history is whole"));
    }
    lab.verify()?;
    print!("{}", lab.shown(&["check", "gauges"], DONE)?);
    Ok(())
}

impl Laboratory {
    /// The words of an operation.
    fn asked(&self, operation: &str, fields: &[(&str, &str)]) -> Vec<String> {
        let mut words = vec!["run".to_owned(), "gauges".to_owned(), operation.to_owned()];
        for (name, value) in fields {
            words.extend(["--option".to_owned(), format!("{name}={value}")]);
        }
        words
    }

    fn operate(&self, operation: &str, fields: &[(&str, &str)]) -> Result<(), Failure> {
        let words = self.asked(operation, fields);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        print!("{}", self.shown(&words, DONE)?);
        Ok(())
    }

    /// Registers a spare like a member of a set.
    fn spare(&self, serial: &str, side: &str, set: &Set) -> Result<(), Failure> {
        let of = |name: &str| json::text(&set.likeness, name);
        let mut fields = vec![
            ("serial", serial),
            ("side", side),
            ("name", "Demo spare"),
            ("location", "CAB-2"),
            ("reason", "bought as a spare"),
        ];
        for name in ["category", "thread_size", "thread_form", "thread_class", "hand"] {
            fields.extend(of(name).map(|value| (name, value)));
        }
        self.operate("register", &fields)
    }

    /// The first sets that may be used today.
    fn usable(&self, count: usize) -> Result<Vec<Set>, Failure> {
        let page =
            self.json(&["view", "gauges", "sets", "--limit", "200", "--option", "state=complete"], DONE)?;
        let mut sets = Vec::new();
        for set in json::items(&page, "items") {
            let usable = json::member(set, "state").and_then(|state| json::member(state, "usable"));
            if usable.and_then(|value| value.get::<bool>()) != Some(&true) {
                continue;
            }
            let member = |side: &str| {
                let members = json::items(set, "members").iter();
                let mut of_side = members.filter(|member| json::text(member, "side") == Some(side));
                of_side.next().and_then(|member| json::text(member, "serial")).map(str::to_owned)
            };
            let (Some(id), Some(go), Some(nogo), Some(likeness)) =
                (json::text(set, "set_id"), member("go"), member("nogo"), json::member(set, "likeness"))
            else {
                continue;
            };
            sets.push(Set { id: id.to_owned(), go, nogo, likeness: likeness.clone() });
        }
        sets.truncate(count);
        Ok(sets)
    }

    /// Computes every digest and compares every row with what the history tells.
    fn verify(&self) -> Result<(), Failure> {
        let verdict = self.json(&["view", "gauges", "verify-history"], DONE)?;
        show::members(&verdict, &["ok", "lines", "gauges", "sets"]);
        Ok(())
    }
}
