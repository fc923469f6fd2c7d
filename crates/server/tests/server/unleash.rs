//! The feed of Unleash's clients.

use serde_json::json;

use crate::support::Served;

#[test]
fn features_are_fed_with_a_tag() {
    let served = Served::open();
    served.create("a", json!({ "state": "on", "rollout": { "percent": 30, "salt": "a" } }));
    let answered = served.get("/api/client/features");
    let body = answered.json();
    assert_eq!((&body["version"], &body["features"][0]["name"]), (&json!(2), &json!("a")));
    assert_eq!(body["features"][0]["enabled"], json!(true));
    let tag = answered.header("etag").to_owned();
    assert_eq!(served.get_with("/api/client/features", &[("if-none-match", &tag)]).status, 304);
    served.kill("a");
    let changed = served.get_with("/api/client/features", &[("if-none-match", &tag)]);
    assert_eq!((changed.status, &changed.json()["features"][0]["enabled"]), (200, &json!(false)));
}

#[test]
fn registrations_and_counts_are_taken() {
    let served = Served::open();
    served.create("a", json!({ "state": "on" }));
    let registration = json!({
        "appName": "shop", "instanceId": "i-1", "sdkVersion": "unleash-client-node:6.12.1",
        "strategies": ["default", "flexibleRollout"], "started": "2026-11-28T12:00:00Z", "interval": 10_000,
        "platformName": "node", "anything": { "else": true },
    });
    assert_eq!(served.post("/api/client/register", &registration).status, 202);
    let counts = json!({
        "appName": "shop", "instanceId": "i-1",
        "bucket": {
            "start": "2026-11-28T12:00:00Z", "stop": "2026-11-28T12:01:00Z",
            "toggles": { "a": { "yes": 7, "no": 3, "variants": {} }, "not-ours": { "yes": 1, "no": 0 } },
        },
    });
    assert_eq!(served.post("/api/client/metrics", &counts).status, 202);
    let figures = served.get("/metrics").text;
    for line in [
        "plimsoll_server_client_evaluations_total{flag=\"a\",answer=\"on\"} 7",
        "plimsoll_server_client_evaluations_total{flag=\"a\",answer=\"off\"} 3",
    ] {
        assert!(figures.lines().any(|found| found == line), "{line}\n{figures}");
    }
    assert!(!figures.contains("not-ours"), "a name that a client made up makes no series");
    assert_eq!(served.post("/api/client/register", &json!([])).status, 400);
}
