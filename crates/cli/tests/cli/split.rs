//! The split of a wide table by the real binary: its verbs, and kill -9 in every phase.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use plimsoll_simulator::opencode::{Earlier, generate_earlier};
use serde_json::Value as Json;

const PARTS: u64 = 1_500;

/// A generated database of an earlier monitor.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// The same database each time, generated once.
    fn new() -> Self {
        static MADE: OnceLock<Vec<u8>> = OnceLock::new();
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        let bytes = MADE.get_or_init(|| {
            let settings = Earlier { parts: PARTS, seed: 9, mean_characters: 80, latest: false };
            generate_earlier(&settings, &place.file()).unwrap();
            std::fs::read(place.file()).unwrap()
        });
        std::fs::write(place.file(), bytes).unwrap();
        place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("earlier.duckdb")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(words).arg("--store").arg(format!("duckdb:{}", self.file().display()));
        command.env("XDG_DATA_HOME", self.folder.path()).env_remove("PLIMSOLL_STORE");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn json(&self, words: &[&str]) -> Json {
        let mut all = words.to_vec();
        all.push("--json");
        let output = self.run(&all);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}\n{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Digest of each table that is not the journal's, by a copy of the file.
    fn tables(&self) -> Vec<Json> {
        let copy = self.json(&["backup", "opencode"]);
        let tables = copy["tables"].as_array().unwrap().clone();
        tables
            .into_iter()
            .filter(|table| !table["table"].as_str().unwrap().starts_with("plimsoll_"))
            .collect()
    }

    /// Starts a split and kills it with -9 when it says that it begins a phase.
    fn killed_in(&self, phase: &str) {
        let words = ["run", "opencode", "split-parts", "--batch-size", "300", "--throttle", "60"];
        let mut child = self.command(&words).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = lines.map_while(Result::ok);
        assert!(said.any(|line| line == format!("phase {phase}")), "{phase} was not begun");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

const PHASES: [&str; 6] = ["create", "copy", "validate", "switch", "rename", "monitor"];

fn id(run: &Json) -> String {
    run["id"].as_str().unwrap().to_owned()
}

#[test]
fn killed_in_any_phase_it_is_resumed_to_the_same_tables() {
    let whole = Place::new();
    let ended = whole.run(&["run", "opencode", "split-parts", "--quiet"]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let expected = whole.tables();
    for phase in PHASES {
        let place = Place::new();
        place.killed_in(phase);
        let runs = place.json(&["log"]);
        assert_eq!(
            (runs[0]["status"].as_str(), runs.as_array().unwrap().len()),
            (Some("running"), 1),
            "{phase}"
        );
        let run = id(&runs[0]);
        let otherwise = place.run(&["resume", &run, "--throttle", "5"]);
        assert_eq!(otherwise.status.code(), Some(2), "{phase}: it goes on as it began");
        let report = place.json(&["resume", &run]);
        assert_eq!(
            (&report["applied"], &report["verified"]),
            (&PARTS.into(), &true.into()),
            "{phase}: {report}"
        );
        assert_eq!(place.tables(), expected, "{phase}");
        assert_eq!(place.json(&["verify", "--all"])["ok"], true, "{phase}");
    }
}

#[test]
fn killed_in_any_phase_it_is_taken_back() {
    let expected = Place::new().tables();
    for phase in PHASES {
        let place = Place::new();
        place.killed_in(phase);
        let run = id(&place.json(&["log"])[0]);
        let report = place.json(&["undo", &run]);
        assert_eq!(report["verified"], true, "{phase}: {report}");
        assert_eq!(place.tables(), expected, "{phase}");
    }
}

#[test]
fn it_is_a_run_under_every_verb() {
    let place = Place::new();
    let before = place.tables();
    let systems = place.json(&["systems"]);
    let opencode = systems.as_array().unwrap().iter().find(|system| system["name"] == "opencode").unwrap();
    assert_eq!(opencode["changes"][0]["name"], "split-parts");
    // Looking only.
    let told = place.json(&["run", "opencode", "split-parts", "--dry-run"]);
    assert_eq!((&told["plan"]["rows"], &told["canary"]["tried"]), (&PARTS.into(), &PARTS.into()));
    assert_eq!(place.tables(), before);
    // Plan, assess, approve, show, apply.
    let plan = place.json(&["plan", "opencode", "split-parts"]);
    let plan_id = id(&plan);
    assert_eq!(place.json(&["assess", &plan_id])["rows"], PARTS);
    assert_eq!(place.json(&["approve", &plan_id, "--reason", "looked at"])["digest"], plan["digest"]);
    assert_eq!(place.json(&["show", &plan_id])["kind"], "plan");
    assert_eq!(place.run(&["apply", &plan_id, "--no-backup"]).status.code(), Some(4));
    let report = place.json(&["apply", &plan_id, "--batch-size", "500"]);
    assert_eq!((&report["applied"], &report["batches"]), (&PARTS.into(), &3.into()), "{report}");
    let run = report["run"].as_str().unwrap().to_owned();
    // Looking at it.
    let shown = place.json(&["show", &run]);
    assert_eq!(shown["phases"].as_array().unwrap().len(), 6);
    assert!(shown["phases"][5]["detail"]["keep_until"].as_str().unwrap().ends_with('Z'));
    let events = place.json(&["log", "--events"]);
    let kinds: Vec<&str> =
        events.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    for kind in ["plan.made", "plan.approved", "backup.made", "run.started", "run.phase", "run.finished"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    assert_eq!(place.json(&["verify", &run])["ok"], true);
    // Not twice, and nothing is dropped today.
    assert_eq!(place.run(&["run", "opencode", "split-parts"]).status.code(), Some(4));
    let early = place.run(&["run", "opencode", "drop-parts-legacy"]);
    assert_eq!(early.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&early.stderr).contains("kept until"));
    // Back, again, back.
    assert_eq!(place.json(&["undo", &run, "--dry-run"])["way"], "rebuild");
    let undone = place.json(&["undo", &run]);
    assert_eq!((&undone["applied"], &undone["undoes"]), (&PARTS.into(), &Json::from(run.as_str())));
    assert_eq!(place.tables(), before);
    let redone = place.json(&["redo", &run]);
    assert_eq!(redone["verified"], true, "{redone}");
    assert_ne!(place.tables(), before);
    place.json(&["undo", redone["run"].as_str().unwrap()]);
    assert_eq!(place.tables(), before);
    let unknown = place.run(&["show", "ffffffff"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn a_copy_of_the_file_is_restored_and_the_restore_can_be_taken_back() {
    let place = Place::new();
    let before = place.tables();
    let copy = place.json(&["backup", "opencode"]);
    place.json(&["run", "opencode", "split-parts"]);
    let split = place.tables();
    let told = place.json(&["restore", "opencode", copy["id"].as_str().unwrap(), "--dry-run"]);
    assert!(told["tables_that_differ"].as_array().unwrap().iter().any(|table| table == "parts"));
    let restored = place.json(&["restore", "opencode", copy["id"].as_str().unwrap()]);
    assert_eq!(place.tables(), before);
    place.json(&["restore", "opencode", restored["kept"]["id"].as_str().unwrap()]);
    assert_eq!(place.tables(), split);
}
