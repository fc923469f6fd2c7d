//! Playbooks as their users meet them: the real binary runs itself.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::receiver::Receiver;
use crate::support::{Desk, Ended, fill};

const FRONT: &str = "+++\nplaybook = \"update\"\ntitle = \"An update\"\nowner = \"us\"\npurpose = \"to try it\"\nstate = \"Draft\"\ncreated = \"2026-01-01\"\ntarget = \"now\"\n[parameters.source]\nhelp = \"the source\"\n+++\n";
const BACKUP: &str = "id = \"backup\"\nkind = \"backup\"\nsystem = \"hearings\"";
const UPDATE: &str = "id = \"update\"\nkind = \"command\"\nrun = \"run hearings daily-update --source ${source} --batch-size 50\"\nexpect = [0, 3]\nchanges = \"hearings\"\nrollback = [\"undo ${update.run}\"]";
const VERIFY: &str = "id = \"verify\"\nkind = \"command\"\nrun = \"verify ${update.run}\"\nnothing_to_take_back = \"it looks\"";
const VERIFY_ALL: &str =
    "id = \"verify\"\nkind = \"command\"\nrun = \"verify --all\"\nnothing_to_take_back = \"it looks\"";
const WATCH: &str =
    "id = \"watch\"\nkind = \"watch\"\nfor = \"48h\"\nevery = \"12h\"\nrun = \"verify --all\"";
/// A gate that nothing is on record for.
const SHUT: &str = "id = \"gate\"\nkind = \"gate\"\ngate = \"luckygas/stage\"";

/// A desk whose hearings store is in its data folder, with a source of 40 changes and 2 bad records.
fn desk() -> Desk {
    let corpus = plimsoll_simulator::congress::generate::corpus(80, 5);
    let mut desk = Desk::empty();
    let data = desk.file("data");
    std::fs::create_dir_all(&data).unwrap();
    fill(
        &format!("sqlite:{}?durability=normal", data.join("hearings.db").display()).parse().unwrap(),
        &corpus,
    );
    desk.set("PLIMSOLL_DATA", &data.display().to_string());
    desk.with_source(&corpus, 40, 2, 5)
}

fn write(desk: &Desk, steps: &[&str]) {
    let blocks: Vec<String> =
        steps.iter().map(|step| format!("### A step\n\n```step\n{step}\n```\n")).collect();
    std::fs::create_dir_all(desk.file("data/playbooks")).unwrap();
    std::fs::write(desk.file("data/playbooks/update.md"), format!("{FRONT}\n{}", blocks.join("\n"))).unwrap();
}

fn run(desk: &Desk, words: &[&str]) -> Ended {
    let source = format!("source={}", desk.source.as_ref().unwrap().address());
    let mut all = vec!["playbook", "run", "update", "--json", "--set", &source];
    all.extend(words);
    desk.at_home(&all)
}

fn digest(desk: &Desk) -> Json {
    desk.at_home(&["digest", "hearings", "--json"]).json()
}

fn done(report: &Json) -> Vec<String> {
    let steps = report["steps"].as_array().unwrap().iter();
    let word = |one: &Json, name: &str| one[name].as_str().unwrap().to_owned();
    steps
        .map(|one| format!("{} {} {}", word(one, "action"), word(one, "step"), word(one, "status")))
        .collect()
}

#[test]
fn a_playbook_updates_verifies_and_watches_two_simulated_days() {
    let desk = desk();
    write(&desk, &[BACKUP, UPDATE, VERIFY, WATCH]);
    let before = digest(&desk);
    let ended = run(&desk, &["--simulated-clock"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = ended.json();
    assert_eq!(done(&report), ["do backup done", "do update done", "do verify done", "do watch done"]);
    assert!(ended.err.contains("SIMULATED CLOCK"), "{ended:?}");
    let told = report["steps"][3]["message"].as_str().unwrap();
    assert!(told.contains("2d passed, on a simulated clock; 5 looks, 0 of them bad"), "{told}");
    assert_ne!(digest(&desk), before);
    let list = desk.at_home(&["playbook", "list", "--json"]).json();
    let plan = list.as_array().unwrap().iter().find(|one| one["playbook"] == "update").unwrap().clone();
    assert_eq!(
        (&plan["state"], &plan["steps"]),
        (&"Draft".into(), &serde_json::json!([4, 4])),
        "a rehearsal moves no plan"
    );
    // Taking it back is a drill that a gate may ask for.
    let id = report["run"]["id"].as_str().unwrap();
    let back = desk.at_home(&["playbook", "rollback", &id[..8], "--drill", "update-rollback", "--json"]);
    assert_eq!((back.code, digest(&desk)), (0, before), "{back:?}");
    let evidence = desk.at_home(&["gate", "evidence", "--json"]).json();
    assert_eq!((&evidence[0]["kind"], &evidence[0]["body"]["passed"]), (&"drill".into(), &true.into()));
    let report = desk.at_home(&["playbook", "report", id]);
    assert!(report.out.contains("SIMULATED CLOCK") && report.out.contains("| undo |"), "{report:?}");
}

#[test]
fn a_planted_failure_stops_takes_back_and_raises_an_alarm() {
    let receiver = Receiver::start(0);
    let mut desk = desk();
    desk.set("PLIMSOLL_ALERT_WEBHOOK", receiver.address());
    write(&desk, &[BACKUP, UPDATE, SHUT, WATCH]);
    let before = digest(&desk);
    let ended = run(&desk, &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let report = ended.json();
    assert_eq!(done(&report), ["do backup done", "do update done", "do gate failed", "undo update done"]);
    assert_eq!(report["run"]["status"], "rolled_back");
    assert_eq!(digest(&desk), before, "the tables are what they were");
    let control = format!("sqlite:{}", desk.file("data/control.db").display());
    let mut store = plimsoll_store::open(&control.parse().unwrap()).unwrap();
    let events = plimsoll_engine::event::list(store.as_mut(), None).unwrap();
    assert!(events.iter().any(|event| event.kind == "playbook.rolled_back"), "{events:?}");
    assert!(plimsoll_engine::event::verify(store.as_mut()).unwrap().is_empty());
    let notice = receiver.next(Duration::from_secs(20)).to_string();
    assert!(notice.contains("stopped at step gate") && notice.contains("taken back"), "{notice}");
    assert!(notice.contains("playbook-stopped.md"), "{notice}");
    let open = desk.at_home(&["alert", "list", "--json"]).json();
    assert_eq!((open.as_array().unwrap().len(), &open[0]["cause"]), (1, &"playbook/update".into()));
    // Told to keep it, it keeps it.
    let ended = run(&desk, &["--keep"]);
    assert_eq!((ended.code, &ended.json()["run"]["status"]), (1, &"failed".into()));
    assert_ne!(digest(&desk), before);
    // The same incident, signalled again; a run that ends well resolves it.
    let open = desk.at_home(&["alert", "list", "--json"]).json();
    assert_eq!((open.as_array().unwrap().len(), &open[0]["occurrences"]), (1, &2.into()), "{open}");
    write(&desk, &[BACKUP, VERIFY_ALL]);
    assert_eq!(run(&desk, &[]).code, 0);
    assert_eq!(desk.at_home(&["alert", "list", "--json"]).json(), Json::Array(Vec::new()));
}

#[test]
fn a_change_without_backup_and_a_misspelt_command_are_refused() {
    let desk = desk();
    for (steps, told) in [
        (vec![UPDATE], "without a backup step"),
        (
            vec![
                BACKUP,
                "id = \"x\"\nkind = \"command\"\nrun = \"verfiy --all\"\nnothing_to_take_back = \"-\"",
            ],
            "verfiy",
        ),
    ] {
        write(&desk, &steps);
        let ended = run(&desk, &[]);
        assert!(ended.code == 4 && ended.err.contains(told), "{ended:?}");
    }
    let missing = desk.at_home(&["playbook", "run", "gauges-rollout"]);
    assert!(missing.code != 0 && missing.err.contains("earlier"), "{missing:?}");
}

#[test]
fn after_kill_9_a_run_goes_on_at_the_right_step() {
    let desk = desk();
    let watch = "id = \"watch\"\nkind = \"watch\"\nfor = \"8s\"\nevery = \"1s\"\nrun = \"verify --all\"";
    write(&desk, &[BACKUP, UPDATE, watch, VERIFY]);
    let source = format!("source={}", desk.source.as_ref().unwrap().address());
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["playbook", "run", "update", "--set", &source])
        .current_dir(desk.folder.path())
        .env_clear()
        .envs(crate::support::profile())
        .env("HOME", desk.folder.path())
        .envs(desk.environment.iter().cloned())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let watching = || -> bool {
        let report = desk.at_home(&["playbook", "report", "update", "--json"]);
        report.code == 0 && done(&report.json()).iter().any(|line| line == "do watch started")
    };
    while !watching() {
        assert!(Instant::now() < until, "the watch never began");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A look that was under way may still be; then resuming is refused until it has ended.
    let ended = loop {
        let ended = desk.at_home(&["playbook", "resume", "update", "--json"]);
        if ended.code != 4 {
            break ended;
        }
        assert!(ended.err.contains("still being done") && Instant::now() < until, "{ended:?}");
    };
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        done(&ended.json()),
        ["do backup done", "do update done", "do watch started", "do watch done", "do verify done"],
        "nothing that was done is done again"
    );
}

#[test]
fn an_approval_is_waited_for() {
    let desk = desk();
    write(&desk, &[BACKUP, "id = \"agree\"\nkind = \"approval\"\nby = \"the owner\"", UPDATE]);
    let ended = run(&desk, &[]);
    assert_eq!((ended.code, &ended.json()["run"]["status"]), (3, &"waiting".into()), "{ended:?}");
    let again = run(&desk, &[]);
    assert!(again.code == 4 && again.err.contains("is waiting"), "one run at a time: {again:?}");
    assert_eq!(desk.at_home(&["playbook", "approve", "update", "agree", "--by", "A Person"]).code, 0);
    let ended = desk.at_home(&["playbook", "resume", "update", "--json"]);
    assert_eq!((ended.code, &ended.json()["run"]["status"]), (0, &"done".into()), "{ended:?}");
    let done = desk.at_home(&["playbook", "complete", "update", "--reason", "all good"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(desk.file("data/playbooks/archive/log.md").is_file());
    assert_eq!(run(&desk, &[]).code, 4, "what is complete does not run again");
}

#[test]
fn shipped_playbooks_are_sound_and_new_plans_pass_lint() {
    let desk = desk();
    let made = desk.at_home(&["playbook", "new", "a-plan", "--title", "A plan", "--owner", "us"]);
    assert_eq!(made.code, 0, "{made:?}");
    let lint = desk.at_home(&["playbook", "lint", "--json"]);
    assert_eq!(lint.code, 0, "{lint:?}");
    let told = lint.json();
    assert!(
        !told.to_string().contains("it cannot be run yet"),
        "every shipped playbook finds what it needs: {told}"
    );
    let list = desk.at_home(&["playbook", "list"]);
    for name in ["opencode-go-live", "hearings-trial", "luckygas-pilot", "gauges-rollout", "a-plan"] {
        assert!(list.out.contains(name), "{list:?}");
    }
    let show = desk.at_home(&["playbook", "show", "opencode-go-live", "--json"]).json();
    assert_eq!(show["steps"].as_array().unwrap().len(), 10, "OC-87");
    for (work, wanted) in [("migration", true), ("small-fix", false)] {
        let said = desk.at_home(&["playbook", "required", work, "--json"]).json();
        assert_eq!(said["needs_plan"], wanted, "{work}");
    }
    let risk = ["playbook", "risk", "add", "a-plan", "It is late", "--priority", "high", "--owner", "us"];
    assert_eq!(desk.at_home(&risk).code, 0);
    let week = desk.at_home(&["playbook", "report", "--weekly"]);
    assert!(week.out.contains("It is late (high, open)") && week.out.contains("No test report"), "{week:?}");
}

/// OC-87 to OC-89: the ten steps of a deployment on a generated store; then one whose data breaks a check: everything is
/// as it was, and the webhook hears of it.
#[test]
fn opencode_goes_live_in_ten_steps_or_not_at_all() {
    let receiver = Receiver::start(0);
    let mut desk = Desk::empty();
    let data = desk.file("data").display().to_string();
    desk.set("PLIMSOLL_DATA", &data);
    desk.set("PLIMSOLL_ALERT_WEBHOOK", receiver.address());
    let good = |words: &[&str]| {
        let ended = desk.at_home(words);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended
    };
    let simulate = |to: &str, seed: &str, more: &[&str]| {
        let words =
            ["simulate", "opencode", "--to", to, "--sessions", "6", "--messages", "120", "--seed", seed];
        good(&[&words, more].concat());
    };
    simulate("first", "5", &["--ordinary"]);
    simulate("second", "6", &[]);
    good(&["ingest", "opencode", "--from", "first"]);
    // On a busy machine questions may take longer than they may, which stops it too: then once more.
    let live = |from: &str| {
        let from = format!("from={from}");
        let words = ["playbook", "run", "opencode-go-live", "--simulated-clock", "--set", &from, "--json"];
        let mut all = (0..3).map(|_| desk.at_home(&words));
        let slow = |ended: &Ended| done(&ended.json()).contains(&"do measure failed".to_owned());
        all.find(|ended| !slow(ended)).unwrap()
    };
    let told = |what: &str| while !receiver.next(Duration::from_secs(20)).to_string().contains(what) {};
    let ended = live("first");
    assert_eq!((ended.code, &ended.json()["run"]["status"]), (0, &"done".into()), "{ended:?}");
    assert_eq!(done(&ended.json()).len(), 10, "{ended:?}");
    // The last step proves that alerts arrive.
    told("[test] alerts of plimsoll arrive here");

    let before = good(&["digest", "opencode", "--json"]).out;
    let ended = live("second");
    let report = ended.json();
    assert_eq!((ended.code, &report["run"]["status"]), (1, &"rolled_back".into()), "{ended:?}");
    assert!(done(&report).contains(&"do health failed".to_owned()), "{report}");
    assert_eq!(good(&["digest", "opencode", "--json"]).out, before, "the store is what it was");
    told("opencode-go-live stopped at step health");
}
