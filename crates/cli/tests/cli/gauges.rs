//! Gauge sets by the generic verbs: a laboratory is made, an operation is run from its options, a refusal names its reasons.

use crate::support::home::Home;

#[test]
fn a_laboratory_is_made_and_worked_in() {
    let home = Home::new();
    let made = home.expect(0, &["simulate", "gauges", "--sets", "60", "--json"]).json();
    assert_eq!((made["brought_in"].as_u64(), made["left_out"].as_u64()), (Some(60), Some(4)));
    home.expect(2, &["simulate", "gauges", "--sets", "60"]);
    // Of the first sets some are overdue, out or unpaired; one that can be retired is among the first twenty.
    let retired = (1..=20).map(|number| format!("SP{number:04}")).find(|set| {
        let set = format!("set={set}");
        let arguments =
            ["run", "gauges", "retire-set", "--option", &set, "--option", "reason=worn beyond its limits"];
        home.run(&arguments).code == 0
    });
    let retired = retired.expect("one of them can be retired");
    let set = format!("set={retired}");
    let again =
        home.expect(4, &["run", "gauges", "check-out", "--option", &set, "--option", "reason=for a job"]);
    assert!(again.err.contains(&format!("set {retired} is retired [set.ended]")), "{}", again.err);
    let runs = home.expect(0, &["log", "--json"]).json();
    assert!(runs.to_string().contains("retire-set"));
}

/// The rollout by its playbook: off, assessed, backed up, brought in, verified, on, watched - or everything as it was.
#[test]
fn the_rollout_is_done_whole_or_taken_back() {
    let home = Home::new();
    home.expect(0, &["simulate", "gauges", "--sets", "30", "--earlier", "earlier.json"]);
    let before = home.expect(0, &["digest", "gauges", "--json"]).out;
    let checks = home.file("data/checks/gauges");
    std::fs::create_dir_all(&checks).unwrap();
    let planted = "-- check: planted\n-- title: Planted\n-- severity: error\n-- rule: = 0\n-- hint: none\n\nSELECT 1 AS value\n";
    std::fs::write(checks.join("planted.sql"), planted).unwrap();
    let rollout =
        ["playbook", "run", "gauges-rollout", "--simulated-clock", "--set", "earlier=earlier.json", "--json"];
    let ended = home.run(&rollout);
    assert_eq!((ended.code, &ended.json()["run"]["status"]), (1, &"rolled_back".into()), "{ended:?}");
    assert_eq!(home.expect(0, &["digest", "gauges", "--json"]).out, before, "the store is what it was");
    home.expect(2, &["flag", "show", "set_id_reuse_check"]);

    std::fs::remove_file(checks.join("planted.sql")).unwrap();
    let ended = home.run(&rollout);
    assert_eq!((ended.code, &ended.json()["run"]["status"]), (0, &"done".into()), "{ended:?}");
    let sets = home.expect(0, &["view", "gauges", "sets", "--json"]).json();
    assert_eq!(sets["total"], 30);
    let flag = home.expect(0, &["flag", "show", "set_id_reuse_check", "--json"]).json();
    assert!(flag.to_string().contains("\"state\":\"on\""), "{flag}");
    let counted =
        home.expect(0, &["metrics", "--select", "plimsoll_gauges_sets{state=\"complete\"}", "--json"]).json();
    assert_eq!(counted["value"].as_f64(), Some(30.0));
}

/// The flag of the control store decides, and a view says what it let through.
#[test]
fn the_flag_switches_the_check_from_the_command_line() {
    let home = Home::new();
    home.expect(0, &["simulate", "gauges", "--sets", "40"]);
    let run = |home: &Home, code: i32, operation: &str, options: &[&str]| {
        let mut words = vec!["run", "gauges", operation];
        for option in options {
            words.extend(["--option", option]);
        }
        home.expect(code, &words)
    };
    let sets = home.expect(0, &["view", "gauges", "sets", "--json", "--option", "state=complete"]).json();
    let usable = sets["items"].as_array().unwrap().iter().find(|set| set["state"]["usable"] == true).unwrap();
    let member = |side: &str| {
        let members = usable["members"].as_array().unwrap().iter();
        members.clone().find(|member| member["side"] == side).unwrap()["serial"].as_str().unwrap().to_owned()
    };
    let id = usable["set_id"].as_str().unwrap();
    let (set, again) = (format!("set={id}"), format!("id={id}"));
    let (go, nogo) = (format!("go={}", member("go")), format!("nogo={}", member("nogo")));
    run(&home, 0, "unpair", &[&set, "reason=paired by mistake"]);
    let pair = [go.as_str(), nogo.as_str(), again.as_str(), "location=CAB-1", "reason=again"];
    assert!(run(&home, 4, "pair", &pair).err.contains("is never used again"));
    home.expect(0, &["flag", "create", "set_id_reuse_check", "--reason", "rollout"]);
    run(&home, 0, "pair", &pair);
    let unchecked = home.expect(0, &["view", "gauges", "unchecked-ids", "--json"]).json();
    assert_eq!((&unchecked["items"][0]["set_id"], &unchecked["items"][0]["issue"]), (&id.into(), &2.into()));
    let report = home.expect(0, &["check", "gauges", "ids-were-checked", "--json"]).out;
    assert!(report.contains("\"fail\"") || report.contains("\"warn\""), "{report}");
    home.expect(0, &["view", "gauges", "verify-history"]);
    home.expect(2, &["view", "gauges", "no-such-view"]);
    assert!(home.expect(2, &["view", "gauges", "set"]).err.contains("`set` is missing"));
}
