//! Alerts and schedules as people meet them: the real binary, a real webhook.

use std::time::Duration;

use serde_json::Value as Json;

use crate::support::home::Home;
use crate::support::receiver::Receiver;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_schedule_that_fails_reaches_the_webhook_and_is_over_when_it_runs_again() {
    let receiver = Receiver::start(1);
    let mut home = Home::new();
    std::fs::write(home.file("webhook"), format!("{}\n", receiver.address())).unwrap();
    home.set("PLIMSOLL_ALERT_WEBHOOK_FILE", home.file("webhook").to_str().unwrap());

    // There is no store to verify, so the schedule fails.
    let added =
        home.expect(0, &["schedule", "add", "nightly", "--cron", "@daily", "--", "ingest", "opencode"]);
    assert!(added.err.contains("plimsoll schedule remove nightly"), "{added:?}");
    home.expect(3, &["schedule", "run", "nightly"]);
    home.expect(3, &["schedule", "run", "nightly"]);
    let open = home.expect(0, &["alert", "list", "--json"]).json();
    assert_eq!(open.as_array().unwrap().len(), 1, "{open}");
    assert_eq!((open[0]["occurrences"].as_u64(), open[0]["severity"].as_str()), (Some(2), Some("P1")));

    // The receiver refuses the first time: nothing is lost, and the address is told nowhere.
    let refused = home.expect(3, &["alert", "send"]);
    assert!(refused.out.contains("the receiver answered 503"), "{refused:?}");
    let shown = home.expect(0, &["alert", "show", "1"]);
    assert!(shown.out.contains("docs/runbooks/schedule-failed.md") && shown.out.contains("503"), "{shown:?}");
    home.expect(0, &["alert", "acknowledge", "1", "--reason", "looking"]);

    // With something to ingest the schedule is well again.
    plimsoll_simulate(&home);
    home.expect(0, &["schedule", "run", "nightly"]);
    assert_eq!(home.expect(0, &["alert", "list"]).out.trim(), "nothing is wrong");
    let sent = home.expect(0, &["alert", "send", "--json"]).json();
    assert_eq!(sent["sent"], 1, "{sent}");
    let message = receiver.next(PATIENCE);
    let text = message["text"].as_str().unwrap();
    assert!(text.starts_with("[resolved] schedule nightly ended with failed"), "{message}");
    assert!(message["attachments"][0]["fields"].to_string().contains("2 times"), "{message}");

    home.expect(0, &["alert", "test"]);
    assert!(receiver.next(PATIENCE)["text"].as_str().unwrap().starts_with("[test]"));
    let digest = home.expect(0, &["alert", "digest", "--send", "--report", "reports/week.md"]);
    assert!(digest.out.contains("- Resolved: 1, still open: 0"), "{digest:?}");
    assert!(digest.out.contains("- Documents stored: "), "{digest:?}");
    assert_eq!(std::fs::read_to_string(home.file("reports/week.md")).unwrap().trim(), digest.out.trim());
    assert!(receiver.next(PATIENCE)["text"].as_str().unwrap().starts_with("Plimsoll, 20"));
    assert!(receiver.messages().is_empty());

    let history = home.expect(0, &["schedule", "history", "nightly", "--json"]).json();
    let outcomes: Vec<_> =
        history.as_array().unwrap().iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["done", "failed", "failed"]);
    for entry in walk(&home.file("data")) {
        let bytes = std::fs::read(&entry).unwrap();
        let secret = bytes.windows(6).any(|window| window == b"B000/s");
        assert!(!secret, "the webhook's address is in {}", entry.display());
    }
}

/// A few sessions where OpenCode would have them.
fn plimsoll_simulate(home: &Home) {
    let to = home.file(".local/share");
    home.expect(
        0,
        &["simulate", "opencode", "--to", to.to_str().unwrap(), "--sessions", "3", "--messages", "40"],
    );
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_daily_check_writes_its_report() {
    let home = Home::new();
    plimsoll_simulate(&home);
    home.expect(0, &["ingest", "opencode"]);
    home.expect(0, &["schedule", "add", "daily-health-opencode", "--zone", "Europe/Berlin"]);
    let due = home.expect(0, &["schedule", "run-due", "--json"]).json();
    assert_eq!(due.as_array().unwrap().len(), 0, "{due}");
    let ran = home.run(&["schedule", "run", "daily-health-opencode", "--json"]);
    assert!([0, 3].contains(&ran.code), "{ran:?}");
    let reports: Vec<_> = walk(&home.file("data/reports"));
    assert_eq!(reports.len(), 1);
    assert!(std::fs::read_to_string(&reports[0]).unwrap().contains("orphans"));
}

#[test]
fn what_cannot_be_scheduled_is_refused_when_it_is_added() {
    let home = Home::new();
    for (words, why) in [
        (&["--cron", "@daily", "--", "purge", "--before", "2026-01-31"][..], "a schedule cannot run"),
        (&["--cron", "@daily", "--", "check", "opencode", "--reprot", "x"], "is no command line"),
        (&["--cron", "61 * * * *", "--", "check", "opencode"], "no cron expression"),
        (&["--cron", "@daily", "--zone", "Mars/Base", "--", "check", "opencode"], "there is no time zone"),
        (&["--cron", "@daily"], "what to run is missing"),
        (&["--", "check", "opencode"], "when is missing"),
    ] {
        let all: Vec<_> = ["schedule", "add", "a"].iter().chain(words).copied().collect();
        let ended = home.expect(2, &all);
        assert!(ended.err.contains(why) && ended.err.contains("error:"), "{ended:?}");
    }
    assert_eq!(home.expect(0, &["schedule", "list"]).out.trim(), "there is no schedule");
    let dry = ["schedule", "add", "weekly-digest", "--dry-run"];
    assert!(home.expect(0, &dry).err.contains("would run `plimsoll alert digest --send"));
    assert_eq!(home.expect(0, &["schedule", "list"]).out.trim(), "there is no schedule");
}

/// GS-23: a trigger over a metric kills the flag, says why, and reaches the webhook; what cannot be judged is told too.
#[test]
fn a_trigger_over_metrics_and_checks_kills_a_flag_and_alerts() {
    let receiver = Receiver::start(0);
    let mut home = Home::new();
    home.set("PLIMSOLL_ALERT_WEBHOOK", receiver.address());
    let reason = ["--reason", "a test"];
    let flag = |words: &[&str]| home.expect(0, &[&["flag"], words, &reason].concat());
    flag(&["create", "pilot"]);
    flag(&[
        "set",
        "pilot",
        "--on",
        "--trigger",
        "built=built > 1.5",
        "--measure",
        "built=metric plimsoll_build_info",
    ]);
    assert_eq!(home.expect(0, &["flag", "triggers", "--json"]).json()[0]["outcome"], "quiet");
    assert_eq!(receiver.messages().len(), 0);

    // Too few observations is not "quiet".
    flag(&[
        "set",
        "pilot",
        "--trigger",
        "built=built > 0.5",
        "--minimum-sample",
        "2",
        "--measure",
        "built=metric plimsoll_build_info of count(plimsoll_build_info)",
    ]);
    assert_eq!(home.expect(3, &["flag", "triggers", "--json"]).json()[0]["outcome"], "small_sample");
    assert!(receiver.next(PATIENCE).to_string().contains("cannot be judged"));

    flag(&[
        "set",
        "pilot",
        "--trigger",
        "built=built > 0.5",
        "--measure",
        "built=metric plimsoll_build_info",
    ]);
    let dry = home.expect(3, &["flag", "triggers", "--dry-run", "--json"]).json();
    assert_eq!(dry[0]["outcome"], "fired");
    assert_eq!(home.expect(0, &["flag", "show", "pilot", "--json"]).json()["flag"]["flag"]["state"], "on");
    let fired = home.expect(3, &["flag", "triggers", "--json"]).json();
    assert_eq!(
        (&fired[0]["outcome"], &fired[0]["measured"]["built"]["value"]),
        (&"fired".into(), &1.0.into())
    );
    assert_eq!(
        home.expect(0, &["flag", "show", "pilot", "--json"]).json()["flag"]["flag"]["state"],
        "killed"
    );
    let notice = receiver.next(PATIENCE).to_string();
    assert!(notice.contains("fired") && notice.contains("flag-killed.md"), "{notice}");
    let history = home.expect(0, &["flag", "history", "pilot"]);
    assert!(history.out.contains("trigger built") && history.out.contains("built = 1"), "{history:?}");

    // A check that never ran has no value.
    flag(&["create", "other"]);
    flag(&["set", "other", "--on", "--trigger", "x=x > 0.0", "--measure", "x=check hearings orphans"]);
    let judged = home.run(&["flag", "triggers", "--json"]);
    assert_eq!(judged.code, 3, "{judged:?}");
    let wrong = home.expect(
        2,
        &["flag", "set", "other", "--trigger", "x=x > 0.0", "--measure", "x=gauge y", "--reason", "a"],
    );
    assert!(wrong.err.contains("no source of a measure"), "{wrong:?}");
}

/// OC-52. What is generated is dated by its seed; the answers of the agent are moved to now, so that this month has costs.
#[test]
fn a_budget_warns_is_over_and_is_within_again() {
    let home = Home::new();
    plimsoll_simulate(&home);
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    for file in walk(&home.file(".local/share/opencode/storage/message")) {
        let mut message: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        if message["role"] == "assistant" {
            message["time"] = serde_json::json!({ "created": now, "completed": now + 1 });
            std::fs::write(&file, message.to_string()).unwrap();
        }
    }
    home.expect(0, &["ingest", "opencode"]);
    let stands = home.expect(0, &["view", "opencode", "budget", "--budget", "1000000", "--json"]).json();
    let amount = |row: &Json| row["spent"].as_f64().or_else(|| row["spent"].as_str()?.parse().ok()).unwrap();
    let spent = amount(&stands[0]).max(amount(&stands[1]));
    assert!(spent > 0.0, "{stands}");
    let hold = |budget: f64, more: &[&str]| {
        let budget = format!("{budget:.8}");
        let words = [&["alert", "budget", "opencode", "--json", "--budget", &budget][..], more].concat();
        home.expect(0, &words).json()
    };
    let open = || home.expect(0, &["alert", "list", "--json"]).json();

    assert_eq!(hold(spent / 2.0, &["--dry-run"])["told"], false);
    assert_eq!(open().as_array().unwrap().len(), 0, "a dry run tells nobody");
    assert_eq!(hold(spent * 2.0, &[])["severity"], Json::Null, "half of it is spent");
    let warned = hold(spent * 1.1, &[]);
    assert_eq!((&warned["severity"], &warned["told"]), (&"P2".into(), &true.into()), "{warned}");
    assert!(warned["title"].as_str().unwrap().contains("four fifths"), "{warned}");
    assert_eq!(hold(spent / 2.0, &[])["severity"], "P1");
    let incident = &open()[0];
    assert_eq!(
        (&incident["cause"], &incident["severity"]),
        (&"budget/opencode".into(), &"P1".into()),
        "{incident}"
    );
    assert_eq!(incident["occurrences"], 2, "one incident, however often it is signalled");
    hold(spent * 2.0, &[]);
    assert_eq!(open().as_array().unwrap().len(), 0, "within the budget again");

    home.expect(
        0,
        &[
            "schedule", "add", "budget", "--cron", "@daily", "--", "alert", "budget", "opencode", "--budget",
            "1",
        ],
    );
    let refused = home.expect(2, &["alert", "budget", "opencode", "--budget", "much"]);
    assert!(refused.err.contains("is no amount"), "{refused:?}");
}

/// GS-12, OC-75: nobody asks for it, and still somebody is told that a set lacks a member, and that it does no more.
#[test]
fn a_check_that_fails_is_an_incident_until_it_keeps_its_rule_again() {
    let receiver = Receiver::start(0);
    let mut home = Home::new();
    home.set("PLIMSOLL_ALERT_WEBHOOK", receiver.address());
    home.expect(0, &["simulate", "gauges", "--sets", "30", "--seed", "3"]);
    let incomplete = home.expect(0, &["view", "gauges", "incomplete", "--json"]).json();
    assert_eq!(incomplete["total"], 1, "{incomplete}");
    let set = incomplete["items"][0]["set"].as_str().unwrap();
    home.expect(0, &["schedule", "add", "daily-health-gauges"]);
    let open = || home.expect(0, &["alert", "list", "--json"]).json();
    for occurrences in 1..=2 {
        home.expect(0, &["schedule", "run", "daily-health-gauges"]);
        let open = open();
        assert_eq!(
            open.as_array().unwrap().len(),
            1,
            "checks that pass and a schedule that ran raise nothing: {open}"
        );
        assert_eq!(
            (&open[0]["cause"], &open[0]["severity"]),
            (&"check/gauges/sets-are-complete".into(), &"P2".into())
        );
        assert_eq!(open[0]["occurrences"], occurrences, "{open}");
    }
    let told = receiver.next(PATIENCE).to_string();
    assert!(told.contains("check sets-are-complete of gauges fails"), "{told}");
    assert!(receiver.messages().is_empty(), "one notice, however often it fails");
    let shown = home.expect(0, &["alert", "show", "1"]).out;
    for part in ["measured: 1", "asked: = 0", "hint: ", "docs/runbooks/check-failed.md"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    // The check over some other rule does not end it; this one does, once the set is ended.
    home.expect(0, &["check", "gauges", "ids-were-checked"]);
    assert_eq!(open().as_array().unwrap().len(), 1);
    let of = format!("set={set}");
    home.expect(
        0,
        &["run", "gauges", "unpair", "--option", &of, "--option", "reason=its NO-GO was never found again"],
    );
    let ended = home.expect(0, &["check", "gauges"]);
    assert!(ended.err.contains("incident 1 is resolved"), "{ended:?}");
    assert_eq!(open().as_array().unwrap().len(), 0);
    assert!(receiver.next(PATIENCE).to_string().contains("[resolved]"));
}
