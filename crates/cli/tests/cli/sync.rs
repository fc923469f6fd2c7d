//! `sync` and the commands about linked records, against a simulated PEMS.

use std::time::Duration;

use plimsoll_simulator::pems::{Options, Running, serve};
use serde_json::{Map, Value as Json, json};

use crate::support::home::Home;

const SCOPE: &str = "DEMO01";

fn place() -> (Home, Running) {
    (Home::new(), serve(Options { rows_per_organization: 80, ..Options::default() }).unwrap())
}

fn sync<'a>(pems: &'a Running, more: &[&'a str]) -> Vec<&'a str> {
    [&["sync", "pfa", "--remote", pems.address(), "--scope", SCOPE, "--rate", "0"], more].concat()
}

fn json_of(home: &Home, code: i32, words: &[&str]) -> Json {
    let ended = home.expect(code, &[words, &["--json"]].concat());
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

fn elsewhere(pems: &Running, key: &str, model: &str) {
    let fields: Map<String, Json> = [("pfs_f_model".to_owned(), json!(model))].into_iter().collect();
    pems.edit(key, &fields).unwrap();
}

#[test]
fn edits_travel_conflicts_are_decided_and_everything_can_be_taken_back() {
    let (home, pems) = place();
    let first = json_of(&home, 0, &sync(&pems, &[]));
    assert_eq!(first["status"]["mirrored"], 80);
    let key = "DEMO01-000001";
    let before = pems.row(key).unwrap()["pfs_f_model"].clone();
    let planned = json_of(&home, 0, &["edit", "pfa", key, "model=Demo A", "--dry-run"]);
    assert_eq!(planned["dry_run"], true);
    assert_eq!(json_of(&home, 0, &["drafts", "pfa"]), json!([]));
    let draft = json_of(&home, 0, &["edit", "pfa", key, "model=Demo A"]);
    let listed = json_of(&home, 0, &["drafts", "pfa"]);
    assert_eq!((&listed[0]["edit"], &listed[0]["state"]), (&draft["edit"], &json!("draft")));
    json_of(&home, 0, &["commit", "pfa", draft["edit"].as_str().unwrap()]);
    home.expect(0, &["edit", "pfa", "DEMO01-000002", "model=Demo mine", "--commit"]);
    elsewhere(&pems, "DEMO01-000002", "Demo theirs");
    let report = json_of(&home, 3, &sync(&pems, &["--drain"]));
    assert_eq!((&report["status"]["conflicts"], &report["sent"]["applied"]), (&json!(1), &json!(1)));
    assert_eq!(pems.row(key).unwrap()["pfs_f_model"], "Demo A");
    let conflict = json_of(&home, 0, &["conflicts", "show", "pfa", "DEMO01-000002"]);
    assert!(conflict["question"]["fields"]["model"].is_object(), "{conflict}");
    let refused = home.expect(2, &["conflicts", "resolve", "pfa", "DEMO01-000002"]);
    assert!(refused.err.contains("hint:"), "{refused:?}");
    let decided = home.expect(0, &["conflicts", "resolve", "pfa", "DEMO01-000002", "--take", "theirs"]);
    assert!(decided.err.contains("conflicts undo pfa DEMO01-000002"), "{decided:?}");
    let rest = json_of(&home, 0, &sync(&pems, &["--drain"]));
    assert_eq!((&rest["sent"]["sent"], &rest["status"]["due"]), (&json!(0), &json!(0)));
    // Back to what it was before.
    home.expect(0, &["versions", "pfa", key, "--restore", "0"]);
    home.expect(0, &sync(&pems, &["--drain"]));
    assert_eq!(pems.row(key).unwrap()["pfs_f_model"], before);
    for (operation, times) in pems.effects().operations {
        assert_eq!(times, 1, "{operation}");
    }
    assert!(home.expect(0, &["links"]).out.contains("80 rows mirrored"));
}

#[test]
fn a_file_of_edits_tells_its_bad_lines_and_takes_the_others() {
    let (home, pems) = place();
    home.expect(0, &sync(&pems, &[]));
    let text = "pfa_id,model,monthly_rate\nDEMO01-000003,Demo csv,\nDEMO01-000004,x,1.234\nnobody,x,\n";
    std::fs::write(home.file("edits.csv"), text).unwrap();
    let foreseen = json_of(&home, 3, &["import", "pfa", "edits.csv", "--dry-run"]);
    assert_eq!(json_of(&home, 0, &["drafts", "pfa"]), json!([]));
    assert_eq!(foreseen["problems"][0]["line"], 3);
    let done = json_of(&home, 3, &["import", "pfa", "edits.csv", "--commit"]);
    let lines: Vec<u64> = done["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["line"].as_u64().unwrap())
        .collect();
    // Line 2 empties the rate of a rental, if the row is one: the rules say so then.
    assert!(lines.ends_with(&[3, 4]), "{done}");
    assert_eq!(done["edited"].as_u64().unwrap() + lines.len() as u64, 3);
}

/// `cargo nextest run --workspace --run-ignored only killed_while_it_sends`.
#[test]
#[ignore = "waits for the leases of killed workers: minutes"]
fn a_sync_killed_while_it_sends_loses_nothing_and_sends_nothing_twice() {
    let (home, pems) = place();
    home.expect(0, &sync(&pems, &[]));
    for number in 1..=60 {
        let key = format!("DEMO01-{number:06}");
        home.expect(0, &["edit", "pfa", &key, &format!("model=Demo {number}"), "--commit"]);
    }
    for round in 0..12 {
        let mut child = home.start(&sync(&pems, &["--no-pull"]));
        std::thread::sleep(Duration::from_millis(60 + 23 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let report = json_of(&home, 0, &sync(&pems, &["--drain"]));
    assert_eq!(report["status"]["edits"]["synced"], 60, "{report}");
    for (operation, times) in pems.effects().operations {
        assert_eq!(times, 1, "{operation}");
    }
    assert_eq!(pems.effects().total, 60);
}

/// The most memory that a process has had, in kilobytes.
fn peak_kb(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Runs the command to its end; the most memory that it had, in megabytes, and how long it took.
fn measured(home: &Home, words: &[&str]) -> (f64, Duration) {
    let began = std::time::Instant::now();
    let mut child = home.start(words);
    let mut out = child.stdout.take().unwrap();
    // What it prints must not fill the pipe.
    let reader = std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak_kb(child.id()).unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_millis(5));
    }
    reader.join().unwrap().unwrap();
    (peak as f64 / 1024.0, began.elapsed())
}

/// `cargo xtask bench sync` runs this.
#[test]
#[ignore = "a measurement: ten organizations of 20,000 rows"]
fn what_ten_organizations_take() {
    let options = Options { organizations: 10, rows_per_organization: 20_000, ..Options::default() };
    let (home, pems) = (Home::new(), serve(options).unwrap());
    let scopes: Vec<String> = (1..=10).map(|number| format!("DEMO{number:02}")).collect();
    let mut words = vec!["sync", "pfa", "--remote", pems.address(), "--rate", "0", "--quiet"];
    for scope in &scopes {
        words.extend(["--scope", scope]);
    }
    let (memory, took) = measured(&home, &words);
    println!(
        "ten organizations of 20,000 rows pulled in {:.1} s: {memory:.0} MB at most (asked 500)",
        took.as_secs_f64()
    );
    let (memory, took) = measured(&home, &["records", "pfa", "--limit", "0", "--json"]);
    println!(
        "their 200,000 merged rows printed as JSON in {:.1} s: {memory:.0} MB at most (asked 500)",
        took.as_secs_f64()
    );
    assert_eq!(json_of(&home, 0, &["links"])[0]["status"]["mirrored"], 200_000);
}
