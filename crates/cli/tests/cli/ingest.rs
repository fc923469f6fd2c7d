//! The ingest of the real binary: killed at random moments, dry runs, and what the doctor says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use plimsoll_simulator::opencode::{BadKind, Generation, Manifest, Settings, generate};
use serde_json::Value as Json;

/// A generated store and a DuckDB file beside it.
struct Place {
    folder: tempfile::TempDir,
    manifest: Manifest,
}

impl Place {
    fn new(sessions: usize, seed: u64, generation: Generation, bad: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::of(sessions, seed);
        settings.messages = sessions * 14;
        settings.parts = Settings::usual_parts(settings.messages, sessions);
        settings.mean_part_bytes = 2_000;
        settings.generation = generation;
        settings.bad = bad;
        let manifest = generate(&settings, folder.path()).unwrap();
        Self { folder, manifest }
    }

    fn command(&self, file: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(words).arg("--store").arg(format!("duckdb:{}", self.file(file).display()));
        command.env("XDG_DATA_HOME", self.folder.path()).env_remove("PLIMSOLL_STORE");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, file: &str, words: &[&str]) -> Output {
        self.command(file, words).output().unwrap()
    }

    fn json(&self, file: &str, words: &[&str]) -> Json {
        let mut all = words.to_vec();
        all.push("--json");
        let output = self.run(file, &all);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}\n{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Kills the ingest again and again until it once gets through; what it leaves must be what an undisturbed one leaves.
fn killed(place: &Place, round: u64) {
    let file = format!("killed-{round}.duckdb");
    // A small generator of numbers: moments between 5 and 400 ms.
    let mut chance = round.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let mut kills = 0;
    loop {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = place.command(&file, &["ingest", "opencode", "--quiet"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(5 + (chance >> 33) % 395 * (1 + kills / 6)));
        if child.try_wait().unwrap().is_some() || kills == 40 {
            child.wait().unwrap();
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    let last = place.run(&file, &["ingest", "opencode"]);
    assert_eq!(last.status.code(), Some(0), "{}", String::from_utf8_lossy(&last.stderr));
    let expected = place.json("whole.duckdb", &["digest", "opencode"]);
    assert_eq!(place.json(&file, &["digest", "opencode"]), expected, "round {round}, {kills} kills");
}

fn rounds(generation: Generation, rounds: std::ops::Range<u64>) {
    let place = Place::new(60, 71, generation, 0);
    assert_eq!(place.run("whole.duckdb", &["ingest", "opencode"]).status.code(), Some(0));
    let digest = place.json("whole.duckdb", &["digest", "opencode"]);
    // Databases of 2.x have rows besides messages of users and models.
    assert!(digest["tables"]["messages"]["rows"].as_u64().unwrap() >= place.manifest.messages);
    rounds.for_each(|round| killed(&place, round));
}

#[test]
fn killed_at_random_moments_it_comes_to_the_same_tables() {
    rounds(Generation::Json, 0..3);
    rounds(Generation::Mixed, 3..5);
}

/// `cargo nextest run -p plimsoll --run-ignored only hundred`.
#[test]
#[ignore = "takes many minutes; the test above runs a few rounds of it"]
fn killed_in_a_hundred_rounds() {
    rounds(Generation::Json, 100..160);
    rounds(Generation::Mixed, 160..200);
}

#[test]
fn a_dry_run_writes_nothing_and_a_second_run_has_nothing_to_do() {
    let place = Place::new(8, 72, Generation::Json, 0);
    let told = place.json("a.duckdb", &["ingest", "opencode", "--dry-run"]);
    assert!(told["read"].as_u64().unwrap() > 0 && !place.file("a.duckdb").exists());
    let first = place.json("a.duckdb", &["ingest", "opencode"]);
    assert_eq!(first["stored"], told["read"]);
    let second = place.json("a.duckdb", &["ingest", "opencode"]);
    assert_eq!((&second["stored"], &second["found"]), (&0.into(), &first["found"]));
    assert_eq!(place.json("a.duckdb", &["ingest", "opencode", "--dry-run"])["read"], 0);
    let before = place.json("a.duckdb", &["digest", "opencode"]);
    assert_eq!(place.json("a.duckdb", &["ingest", "opencode", "--rebuild"])["stored"], first["found"]);
    assert_eq!(place.json("a.duckdb", &["digest", "opencode"]), before);
}

#[test]
fn the_doctor_names_what_was_not_read() {
    let place = Place::new(8, 73, Generation::Json, 8);
    let ended = place.run("a.duckdb", &["ingest", "opencode"]);
    assert_eq!(ended.status.code(), Some(3), "{}", String::from_utf8_lossy(&ended.stderr));
    let told = place.json("a.duckdb", &["doctor", "opencode"]);
    let listed: Vec<&str> =
        told["not_read"].as_array().unwrap().iter().map(|line| line["path"].as_str().unwrap()).collect();
    let unreadable: Vec<_> = place.manifest.bad.iter().filter(|bad| bad.kind != BadKind::Orphan).collect();
    assert_eq!(listed.len(), unreadable.len());
    for bad in unreadable {
        assert!(listed.iter().any(|path| path.ends_with(&bad.path)), "{}", bad.path);
    }
}

#[test]
fn nothing_found_is_an_error_that_says_where_to_look() {
    let place = Place::new(2, 74, Generation::Json, 0);
    let empty = place.file("empty");
    std::fs::create_dir(&empty).unwrap();
    let from = empty.to_str().unwrap();
    let ended = place.run("a.duckdb", &["ingest", "opencode", "--from", from]);
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains(from) && said.contains("hint:") && said.contains("storage/message"), "{said}");
    let ended = place.run("none.duckdb", &["view", "opencode", "usage"]);
    assert!(String::from_utf8_lossy(&ended.stderr).contains("plimsoll ingest"), "no hint");
}

#[test]
fn views_checks_and_exports_answer() {
    let place = Place::new(20, 75, Generation::Mixed, 0);
    place.run("a.duckdb", &["ingest", "opencode"]);
    let stats = place.json("a.duckdb", &["view", "opencode", "opencode-stats"]);
    assert_eq!(stats["sessions"], place.manifest.opencode_way.sessions);
    assert_eq!(stats["tokens"]["cache_write"], place.manifest.opencode_way.tokens.cache_write);
    let list = place.json("a.duckdb", &["view", "opencode"]);
    assert!(list.as_array().unwrap().len() >= 45);
    let csv = place.run("a.duckdb", &["view", "opencode", "agents-by-name", "--csv"]);
    assert!(String::from_utf8_lossy(&csv.stdout).starts_with("agent,"), "{csv:?}");
    let unknown = place.run("a.duckdb", &["view", "opencode", "agents-by-name", "--session", "x"]);
    assert_eq!(unknown.status.code(), Some(2));
    let report = place.file("report.md");
    let checked = place.json("a.duckdb", &["check", "opencode", "--report", report.to_str().unwrap()]);
    assert!(checked["findings"].as_array().unwrap().len() >= 15, "{checked}");
    assert!(std::fs::read_to_string(&report).unwrap().contains('|'));
    let folder = place.file("parquet");
    let written = place.json("a.duckdb", &["export", "opencode", "--parquet", folder.to_str().unwrap()]);
    let messages = written.as_array().unwrap().iter().find(|file| file["table"] == "messages").unwrap();
    assert!(messages["rows"].as_u64().unwrap() > 0);
    let bytes = std::fs::read(Path::new(messages["file"].as_str().unwrap())).unwrap();
    assert_eq!(&bytes[..4], b"PAR1");
}

#[test]
fn given_prices_are_applied_to_what_had_none() {
    let place = Place::new(120, 11, Generation::Json, 0);
    let data = place.file("data");
    let run = |words: &[&str]| {
        let mut all = words.to_vec();
        all.extend(["--data", data.to_str().unwrap()]);
        place.json("a.duckdb", &all)
    };
    run(&["ingest", "opencode"]);
    let unknown = run(&["view", "opencode", "unknown-models"]);
    let unknown =
        unknown.as_array().unwrap().first().expect("the generator uses a model without a price").clone();
    let (provider, model) = (unknown["provider"].as_str().unwrap(), unknown["model"].as_str().unwrap());
    let file = place.file("prices.json");
    let text = format!(
        r#"{{"{provider}": {{"id": "{provider}", "models": {{"{model}": {{"id": "{model}", "cost": {{"input": 1, "output": 2}}}}}}}}}}"#
    );
    std::fs::write(&file, &text).unwrap();
    let from = file.to_str().unwrap();
    assert_eq!(run(&["prices", "update", "--from", from, "--dry-run"])["prices"], 1);
    assert!(!run(&["view", "opencode", "unknown-models"]).as_array().unwrap().is_empty());
    run(&["prices", "update", "--from", from]);
    let left = run(&["view", "opencode", "unknown-models"]);
    assert!(!left.as_array().unwrap().iter().any(|row| row["model"] == model), "{left}");
    // They stay when everything is read again.
    run(&["ingest", "opencode", "--rebuild"]);
    assert_eq!(run(&["view", "opencode", "unknown-models"]), left);
    std::fs::write(&file, "[]").unwrap();
    let refused = place.run("a.duckdb", &["prices", "update", "--from", from]);
    assert_eq!(refused.status.code(), Some(2));
}

/// A Python that has the DuckDB of the store's format, if one is at hand: `PATH`, or a folder `.venv` of the project.
fn stock_duckdb() -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    ["python3".into(), project].into_iter().find(|python: &PathBuf| {
        let words = ["-c", "import duckdb, sys; sys.exit(duckdb.__version__ < '2')"];
        Command::new(python).args(words).output().is_ok_and(|output| output.status.success())
    })
}

/// OC-02: somebody else's DuckDB opens the file, and counts what the command counts.
#[test]
fn a_stock_duckdb_reads_the_store() {
    let Some(python) = stock_duckdb() else {
        println!("skipped: no Python with duckdb 2 is at hand; pip install duckdb==2.0.0");
        return;
    };
    let place = Place::new(8, 76, Generation::Mixed, 0);
    place.run("a.duckdb", &["ingest", "opencode"]);
    let expected = place.json("a.duckdb", &["digest", "opencode"]);
    let program = "import duckdb, json, sys
store = duckdb.connect(sys.argv[1], read_only=True)
names = [row[0] for row in store.execute(\"SELECT table_name FROM duckdb_tables()\").fetchall()]
print(json.dumps({name: store.execute(f'SELECT count(*) FROM \"{name}\"').fetchone()[0] for name in names}))";
    let file = place.file("a.duckdb");
    let output = Command::new(python).args(["-c", program]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counted: Json = serde_json::from_slice(&output.stdout).unwrap();
    for (table, digest) in expected["tables"].as_object().unwrap() {
        assert_eq!(counted[table], digest["rows"], "{table}");
    }
}

/// OC-50, OC-52.
#[test]
fn spending_is_forecast_held_against_a_budget_and_compared_with_a_bill() {
    let place = Place::new(40, 77, Generation::Json, 0);
    place.run("a.duckdb", &["ingest", "opencode"]);
    let days = place.json("a.duckdb", &["view", "opencode", "forecast", "--days", "3"]);
    assert_eq!(days.as_array().unwrap().len(), 6, "{days}");
    let budget = place.json("a.duckdb", &["view", "opencode", "budget", "--budget", "0"]);
    assert_eq!(budget[0]["basis"], "stored");
    assert_eq!(place.run("a.duckdb", &["view", "opencode", "budget"]).status.code(), Some(2));
    // A bill of exactly what is stored agrees.
    let models = place.json("a.duckdb", &["view", "opencode", "cost-by-model-and-day"]);
    let mut bill = "day,model,amount\n".to_owned();
    for row in models.as_array().unwrap() {
        let text = |name: &str| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
        bill += &format!("{},{},{}\n", text("day"), text("model"), text("stored_cost"));
    }
    std::fs::write(place.file("bill.csv"), bill).unwrap();
    let file = place.file("bill.csv");
    let compared = place.json("a.duckdb", &["view", "opencode", "bill", "--bill", file.to_str().unwrap()]);
    let all = compared.as_array().unwrap().last().unwrap();
    assert_eq!((&all["model"], &all["verdict"]), (&"all".into(), &"agrees".into()), "{compared}");
    assert_eq!(place.run("a.duckdb", &["view", "opencode", "usage", "--days", "2"]).status.code(), Some(2));
}
