//! Flags over the API: reading, changing, explaining.

use serde_json::json;

use crate::support::Served;

#[test]
fn a_flag_is_created_changed_explained_and_its_history_told() {
    let served = Served::open();
    let created = served.post("/api/v1/flags", &json!({ "name": "new-checkout", "reason": "the pilot" }));
    assert_eq!(created.status, 200, "{created:?}");
    let created = created.json();
    assert_eq!(
        (&created["kind"], &created["after"]["flag"]["name"]),
        (&json!("flag.created"), &json!("new-checkout"))
    );
    assert!(created["undo"].as_str().unwrap().starts_with("plimsoll flag delete"));

    let set = served
        .post("/api/v1/flags/new-checkout/set", &json!({ "percent": 10, "reason": "start small" }))
        .json();
    assert_eq!(
        (&set["after"]["flag"]["state"], &set["after"]["flag"]["rollout"]["percent"]),
        (&json!("on"), &json!(10))
    );
    assert_eq!(set["undo"], json!("plimsoll flag set new-checkout --to-version 1 --reason .."));

    let body = json!({ "keys": ["17"], "reason": "asked for it" });
    assert_eq!(served.post("/api/v1/flags/new-checkout/allow", &body).status, 200);
    assert_eq!(served.evaluate("new-checkout", "17").json()["value"], json!(true));
    assert_eq!(served.post("/api/v1/flags/new-checkout/deny", &body).status, 200);
    assert_eq!(served.evaluate("new-checkout", "17").json()["value"], json!(false), "deny beats allow");

    let question = json!({ "context": { "targetingKey": "17" } });
    let told = served.post("/api/v1/flags/new-checkout/explain", &question).json();
    assert_eq!(told["evaluation"]["on"], json!(false));
    assert!(told["sentence"].as_str().unwrap().contains("deny list"), "{told}");

    let history = served.get("/api/v1/flags/new-checkout/history").json();
    let kinds: Vec<_> = history.as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(
        kinds,
        [json!("flag.created"), json!("flag.changed"), json!("flag.allowed"), json!("flag.denied")]
    );
    assert_eq!(history[1]["reason"], json!("start small"));
    assert_eq!(history[1]["actor"], json!("local"));
    assert_eq!(served.get("/api/v1/flags").json()["items"][0]["version"], json!(4));
    assert_eq!(served.get("/api/v1/flags/new-checkout").json()["version"], json!(4));
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let served = Served::open();
    served.create("a", json!({ "state": "on" }));
    for (path, body, status, code) in [
        ("/api/v1/flags", json!({ "name": "b" }), 400, "usage"),
        ("/api/v1/flags", json!({ "name": "a", "reason": "again" }), 400, "usage"),
        ("/api/v1/flags/none/kill", json!({ "reason": "r" }), 400, "usage"),
        (
            "/api/v1/flags/a/set",
            json!({ "definition": { "no-such-member": 1 }, "reason": "r" }),
            400,
            "usage",
        ),
        ("/api/v1/flags/a/set", json!({ "percent": 101, "reason": "r" }), 400, "usage"),
        ("/api/v1/flags/a/kill", json!({ "reason": "" }), 400, "usage"),
    ] {
        let refused = served.post(path, &body);
        assert_eq!((refused.status, &*refused.code()), (status, code), "{path} {body}: {refused:?}");
    }
    let refused = served.post_with("/api/v1/flags/a/kill", "{}", &[("content-type", "text/plain")]);
    assert_eq!((refused.status, &*refused.code()), (415, "unsupported_media_type"));
    let origin = [("origin", "http://evil.example")];
    let refused = served.post_with("/api/v1/flags/a/kill", "{\"reason\":\"r\"}", &origin);
    assert_eq!((refused.status, &*refused.code()), (403, "forbidden"));
    assert_eq!(served.get("/api/v1/flags/a").json()["version"], json!(1), "nothing was written");
    assert_eq!(served.get("/api/v1/flags/none").status, 404);
}

#[test]
fn a_dry_run_says_what_would_happen_and_does_nothing() {
    let served = Served::open();
    served.create("a", json!({ "state": "on" }));
    let dry = served.post("/api/v1/flags/a/kill", &json!({ "reason": "r", "dry_run": true })).json();
    assert_eq!((&dry["dry_run"], &dry["after"]["flag"]["state"]), (&json!(true), &json!("killed")));
    assert!(dry["arrival"].is_null() && dry["undo"].is_null(), "{dry}");
    assert_eq!(served.evaluate("a", "1").json()["value"], json!(true));
}

#[test]
fn what_was_killed_comes_back_by_an_explicit_word_only() {
    let served = Served::open();
    served.create("a", json!({ "state": "on" }));
    assert_eq!(served.post("/api/v1/flags/a/kill", &json!({ "reason": "smoke" })).status, 200);
    let refused = served.post("/api/v1/flags/a/set", &json!({ "percent": 10, "reason": "again" }));
    assert_eq!((refused.status, &*refused.code()), (409, "refused"));
    let back = json!({ "definition": { "state": "on" }, "reason": "mended" });
    assert_eq!(served.post("/api/v1/flags/a/set", &back).status, 200);
    assert_eq!(served.evaluate("a", "1").json()["value"], json!(true));
}
