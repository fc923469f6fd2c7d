//! What the read routes show of a store with runs in it.

use plimsoll_testkit::fixture;
use serde_json::{Value, json};

use crate::support::Served;

/// A server whose store has one run of four items, one of them in quarantine; the run's and the plan's id.
fn with_a_run() -> (Served, String, String) {
    let served = Served::open();
    let mut session = served.place.session();
    fixture::seed(&mut session, 1..=4);
    // The last breaks the rule that no balance is below zero.
    let balances = [10, 20, 30, -1];
    let items: Vec<_> =
        (1..).zip(balances).map(|(id, balance)| fixture::set_balance(&mut session, id, balance)).collect();
    let run = fixture::apply_items(&mut session, &items, 2);
    (served, run.id.to_string(), run.plan.to_string())
}

#[test]
fn systems_are_shown_with_what_they_can_do() {
    let served = Served::open();
    let systems = served.get("/api/v1/systems").json();
    assert_eq!(systems.as_array().unwrap().len(), 1);
    assert_eq!(systems[0]["name"], "fixture");
    assert_eq!(systems[0]["changes"][0]["name"], "sync");
    // One is shown with its views, flags and routes besides; this one declares none.
    let mut one = served.get("/api/v1/systems/fixture").json();
    for member in ["views", "flags", "routes"] {
        assert_eq!(one.as_object_mut().unwrap().remove(member), Some(serde_json::json!([])), "{member}");
    }
    assert_eq!(one, systems[0]);
}

#[test]
fn runs_are_listed_filtered_cut_and_shown() {
    let (served, run, plan) = with_a_run();
    let listed = served.get("/api/v1/runs").json();
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &json!(run)));
    let count =
        |query: &str| served.get(&format!("/api/v1/runs?{query}")).json()["items"].as_array().unwrap().len();
    assert_eq!((count("system=fixture"), count("system=other")), (1, 0));
    assert_eq!((count("status=finished"), count("status=running")), (1, 0));
    assert_eq!((count("limit=1"), count("offset=1")), (1, 0));

    let shown = served.get(&format!("/api/v1/runs/{}", &run[..8])).json();
    assert_eq!(shown["run"]["plan"], json!(plan));
    let report = &shown["report"];
    assert_eq!((&report["applied"], &report["quarantined"]), (&json!(3), &json!(1)));
    let kinds: Vec<&Value> = shown["events"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    assert!(kinds.contains(&&json!("run.started")), "{kinds:?}");
}

#[test]
fn plans_are_listed_and_shown_row_by_row_in_pages() {
    let (served, _, plan) = with_a_run();
    assert_eq!(served.get("/api/v1/plans").json()["items"][0]["id"], json!(plan));
    let shown = served.get(&format!("/api/v1/plans/{plan}?limit=2&offset=1")).json();
    assert_eq!((&shown["plan"]["id"], &shown["items"]["total"]), (&json!(plan), &json!(4)));
    let numbers: Vec<_> =
        shown["items"]["items"].as_array().unwrap().iter().map(|item| &item["item"]).collect();
    assert_eq!(numbers, [&json!(1), &json!(2)]);
    assert!(shown["items"]["items"][0]["changes"][0].is_object(), "{shown}");
}

#[test]
fn quarantined_items_are_listed_for_all_or_one_run_and_shown() {
    let (served, run, _) = with_a_run();
    let listed = served.get("/api/v1/quarantine").json();
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(served.get(&format!("/api/v1/quarantine?run={run}")).json()["total"], json!(1));
    assert_eq!(served.get("/api/v1/quarantine?run=ffff").status, 404);
    let shown = served.get(&format!("/api/v1/quarantine/{id}")).json();
    assert_eq!(shown["run"], json!(run));
    assert!(!shown["reason"].as_str().unwrap().is_empty());
}
