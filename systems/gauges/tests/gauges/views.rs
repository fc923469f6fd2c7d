//! The views and the routes: every declaration holds, every view answers on both databases, and pages are pages.

use std::collections::BTreeSet;

use plimsoll_engine::alias::{Asked, Does, Method, Placed};
use plimsoll_gauges::SYSTEM;
use plimsoll_gauges::operation::OPERATIONS;
use plimsoll_gauges::operation::fields::FIELDS;
use serde_json::{Value as Json, json};

use crate::support::{Lab, on_both};

#[test]
fn every_route_stands_for_something_that_is_there() {
    let mut seen = BTreeSet::new();
    let mut changes = BTreeSet::new();
    for alias in SYSTEM.aliases {
        assert!(seen.insert((alias.method.as_str(), alias.path)), "{} twice", alias.path);
        assert!(!alias.summary.is_empty());
        let fields = alias.fields(&SYSTEM).unwrap_or_else(|error| panic!("{}: {error}", alias.path));
        for name in alias.path_fields() {
            let named = fields.iter().find(|(field, _)| field.name == name);
            assert_eq!(named.map(|(_, place)| *place), Some(Placed::Path), "{}: {name}", alias.path);
        }
        assert!(fields.iter().all(|(field, _)| !field.help.is_empty()), "{}", alias.path);
        match alias.does {
            Does::Change { change, .. } => {
                assert_ne!(alias.method, Method::Get, "{} changes something", alias.path);
                changes.insert(change);
            }
            Does::View(view) => assert!(SYSTEM.views.iter().any(|known| known.name == view.name)),
        }
    }
    let without: Vec<&str> =
        OPERATIONS.iter().map(|operation| operation.name).filter(|name| !changes.contains(name)).collect();
    assert_eq!(without, ["bring-in-set", "import-set"], "every other operation has a route");
    let used: BTreeSet<&str> =
        OPERATIONS.iter().flat_map(|one| one.fields).map(|name| name.trim_end_matches('?')).collect();
    let known: BTreeSet<&str> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(used, known, "every field is described, and none besides");
}

#[test]
fn every_view_answers_on_both_databases() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        let other = lab.set("G2", "N2");
        lab.spare("X1", "go");
        lab.ok("check-out", json!({"set": set, "holder": "uma", "work_job": "J-1"}));
        lab.ok("lose", json!({"serial": "G2"}));
        lab.clock.add_days(2);
        let today = lab.today();
        let given = json!({
            "set": other, "serial": "N1", "at": today, "id": "SP0099", "category": "SP", "location": "A1", "of": "users",
            "what": "check-outs", "state": "live", "data": "P1,good,A,1,good\nP2,bad,A,1,bad",
        });
        for view in SYSTEM.views.iter().filter(|view| !["touched", "gage-study"].contains(&view.name)) {
            let fields: serde_json::Map<String, Json> = view
                .fields
                .iter()
                .filter(|field| field.required)
                .map(|field| (field.name.to_owned(), given[field.name].clone()))
                .collect();
            let answer = lab.view(view.name, Json::Object(fields));
            assert!(!answer.is_null(), "{}", view.name);
        }
        let incomplete = lab.view("incomplete", json!({}));
        let one = &incomplete["items"][0];
        assert_eq!((&one["set"], &one["age_days"], &one["best"]), (&json!(other), &json!(2), &json!("X1")));
        assert_eq!(lab.view("incomplete", json!({"older_than": 3}))["total"], 0);
        let candidates = lab.view("candidates", json!({"set": other}));
        assert_eq!(
            (&candidates["items"][0]["serial"], &candidates["items"][0]["fits"]),
            (&json!("X1"), &json!(true))
        );
        let sets = lab.view("sets", json!({"state": "incomplete"}));
        assert_eq!((&sets["total"], &sets["items"][0]["set_id"]), (&json!(1), &json!(other)));
        assert_eq!(
            lab.view("sets", json!({"text": "n1"}))["items"][0]["set_id"],
            json!(set),
            "by a member's serial"
        );
        assert_eq!(lab.view("sets", json!({"text": "%"}))["total"], 0, "a percent sign is one");
        let page = lab.view("gauges", json!({"limit": 2, "offset": 4}));
        assert_eq!((&page["total"], page["items"].as_array().map(Vec::len)), (&json!(5), Some(1)));
        assert_eq!(lab.view("gauges", json!({"spare": "yes"}))["total"], 1);
        let history = lab.view("set-history", json!({"set": set}));
        assert_eq!((&history["total"], &history["items"][1]["operation"]), (&json!(2), &json!("check-out")));
        let gauge = lab.view("gauge", json!({"serial": "N1"}));
        assert_eq!((&gauge["checkout"]["holder"], &gauge["sealed"]), (&json!("uma"), &json!(false)));
        let waiting = lab.view("waiting", json!({"what": "check-outs", "who": "uma"}));
        assert_eq!(waiting["total"], 2);
        let counts = lab.view("counts", json!({}));
        assert_eq!(
            counts["sets"],
            json!([{"state": "complete", "count": 1}, {"state": "incomplete", "count": 1}])
        );
        let csv = lab.view("export-history", json!({"set": set}));
        assert_eq!(csv.as_str().unwrap().lines().count(), 3, "a header and two lines");
        assert!(lab.view("export-history", json!({"format": "html"})).as_str().unwrap().contains("is whole"));
        assert_eq!(lab.view("verify-history", json!({}))["ok"], true);
    });
}

#[test]
fn studies_are_judged_from_their_lines() {
    let lab = &mut Lab::sqlite();
    let mut data = String::from("part,reference,appraiser,trial,verdict\n");
    for part in 1..=20 {
        let reference = if part % 2 == 0 { "good" } else { "bad" };
        for trial in 1..=2 {
            data.push_str(&format!("P{part},{reference},Ann,{trial},{reference}\n"));
            let wrong = if part == 1 { "good" } else { reference };
            data.push_str(&format!("P{part},{reference},Bob,{trial},{wrong}\n"));
        }
    }
    let found = lab.view("agreement-study", json!({"data": data}));
    assert_eq!((&found["parts"], &found["appraisers"]["Ann"]["verdict"]), (&json!(20), &json!("acceptable")));
    assert_eq!(found["appraisers"]["Bob"]["miss_rate"], json!(0.1));
    let mut data = String::new();
    for part in 1..=5 {
        for appraiser in ["A", "B"] {
            for trial in 1..=2 {
                data.push_str(&format!("P{part};{appraiser};{trial};{part}.0{trial}\n"));
            }
        }
    }
    let found = lab.view("gage-study", json!({"data": data}));
    assert!(found["percent_gage"].as_f64().unwrap() < 10.0, "{found}");
    let view = SYSTEM.view("gage-study").unwrap();
    let asked = Asked::read(json!({"data": "1,2"}).as_object().cloned().unwrap(), view.fields).unwrap();
    let refused = plimsoll_engine::alias::ask(&mut lab.session, view, &asked).unwrap_err();
    assert!(refused.message.contains("line 1 has 2 cells, not 4"), "{}", refused.message);
}
