//! A pilot over HTTP: the real server on real databases, from the selection to a certificate and a repair.

use serde_json::{Value as Json, json};

use crate::pilot::{homes, legacy, open_gate};
use crate::support::home::Home;
use crate::support::web::{Answered, Web};

const PILOT: &str = "/api/v1/systems/luckygas/pilot";

fn get(web: &Web, path: &str) -> Answered {
    web.ask("GET", path, &[], None)
}

/// A request that must be answered with 200.
fn ok(web: &Web, path: &str, body: &Json) -> Json {
    let answered = web.ask("POST", path, &[], Some(("application/json", &body.to_string())));
    assert_eq!(answered.status, 200, "{path} {body}: {answered:?}");
    answered.json()
}

fn refused(web: &Web, path: &str, body: &Json) -> (u16, String) {
    let answered = web.ask("POST", path, &[], Some(("application/json", &body.to_string())));
    (answered.status, answered.code())
}

/// What the stages ask, in a test.
fn stages() -> Json {
    json!({ "shadow_reads": 3, "canary_reads": 3, "soak_ms": 0 })
}

/// Runs until nothing is left to do by itself.
fn run(web: &Web) {
    for _ in 0..10 {
        let body = json!({ "stages": stages(), "wait_ms": 20_000 });
        if ok(web, &format!("{PILOT}/run"), &body)["finished"] == true {
            return;
        }
    }
    panic!("the pilot does not come to rest");
}

fn stage(web: &Web, code: &str) -> String {
    let found = get(web, &format!("{PILOT}/members/{code}")).json();
    found["members"][0]["stage"].as_str().unwrap().to_owned()
}

fn facts(home: &Home) {
    let file = home.file("facts.json").display().to_string();
    home.expect(0, &["pilot", "report", "--facts", &file]);
    home.expect(0, &["gate", "facts", "record", "stage", &file]);
}

#[test]
fn lg_09_a_pilot_is_driven_over_http() {
    for home in homes("100", "300", "0") {
        open_gate(&home);
        let web = Web::at(&home);
        assert_eq!(get(&web, &format!("{PILOT}/members")).json()["total"], 0);
        // Who only looks sets nothing up on the legacy side, which belongs to another program.
        let tables = |home: &Home| {
            let sql = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'plimsoll_pilot%' OR name LIKE 'plimsoll_parity%'";
            legacy(home).query(sql, &[]).unwrap()
        };
        let before = tables(&home);
        for what in ["", "/parity", "/answers/orders", "/certificate"] {
            assert_eq!(get(&web, &format!("{PILOT}/members/D0000001{what}")).status, 404, "{what}");
        }
        assert_eq!(tables(&home), before);
        assert_eq!(get(&web, "/api/v1/systems/hearings/pilot").status, 404);

        let selections = format!("{PILOT}/selections");
        let tried = ok(&web, &selections, &json!({ "percent": 5, "dry_run": true }));
        assert_eq!((tried["members"].as_array().unwrap().len(), &tried["number"]), (5, &Json::Null));
        assert_eq!(refused(&web, &selections, &json!({ "percent": 5 })), (400, "usage".into()), "no reason");
        let both = json!({ "percent": 5, "count": 5, "reason": "test" });
        assert_eq!(refused(&web, &selections, &both), (400, "usage".into()));
        let made =
            ok(&web, &selections, &json!({ "count": 3, "reason": "test", "refused_marks": ["inactive"] }));
        assert_eq!(made["members"].as_array().unwrap().len(), 3);
        let code = made["members"][0].as_str().unwrap().to_owned();
        let why = get(&web, &format!("{selections}/latest/customers/{code}")).json();
        assert_eq!(why[0]["is_in"], true);
        let csv = get(&web, &format!("{selections}/1/export"));
        assert_eq!((csv.header("content-type"), csv.text.lines().count()), ("text/csv; charset=utf-8", 101));

        let enrol = format!("{PILOT}/enrol");
        let tried = ok(&web, &enrol, &json!({ "dry_run": true }));
        assert_eq!(tried["would_enrol"].as_array().unwrap().len(), 3);
        let other = json!({ "customers": ["NOBODY"], "reason": "test" });
        assert_eq!(refused(&web, &enrol, &other), (400, "usage".into()));
        let told = ok(&web, &enrol, &json!({ "customers": [code], "reason": "test" }));
        assert_eq!((&told["enrolled"], &told["flag"]), (&json!([code]), &"pilot_program".into()));
        // The command sees the same members, and so does the flag.
        let status = home.expect(0, &["pilot", "status", "--json"]).json();
        assert_eq!(status["members"][0]["customer"], code.as_str());
        let asked = json!({ "context": { "customerId": code } });
        let explained = ok(&web, "/api/v1/flags/pilot_program/explain", &asked);
        assert_eq!(explained["evaluation"]["on"], true, "{explained}");

        let tried = ok(&web, &format!("{PILOT}/start"), &json!({ "reason": "test", "dry_run": true }));
        assert_eq!((&tried["moved"], &tried["undo"]), (&json!([code]), &Json::Null));
        assert_eq!(stage(&web, &code), "waiting");
        ok(&web, &format!("{PILOT}/start"), &json!({ "reason": "test" }));
        let waiting = ok(&web, &format!("{PILOT}/run"), &json!({ "dry_run": true }));
        assert_eq!(waiting["orders"][0]["customer"], code.as_str());
        run(&web);
        assert_eq!(stage(&web, &code), "verify");
        let advance = json!({ "gate": "test/stage", "reason": "test", "stages": stages() });
        let to = format!("{PILOT}/advance");
        assert_eq!(refused(&web, &to, &advance), (409, "refused".into()), "the gate has no evidence yet");
        facts(&home);
        for after in ["shadow_reads", "canary", "soak"] {
            let moved = ok(&web, &to, &advance);
            assert_eq!(moved["gate"]["verdict"], "GO", "{moved}");
            run(&web);
            assert_eq!(stage(&web, &code), after);
        }
        let member = format!("{PILOT}/members/{code}");
        assert_eq!(get(&web, &format!("{member}/answers/orders")).json()["shown_from"], "new");
        assert_eq!(ok(&web, &format!("{member}/sync"), &json!({}))["parity"]["differing"], 0);
        assert_eq!(get(&web, &format!("{member}/certificate")).status, 404);
        let overview = get(&web, PILOT).json();
        assert_eq!(overview["report"]["stages"], json!({ "soak": 1 }));
        let metrics = get(&web, "/metrics").text;
        for line in [
            "plimsoll_pilot_members{system=\"luckygas\",stage=\"soak\"} 1",
            "plimsoll_pilot_writers{system=\"luckygas\",writer=\"new\"} 1",
            "plimsoll_pilot_events_total{system=\"luckygas\",kind=\"enrol\"} 1",
        ] {
            assert!(metrics.contains(line), "{line}\n{metrics}");
        }

        let back = ok(&web, &format!("{PILOT}/rollback"), &json!({ "customer": code, "reason": "test" }));
        assert_eq!(back["undo"], format!("plimsoll pilot start --customer {code} --reason TEXT"));
        run(&web);
        assert_eq!(stage(&web, &code), "rolled_back");
        let certified = get(&web, &format!("{member}/certificate")).json();
        assert!(certified["markdown"].as_str().unwrap().contains(&code), "{certified}");
        assert_eq!(get(&web, "/metrics").text.matches("plimsoll_pilot_certificates_total{").count(), 1);
        assert_eq!(
            refused(&web, &format!("{PILOT}/fly"), &json!({ "reason": "test" })),
            (404, "not_found".into())
        );
    }
}

#[test]
fn lg_22_parity_is_compared_and_repaired_over_http() {
    for home in homes("100", "200", "0") {
        home.expect(0, &["pilot", "select", "--count", "1", "--reason", "test"]);
        let web = Web::at(&home);
        let parity = "/api/v1/systems/luckygas/parity";
        let found = ok(&web, parity, &json!({ "shown": 2 }));
        let before = found["differing"].as_u64().unwrap();
        assert!(before > 0 && found["built"].is_object(), "{found}");
        assert!(found["entities"][0]["shown"].as_array().unwrap().len() <= 2);
        let repair = format!("{parity}/repair");
        let tried = ok(&web, &repair, &json!({ "target": "new", "dry_run": true }));
        assert_eq!((&tried["next"], &tried["dry_run"]), (&Json::Null, &true.into()));
        let planned = ok(&web, &repair, &json!({ "target": "new", "reason": "test", "max_deletes": 1000 }));
        let apply: Vec<String> =
            planned["next"].as_str().unwrap().split(' ').skip(1).map(str::to_owned).collect();
        // Rows that the new side has alone and that others refer to stay, and are told.
        home.expect(3, &apply.iter().map(String::as_str).collect::<Vec<_>>());
        let left = ok(&web, parity, &json!({}))["differing"].as_u64().unwrap();
        assert!(left < before / 10, "{left} of {before}");
        // A write behind everybody's back is found by what changed.
        legacy(&home).execute("UPDATE clients SET area = NULL WHERE id = 7", &[]).unwrap();
        let found = ok(&web, parity, &json!({}));
        assert_eq!((&found["differing"], &found["built"]), (&(left + 1).into(), &Json::Null), "{found}");
    }
}
