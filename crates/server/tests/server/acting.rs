//! What the pages do: plan, approve, apply, follow, take back, repair, and find.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::source::{Fetch, FetchError, FetchStatistics, Query};
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_engine::{EngineError, Session};
use plimsoll_server::{Ended, Host, NoHost, OpenedSource};
use plimsoll_store::StoreUrl;
use plimsoll_testkit::fixture;
use serde_json::{Value, json};

use crate::support::Served;

/// A source that has the same three accounts for everybody; the third breaks a rule of the table.
struct Accounts;

impl Fetch for Accounts {
    fn get(&mut self, _query: &Query) -> Result<Value, FetchError> {
        Ok(json!([
            { "id": 1, "name": "account 1", "balance": 11 },
            { "id": 2, "name": "account 2", "balance": 22 },
            { "id": 3, "name": "account 3", "balance": -3 },
        ]))
    }

    fn budget_left(&self) -> Option<u64> {
        None
    }

    fn statistics(&self) -> FetchStatistics {
        FetchStatistics::default()
    }
}

struct TestHost;

impl Host for TestHost {
    fn source(
        &self,
        _system: &System,
        _change: &'static dyn ChangeKind,
        _session: &Session,
    ) -> Result<OpenedSource, EngineError> {
        Ok(OpenedSource { fetch: Box::new(Accounts), address: "accounts".to_owned() })
    }

    fn run_settings(&self, _system: &str, _change: &str) -> Result<RunSettings, EngineError> {
        Ok(RunSettings { batch_size: Some(2), max_error_share: 1.0, ..RunSettings::default() })
    }

    fn backups(&self, store: &StoreUrl) -> PathBuf {
        NoHost.backups(store)
    }

    fn approval_required(&self) -> bool {
        true
    }

    fn command(&self, words: &[String], actor: &str, request: Option<&str>, _limit: Duration) -> Ended {
        let out = json!({ "words": words, "actor": actor, "request": request });
        Ended { code: 0, out: out.to_string(), err: String::new() }
    }
}

fn served() -> Served {
    let served = Served::with(|settings| settings.host = Arc::new(TestHost));
    fixture::seed(&mut served.place.session(), 1..=3);
    served
}

fn planned(served: &Served) -> String {
    let planned =
        served.post("/api/v1/systems/fixture/plans", &json!({ "change": "sync", "reason": "a test" }));
    assert_eq!(planned.status, 200, "{planned:?}");
    planned.json()["plan"].as_str().unwrap().to_owned()
}

/// Waits until a run is over, and gives it.
fn over(served: &Served, run: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let shown = served.get(&format!("/api/v1/runs/{run}")).json();
        if shown["run"]["status"] != "running" || Instant::now() > until {
            return shown;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn applied(served: &Served) -> String {
    let plan = planned(served);
    let reason = json!({ "reason": "looks right" });
    assert_eq!(
        served.post(&format!("/api/v1/plans/{plan}/apply"), &reason).code(),
        "refused",
        "not approved"
    );
    assert_eq!(served.post(&format!("/api/v1/plans/{plan}/approve"), &reason).status, 200);
    let begun = served.post(&format!("/api/v1/plans/{plan}/apply"), &reason);
    assert_eq!(begun.status, 202, "{begun:?}");
    let run = begun.json()["run"].as_str().unwrap().to_owned();
    assert!(begun.json()["undo"].as_str().unwrap().starts_with("plimsoll undo "));
    run
}

#[test]
fn a_plan_is_assessed_approved_applied_followed_and_taken_back() {
    let served = served();
    let dry =
        served.post("/api/v1/systems/fixture/plans", &json!({ "change": "sync", "dry_run": true })).json();
    assert_eq!((&dry["dry_run"], &dry["assessment"]["items"]), (&json!(true), &json!(3)));
    assert_eq!(served.get("/api/v1/plans").json()["total"], 0, "a dry run keeps no plan");
    let plan = planned(&served);
    assert_eq!(served.get(&format!("/api/v1/plans/{plan}/assessment")).json()["canary"]["quarantined"], 1);

    let run = applied(&served);
    let shown = over(&served, &run);
    assert_eq!(
        (&shown["report"]["applied"], &shown["report"]["quarantined"]),
        (&json!(2), &json!(1)),
        "{shown}"
    );
    let events = served.get(&format!("/api/v1/runs/{run}/events")).text;
    for kind in ["event: progress", "event: status", "event: end"] {
        assert!(events.contains(kind), "{kind}: {events}");
    }
    let told = events.lines().find(|line| line.contains("\"done\":3")).unwrap_or_else(|| panic!("{events}"));
    assert!(told.contains("\"total\":3"), "{told}");

    let modes = served.get(&format!("/api/v1/runs/{run}/undo-modes")).json();
    let named: Vec<&str> =
        modes["items"].as_array().unwrap().iter().map(|one| one["mode"].as_str().unwrap()).collect();
    assert_eq!(named, ["refuse", "skip", "merge", "cascade", "force"]);
    assert_eq!(modes["items"][1]["preview"]["restored"], 2, "{modes}");
    let path = format!("/api/v1/runs/{run}/undo");
    let dry = served.post(&path, &json!({ "mode": "skip", "dry_run": true })).json();
    assert_eq!(dry["preview"]["restored"], 2);
    assert_eq!(served.post(&path, &json!({ "mode": "never" })).status, 400);
    let undone = served.post(&path, &json!({ "reason": "a test" }));
    assert!([200, 202].contains(&undone.status), "{undone:?}");
    let until = Instant::now() + Duration::from_secs(20);
    let balance = |served: &Served| {
        fixture::number(&mut served.place.session(), "SELECT balance FROM account WHERE id = 1")
    };
    while balance(&served) == 11 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_ne!(balance(&served), 11);
    let history = served.get("/api/v1/systems/fixture/history?table=account&key=1").json();
    assert!(history["total"].as_u64().unwrap() >= 2, "{history}");
    assert_eq!(served.get("/api/v1/systems/fixture/history?table=other&key=1").status, 404);
}

/// LG-45: work that goes on after its request was answered still says for which request it is done.
#[test]
fn a_run_in_the_background_names_the_request_that_began_it() {
    let served = served();
    let plan = planned(&served);
    let reason = json!({ "reason": "looks right" });
    assert_eq!(served.post(&format!("/api/v1/plans/{plan}/approve"), &reason).status, 200);
    let sent = [("x-request-id", "trace-9")];
    let begun = served.post_with(&format!("/api/v1/plans/{plan}/apply"), &reason.to_string(), &sent);
    let run = begun.json()["run"].as_str().unwrap().to_owned();
    let shown = over(&served, &run);
    let events = shown["events"].as_array().unwrap_or_else(|| panic!("{shown}"));
    assert!(events.len() >= 2, "{events:?}");
    for event in events {
        let detail: Value = serde_json::from_str(event["detail"].as_str().unwrap()).unwrap();
        assert_eq!(detail["request"], "trace-9", "{event}");
    }
}

#[test]
fn plans_and_runs_are_listed_by_what_is_wanted_a_page_at_a_time() {
    let served = served();
    let run = applied(&served);
    over(&served, &run);
    let plan = over(&served, &run)["run"]["plan"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        planned(&served);
    }
    let total = |path: &str| served.get(path).json()["total"].clone();
    assert_eq!(total("/api/v1/plans"), 4);
    assert_eq!(total("/api/v1/plans?system=fixture&status=ready&change=sync"), 4);
    for none in ["system=elsewhere", "status=rejected", "change=undo", "system=fixture&change=other"] {
        assert_eq!(total(&format!("/api/v1/plans?{none}")), 0, "{none}");
    }
    assert_eq!(served.get("/api/v1/plans?colour=red").status, 400);
    let page = |offset: usize| {
        let shown = served.get(&format!("/api/v1/plans?limit=2&offset={offset}")).json();
        assert_eq!(shown["total"], 4, "{shown}");
        shown["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    let all = [page(0), page(2)].concat();
    assert_eq!((all.len(), page(4).len(), &all[3]), (4, 0, &json!(plan)), "newest first");
    let listed = served.get("/api/v1/plans").json();
    let by: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|one| &one["run"]).collect();
    assert_eq!(by[..3], [&Value::Null; 3], "what was not applied has no run");
    assert_eq!(by[3], &json!({ "id": run, "status": "finished" }));
    assert_eq!(total(&format!("/api/v1/runs?plan={plan}")), 1);
    assert_eq!(total(&format!("/api/v1/runs?plan={}", all[0].as_str().unwrap())), 0);
    let listed = served.get(&format!("/api/v1/runs?plan={plan}")).json()["items"][0].clone();
    assert_eq!((&listed["id"], &listed["tally"]["applied"]), (&json!(run), &json!(2)), "{listed}");
    // A text is a text: neither of these is a pattern.
    for (words, found) in [(run.as_str(), true), ("sync%25", false), ("syn_", false)] {
        let kinds = served.get(&format!("/api/v1/search?q={words}")).json();
        let runs = kinds["items"].as_array().unwrap().iter().filter(|one| one["kind"] == "run").count();
        assert_eq!(runs == 1, found, "{words}: {kinds}");
    }
}

#[test]
fn a_plan_that_is_rejected_is_gone_and_one_that_was_applied_is_not() {
    let served = served();
    let plan = planned(&served);
    let path = format!("/api/v1/plans/{plan}/reject");
    assert_eq!(served.post(&path, &json!({ "dry_run": true })).status, 200);
    assert_eq!(served.post(&path, &json!({ "reason": "not now" })).status, 200);
    assert_eq!(served.post(&path, &json!({ "reason": "not now" })).status, 404);
    let run = applied(&served);
    let plan = over(&served, &run)["run"]["plan"].as_str().unwrap().to_owned();
    assert_eq!(served.post(&format!("/api/v1/plans/{plan}/reject"), &json!({})).code(), "refused");
}

#[test]
fn a_quarantined_item_is_tried_repaired_and_replayed() {
    let served = served();
    let run = applied(&served);
    over(&served, &run);
    let waiting = served.get("/api/v1/quarantine").json();
    assert_eq!(waiting["total"], 1, "{waiting}");
    for (query, total) in [(format!("run={run}"), 1), ("all=true&limit=5&offset=1".to_owned(), 1)] {
        let listed = served.get(&format!("/api/v1/quarantine?{query}")).json();
        assert_eq!(listed["total"], total, "{query}: {listed}");
        assert_eq!(listed["items"].as_array().unwrap().is_empty(), query.contains("offset=1"), "{listed}");
    }
    let item = waiting["items"][0]["id"].as_str().unwrap().to_owned();
    let path = |what: &str| format!("/api/v1/quarantine/{item}/{what}");
    assert_eq!(served.post(&path("repair"), &json!({ "reason": "nothing" })).status, 400);
    let repaired = served.post(&path("repair"), &json!({ "fields": { "balance": 33 }, "reason": "a slip" }));
    assert_eq!(repaired.status, 200, "{repaired:?}");
    let tried = served.post(&path("validate"), &json!({})).json();
    assert_eq!((&tried["ok"], tried["changes"].as_array().map(Vec::len)), (&json!(true), Some(1)), "{tried}");
    assert_eq!(served.get("/api/v1/quarantine").json()["total"], 1, "trying changes nothing");
    let replayed = served.post(&path("replay"), &json!({ "reason": "repaired" })).json();
    assert_eq!(replayed["item"]["status"], "replayed", "{replayed}");
    let balance = fixture::number(&mut served.place.session(), "SELECT balance FROM account WHERE id = 3");
    assert_eq!(balance, 33);
    assert_eq!(
        served.post(&path("discard"), &json!({ "reason": "late" })).status,
        400,
        "it is not open any more"
    );
}

#[test]
fn runs_that_ended_are_neither_paused_nor_cancelled() {
    let served = served();
    let run = applied(&served);
    over(&served, &run);
    for what in ["pause", "cancel", "resume"] {
        let refused = served.post(&format!("/api/v1/runs/{run}/{what}"), &json!({ "reason": "a test" }));
        assert!((400..500).contains(&refused.status), "{what}: {refused:?}");
    }
}

#[test]
fn a_run_goes_as_it_was_asked_is_paused_and_goes_on_otherwise() {
    let served = served();
    let plan = planned(&served);
    served.post(&format!("/api/v1/plans/{plan}/approve"), &json!({ "reason": "agreed" }));
    let apply = |settings: Value| {
        let body = json!({ "reason": "slowly", "settings": settings });
        served.post(&format!("/api/v1/plans/{plan}/apply"), &body)
    };
    for wrong in [
        json!({ "batch_size": 0 }),
        json!({ "throtle_ms": 1 }),
        json!({ "max_error_share": 2 }),
        json!({ "workers": 0 }),
    ] {
        assert_eq!(apply(wrong.clone()).status, 400, "{wrong}");
    }
    let begun = apply(json!({ "batch_size": 1, "throttle_ms": 3000 }));
    assert_eq!(begun.status, 202, "{begun:?}");
    let run = begun.json()["run"].as_str().unwrap().to_owned();
    let route = |what: &str| format!("/api/v1/runs/{run}/{what}");
    let paused = served.post(&route("pause"), &json!({ "reason": "a test" })).json();
    assert_eq!(paused["run"]["status"], "running", "its batch goes on: {paused}");
    let shown = over(&served, &run);
    let settings = &shown["run"]["settings"];
    assert_eq!((&settings["batch_size"], &settings["throttle_ms"]), (&json!(1), &json!(3000)));
    assert_eq!(settings["max_error_share"], 1.0, "what was not asked is as the host says");
    assert_eq!((&shown["run"]["status"], &shown["run"]["batches"]), (&json!("paused"), &json!(1)));

    let late = served.post(&route("resume"), &json!({ "reason": "on", "settings": { "workers": 2 } }));
    assert!(late.status == 400 && late.text.contains("when a run begins"), "{late:?}");
    let faster = json!({ "reason": "on", "settings": { "batch_size": 2, "throttle_ms": 0 } });
    assert_eq!(served.post(&route("resume"), &faster).status, 202);
    let shown = over(&served, &run);
    assert_eq!((&shown["run"]["status"], &shown["run"]["batches"]), (&json!("finished"), &json!(2)));
    let undo = json!({ "reason": "back", "settings": { "batch_size": 1 } });
    let undone = served.post(&route("undo"), &undo).json()["run"].as_str().unwrap().to_owned();
    assert_eq!(over(&served, &undone)["run"]["settings"]["batch_size"], 1);
}

#[test]
fn everything_is_shown_at_a_glance_and_found() {
    let served = served();
    let run = applied(&served);
    over(&served, &run);
    let overview = served.get("/api/v1/overview").json();
    let system = &overview["systems"][0];
    assert_eq!((&system["system"], &system["open_quarantine"]), (&json!("fixture"), &json!(1)), "{overview}");
    assert_eq!((&system["health"], &system["rows"]["account"]), (&json!("waiting"), &json!(3)));
    assert_eq!(system["last_run"]["id"], json!(run));
    let found = served.get("/api/v1/search?q=sync").json();
    let kinds: Vec<&str> =
        found["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"run") && kinds.contains(&"dashboard"), "{found}");
    assert_eq!(served.get("/api/v1/search?q=").json()["total"], 0);
    for path in
        ["/api/v1/checks", "/api/v1/gates", "/api/v1/playbooks", "/api/v1/playbook-runs", "/api/v1/views"]
    {
        assert_eq!(served.get(path).json()["total"], 0, "{path}");
    }
    assert_eq!(served.get("/api/v1/alerts").json()["incidents"], json!([]));
    assert_eq!(served.get("/api/v1/schedules").json()["total"], 0);
}

#[test]
fn dashboards_over_metrics_show_samples_as_json_and_csv() {
    let served = Served::with(|settings| {
        settings.collect = Arc::new(|| vec![plimsoll_engine::metric::STORE_UP.sample(&["fixture"], 1.0)]);
    });
    let list = served.get("/api/v1/dashboards").json();
    assert_eq!((&list["problems"], list["total"].as_u64().unwrap() >= 4), (&json!([]), true), "{list}");
    let shown = served.get("/api/v1/dashboards/platform").json();
    assert!(!shown["row"].as_array().unwrap().is_empty(), "{shown}");
    let panel = served.get("/api/v1/dashboards/platform/panels/up").json();
    assert_eq!(panel["data"]["rows"], json!([["fixture", 1.0]]), "{panel}");
    let csv = served.get("/api/v1/dashboards/platform/panels/up?format=csv");
    assert_eq!(csv.text, "\"system\",value\r\n\"fixture\",1\r\n");
    assert!(csv.header("content-disposition").contains("platform-up.csv"));
    assert_eq!(served.get("/api/v1/dashboards/platform/panels/none").status, 404);
    assert_eq!(served.get("/api/v1/dashboards/none").status, 404);
}
