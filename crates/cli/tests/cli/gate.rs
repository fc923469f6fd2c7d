//! Gates as their users meet them: verdicts, exit codes, evidence on record, replay.

use serde_json::Value as Json;

use crate::support::{Desk, Ended};

fn gate(desk: &Desk, words: &[&str]) -> (i32, Json) {
    let mut all = vec!["gate"];
    all.extend(words);
    all.push("--json");
    let ended = desk.at_home(&all);
    assert!(!ended.out.is_empty(), "{ended:?}");
    (ended.code, ended.json())
}

fn good(ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
}

fn texts(judged: &Json, list: &str, member: &str) -> Vec<String> {
    let found = judged["judgement"][list].as_array().unwrap().iter();
    found.map(|one| one[member].as_str().unwrap().to_owned()).collect()
}

fn write(desk: &Desk, name: &str, text: &str) {
    std::fs::write(desk.file(name), text).unwrap();
}

/// The verdict of the plan itself on its own figures: NO GO, three criteria not met, one half, four blockers (LG-30,
/// LG-31).
#[test]
fn the_pilot_is_no_go_on_its_own_figures_with_four_blockers() {
    let desk = Desk::empty();
    let (code, judged) = gate(&desk, &["evaluate", "luckygas/pilot", "--sample"]);
    assert_eq!((code, &judged["judgement"]["verdict"]), (4, &"NO-GO".into()));
    assert_eq!(
        texts(&judged, "criteria", "answer"),
        ["YES", "NO", "YES", "YES", "PARTIAL", "NO", "YES", "YES"]
    );
    assert_eq!(
        texts(&judged, "blockers", "text"),
        [
            "the tests of the sync run and pass",
            "the sync is validated on real-shaped data",
            "front end and back end work together",
            "API response, sync speed, queries and page load are measured",
        ]
    );
    assert!(judged["id"].is_null(), "claims are not kept");
    let history = desk.at_home(&["gate", "history", "luckygas/pilot", "--json"]);
    assert_eq!(history.json(), Json::Array(Vec::new()));
}

/// 65 of 100, +25, yellow (LG-28, LG-29, LG-32, C-13).
#[test]
fn the_readiness_of_the_report_is_reproduced() {
    let desk = Desk::empty();
    let (code, judged) = gate(&desk, &["evaluate", "luckygas/readiness", "--sample"]);
    let readiness = &judged["judgement"]["readiness"];
    assert_eq!((code, &readiness["score"], &readiness["change"]), (4, &65.0.into(), &25.0.into()));
    let categories = readiness["categories"].as_array().unwrap();
    let of =
        |member: &str| -> Vec<f64> { categories.iter().map(|one| one[member].as_f64().unwrap()).collect() };
    assert_eq!(of("score"), [70.0, 85.0, 45.0, 75.0, 80.0, 60.0]);
    assert_eq!(of("change"), [30.0, 40.0, 10.0, 20.0, 50.0, 20.0]);
    assert_eq!(of("weight_percent"), [10.0, 20.0, 30.0, 10.0, 10.0, 20.0]);
    let text = desk.at_home(&["gate", "evaluate", "luckygas/readiness", "--sample"]);
    assert!(text.out.contains("(YELLOW)") && text.out.contains("readiness 65/100 (+25 since"), "{text:?}");
    assert!(text.err.contains("REHEARSAL"), "{text:?}");
}

/// "Feature flags tested" while all tests fail is no evidence (C-14): the report decides, not the sentence.
#[test]
fn a_failing_test_report_is_no_evidence_of_testing() {
    let desk = Desk::empty();
    let case = "<testcase name=\"a\"><failure/></testcase>";
    write(&desk, "junit.xml", &format!("<testsuite>{}</testsuite>", case.repeat(12)));
    good(&desk.at_home(&["gate", "report", "record", "luckygas-flags", "junit.xml"]));
    let (code, judged) = gate(&desk, &["luckygas/pilot"]);
    assert_eq!((code, &judged["judgement"]["verdict"]), (4, &"NO-GO".into()));
    assert_eq!(judged["judgement"]["criteria"][0]["answer"], "NO");
    let others = texts(&judged, "criteria", "answer");
    assert!(others[1..].iter().all(|answer| answer == "UNKNOWN"), "nothing is assumed: {others:?}");
    // Too few tests are not enough, however green.
    write(&desk, "junit.xml", "<testsuite><testcase name=\"a\"/></testsuite>");
    good(&desk.at_home(&["gate", "report", "record", "luckygas-flags", "junit.xml"]));
    let (_, judged) = gate(&desk, &["luckygas/pilot"]);
    assert_eq!(judged["judgement"]["missing_sample"][0], "feature flags: 9 more tests needed: 1 of 10");
    // None at all say nothing.
    write(&desk, "junit.xml", "<testsuite/>");
    good(&desk.at_home(&["gate", "report", "record", "luckygas-flags", "junit.xml"]));
    let (_, judged) = gate(&desk, &["luckygas/pilot"]);
    assert_eq!(judged["judgement"]["criteria"][0]["evidence"][0]["standing"], "empty");
}

const OWN: &str = r#"
gate = "own/release"
title = "May we release?"
[[category]]
name = "people"
weight = 1
[[criterion]]
id = "owner"
text = "The owner agrees"
category = "people"
[[criterion.evidence]]
kind = "sign-off"
role = "owner"
[[criterion]]
id = "drill"
text = "A restore was drilled in time"
category = "people"
[[criterion.evidence]]
kind = "drill"
drill = "restore"
expression = "facts.passed && facts.minutes < 30.0"
points = 3
"#;

#[test]
fn evidence_on_record_opens_a_gate_and_a_verdict_can_be_judged_again() {
    let mut desk = Desk::empty();
    let data = desk.file("data").display().to_string();
    desk.set("PLIMSOLL_DATA", &data);
    std::fs::create_dir_all(desk.file("data/gates")).unwrap();
    write(&desk, "data/gates/release.toml", OWN);
    write(&desk, "restore.log", "restored in 12 minutes");
    let (code, judged) = gate(&desk, &["own/release"]);
    assert_eq!((code, &judged["judgement"]["verdict"]), (4, &"UNKNOWN".into()));

    let sign = ["gate", "sign-off", "owner", "--by", "A Person", "--expires", "30d"];
    let dry = desk.at_home(&[&sign[..], &["--dry-run"]].concat());
    assert!(dry.out.contains("would be put on record"), "{dry:?}");
    assert_eq!(gate(&desk, &["own/release"]).1["judgement"]["criteria"][0]["answer"], "UNKNOWN");
    good(&desk.at_home(&sign));
    good(&desk.at_home(&[
        "gate",
        "drill",
        "record",
        "restore",
        "--passed",
        "--took",
        "12m",
        "--file",
        "restore.log",
    ]));
    let (code, judged) = gate(&desk, &["own/release"]);
    assert_eq!((code, &judged["judgement"]["verdict"]), (0, &"GO".into()), "{judged}");
    let id = judged["id"].as_str().unwrap();
    let (code, again) = gate(&desk, &["replay", &id[..8]]);
    assert_eq!((code, &again["judgement"]), (0, &judged["judgement"]), "byte for byte");

    good(&desk.at_home(&["gate", "baseline", "set", "own/release", "--reason", "a start"]));
    good(&desk.at_home(&["gate", "sign-off", "owner", "--by", "A Person", "--withdraw"]));
    let (code, judged) = gate(&desk, &["own/release"]);
    let readiness = &judged["judgement"]["readiness"];
    assert_eq!((code, &judged["judgement"]["verdict"]), (4, &"NO-GO".into()));
    assert_eq!((&readiness["score"], &readiness["change"]), (&75.0.into(), &(-25.0).into()));

    // What is kept cannot be bettered afterwards.
    let control = format!("sqlite:{}", desk.file("data/control.db").display());
    let mut store = plimsoll_store::open(&control.parse().unwrap()).unwrap();
    store
        .execute("UPDATE plimsoll_gate_verdict SET document = replace(document, 'NO-GO', 'GO')", &[])
        .unwrap();
    store.execute("UPDATE plimsoll_gate_evidence SET reason = 'else' WHERE kind = 'drill'", &[]).unwrap();
    let tampered = desk.at_home(&["gate", "replay", judged["id"].as_str().unwrap()]);
    assert!(tampered.code == 1 && tampered.err.contains("changed after it was written"), "{tampered:?}");
    let (_, judged) = gate(&desk, &["own/release"]);
    assert_eq!(judged["judgement"]["criteria"][1]["evidence"][0]["standing"], "error", "{judged}");
}

#[test]
fn a_gate_file_with_a_misspelt_key_is_refused() {
    let mut desk = Desk::empty();
    let data = desk.file("data").display().to_string();
    desk.set("PLIMSOLL_DATA", &data);
    std::fs::create_dir_all(desk.file("data/gates")).unwrap();
    for (from, to, told) in [
        ("role = \"owner\"", "role = \"owner\"\nmax_aeg = \"1d\"", "`max_aeg` means nothing"),
        ("facts.passed &&", "facts.passed &&&", "the expression"),
        ("weight = 1", "weight = 0", "weight is not above 0"),
        ("kind = \"drill\"", "kind = \"promise\"", "promise"),
    ] {
        write(&desk, "data/gates/release.toml", &OWN.replace(from, to));
        let ended = desk.at_home(&["gate", "own/release"]);
        assert!(ended.code == 2 && ended.err.contains(told), "{ended:?}");
    }
}

/// Flags and metrics are evidence; one that is not there is no evidence, and never a GO.
#[test]
fn flags_and_metrics_are_evidence() {
    let mut desk = Desk::empty();
    let data = desk.file("data").display().to_string();
    desk.set("PLIMSOLL_DATA", &data);
    std::fs::create_dir_all(desk.file("data/gates")).unwrap();
    let text = OWN.split("[[category]]").next().unwrap().to_owned()
        + r#"[[criterion]]
id = "pilot"
text = "The pilot is switched on"
[[criterion.evidence]]
kind = "flag"
flag = "pilot"
state = "on"
[[criterion]]
id = "flags"
text = "There are flags"
[[criterion.evidence]]
kind = "metric"
metric = "METRIC"
rule = ">= 1"
"#;
    let written = |metric: &str| write(&desk, "data/gates/release.toml", &text.replace("METRIC", metric));
    let standings = |judged: &Json| -> Vec<String> {
        let criteria = judged["judgement"]["criteria"].as_array().unwrap().iter();
        criteria.map(|one| one["evidence"][0]["standing"].as_str().unwrap().to_owned()).collect()
    };
    written("count(plimsoll_no_such_thing)");
    let (code, judged) = gate(&desk, &["own/release"]);
    assert_eq!((code, standings(&judged)), (4, vec!["missing".to_owned(); 2]), "{judged}");
    written("plimsoll_build_info");
    good(&desk.at_home(&["flag", "create", "pilot", "--reason", "a test"]));
    let (code, judged) = gate(&desk, &["own/release"]);
    assert_eq!((code, standings(&judged)), (4, vec!["breach".to_owned(), "ok".to_owned()]), "{judged}");
    good(&desk.at_home(&["flag", "allow", "pilot", "a-shop", "--reason", "a test"]));
    let (code, judged) = gate(&desk, &["own/release"]);
    assert_eq!((code, &judged["judgement"]["verdict"]), (0, &"GO".into()), "{judged}");
    good(&desk.at_home(&["flag", "kill", "pilot", "--reason", "a test"]));
    assert_eq!(gate(&desk, &["own/release"]).0, 4);
}

/// Milestone 1 of the analytics programme on generated sessions (OC-93): shut, with reasons, until its evidence is there.
#[test]
fn the_first_milestone_opens_when_its_evidence_is_there() {
    let mut desk = Desk::empty();
    let data = desk.file("data").display().to_string();
    desk.set("PLIMSOLL_DATA", &data);
    good(&desk.at_home(&["simulate", "opencode", "--to", "sessions", "--sessions", "12", "--seed", "3"]));
    good(&desk.at_home(&["ingest", "opencode", "--from", "sessions"]));
    let (code, judged) = gate(&desk, &["opencode/m1"]);
    assert_eq!((code, &judged["judgement"]["verdict"]), (4, &"UNKNOWN".into()), "no check ever ran");
    desk.at_home(&["check", "opencode"]);
    write(&desk, "overlap.json", r#"{"runs": 100, "lost_or_doubled": 0}"#);
    write(&desk, "build.json", r#"{"coverage_percent": 91.5, "critical_defects": 0}"#);
    write(&desk, "tests.txt", "     Summary [  9.0s] 120 tests run: 120 passed, 0 skipped\n");
    good(&desk.at_home(&["gate", "facts", "record", "opencode-overlap", "overlap.json"]));
    good(&desk.at_home(&["gate", "facts", "record", "opencode-build", "build.json"]));
    good(&desk.at_home(&["gate", "report", "record", "opencode", "tests.txt"]));
    let (code, judged) = gate(&desk, &["opencode/m1"]);
    assert_eq!(code, 4);
    let blocking = texts(&judged, "blockers", "criterion");
    let people: Vec<&String> = blocking.iter().filter(|one| !one.starts_with("speed")).collect();
    assert_eq!(people, ["sign-off tech-lead", "sign-off qa"], "{judged}");
    for role in ["tech-lead", "qa"] {
        let role = format!("opencode-m1-{role}");
        good(&desk.at_home(&["gate", "sign-off", &role, "--by", "A Person", "--expires", "90d"]));
    }
    let (code, judged) = gate(&desk, &["opencode/m1"]);
    // A busy machine may miss a budget of time, and nothing else.
    let blocking = texts(&judged, "blockers", "criterion");
    assert!(blocking.iter().all(|one| one == "speed"), "{judged}");
    assert_eq!(code == 0, blocking.is_empty());
    let (code, next) = gate(&desk, &["opencode/m2"]);
    assert_eq!(code, 4, "{next}");
    let shut = texts(&next, "blockers", "criterion");
    assert_eq!(shut.contains(&"previous".to_owned()), !blocking.is_empty());
}
