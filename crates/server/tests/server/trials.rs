//! Trials over HTTP: those on record, and starting one. What a trial does is tested where it is made.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::gate::{self, Kind, Record};
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_engine::{EngineError, Session};
use plimsoll_server::{Ended, Host, NoHost, OpenedSource};
use plimsoll_store::StoreUrl;
use serde_json::{Value, json};

use crate::support::Served;

/// A host whose command lines take this long, and print what they were.
struct Taking(Duration);

impl Host for Taking {
    fn source(
        &self,
        system: &System,
        change: &'static dyn ChangeKind,
        session: &Session,
    ) -> Result<OpenedSource, EngineError> {
        NoHost.source(system, change, session)
    }

    fn run_settings(&self, system: &str, change: &str) -> Result<RunSettings, EngineError> {
        NoHost.run_settings(system, change)
    }

    fn backups(&self, store: &StoreUrl) -> PathBuf {
        NoHost.backups(store)
    }

    fn approval_required(&self) -> bool {
        false
    }

    fn command(&self, words: &[String], actor: &str, _request: Option<&str>, _limit: Duration) -> Ended {
        std::thread::sleep(self.0);
        let out = json!({ "words": words, "actor": actor }).to_string();
        Ended { code: 3, out, err: String::new() }
    }
}

fn on_record(session: &mut Session, name: &str, at: &str, verdict: &str) -> String {
    let body = json!({
        "about": { "items": 300, "duration_ms": 1_500 },
        "decision": { "verdict": verdict, "met": 20, "not_met": 1, "unknown": 2 },
        "validation": { "interruptions": [] },
    });
    let mut record = Record::new(session, Kind::Trial, name, "trials/one", body);
    record.at = at.to_owned();
    gate::record(session, &record).unwrap();
    record.id.as_str().to_owned()
}

#[test]
fn trials_on_record_are_listed_by_system_and_shown_whole() {
    let served = Served::open();
    let control = &mut served.control();
    let first = on_record(control, "fixture sync", "2026-01-01T00:00:00Z", "Iterate");
    let second = on_record(control, "fixture sync", "2026-01-02T00:00:00Z", "Proceed");
    on_record(control, "elsewhere sync", "2026-01-03T00:00:00Z", "Proceed");
    let facts = Record::new(control, Kind::Facts, "fixture sync", "a file", json!({ "coverage": 1 }));
    gate::record(control, &facts).unwrap();

    let listed = served.get("/api/v1/trials?system=fixture").json();
    assert_eq!(listed["total"], 2, "{listed}");
    let ids: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!(second), &json!(first)], "newest first");
    let line = &listed["items"][1];
    assert_eq!(
        (&line["verdict"], &line["not_met"], &line["items"]),
        (&json!("Iterate"), &json!(1), &json!(300))
    );
    assert_eq!(line["report"], Value::Null, "a list holds no reports");
    let page = served.get("/api/v1/trials?system=fixture&limit=1&offset=1").json();
    assert_eq!((&page["items"][0]["id"], &page["total"]), (&json!(first), &json!(2)));
    assert_eq!(served.get("/api/v1/trials?system=none").json()["total"], 0);

    let shown = served.get(&format!("/api/v1/trials/{first}")).json();
    assert_eq!((&shown["system"], &shown["folder"]), (&json!("fixture"), &json!("trials/one")), "{shown}");
    assert_eq!(shown["report"]["validation"]["interruptions"], json!([]));
    assert_eq!(served.get(&format!("/api/v1/trials/{}", facts.id.as_str())).status, 404, "it is no trial");
}

#[test]
fn a_trial_is_a_command_line_and_two_at_once_are_refused() {
    let served = Served::with(|settings| settings.host = Arc::new(Taking(Duration::from_secs(5))));
    let path = "/api/v1/systems/fixture/trials";
    for wrong in [
        json!({ "change": "none" }),
        json!({ "change": "sync", "rounds": 0 }),
        json!({ "change": "sync", "sizes": [0] }),
        json!({ "change": "sync", "colour": "red" }),
    ] {
        let refused = served.post(path, &wrong);
        assert!((400..500).contains(&refused.status), "{wrong}: {refused:?}");
    }
    let body = json!({ "change": "sync", "sizes": [10, 50], "rounds": 2, "reason": "--out=elsewhere", "dry_run": true });
    let words = served.post(path, &body).json()["words"].clone();
    let words: Vec<&str> = words.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words[..6], ["trial", "fixture", "sync", "--quiet", "--json", "--out"]);
    assert_eq!(
        words[7..],
        ["--sizes=10,50", "--rounds=2", "--reason=--out=elsewhere"],
        "a reason is no word of its own"
    );

    let begun = served.post(path, &json!({ "change": "sync", "reason": "a test" }));
    assert_eq!((begun.status, &begun.json()["decision"]), (202, &Value::Null), "{begun:?}");
    let second = served.post(path, &json!({ "change": "sync", "reason": "a test" }));
    assert_eq!(second.code(), "refused", "{second:?}");
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(
        served.post(path, &json!({ "change": "sync", "reason": "a test" })).status,
        202,
        "the first has ended"
    );
}

#[test]
fn a_trial_that_ends_at_once_is_answered_with_its_decision() {
    let served = Served::with(|settings| settings.host = Arc::new(Taking(Duration::ZERO)));
    let told =
        served.post("/api/v1/systems/fixture/trials", &json!({ "change": "sync", "reason": "a test" }));
    assert_eq!((told.status, &told.json()["decision"]["actor"]), (200, &json!("local")), "{told:?}");
}
