//! Live events, and figures for Prometheus.

use serde_json::{Value as Json, json};

use super::Place;

#[test]
fn events_of_another_process_arrive_and_a_stream_goes_on_where_it_stopped() {
    Place::each(|place| {
        let mut stream = place.web.follow("/api/v1/systems/pfa/events", None);
        // The command is another process; it knows nothing of the server.
        place.home.expect(0, &["edit", "pfa", "DEMO01-000030", "model=Demo event", "--commit"]);
        let changed = stream.until("changed");
        assert_eq!(
            (&changed["key"], &changed["detail"]["fields"]),
            (&json!("DEMO01-000030"), &json!(["model"]))
        );
        assert_eq!(changed["actor"], "tester");
        let queued = stream.until("queued");
        assert_eq!(queued["key"], "DEMO01-000030");
        drop(stream);

        // Nobody listens meanwhile; what is missed comes later, and what was told does not come first again.
        place.elsewhere("DEMO01-000031", "Demo elsewhere");
        place.home.expect(0, &["sync", "pfa", "--rate", "0"]);
        let mut resumed = place.web.follow("/api/v1/systems/pfa/events", queued["id"].as_str());
        let mut seen: Vec<Json> = Vec::new();
        while !seen.iter().any(|event| event["kind"] == "arrived") {
            seen.push(resumed.next());
        }
        let ids: std::collections::BTreeSet<&str> =
            seen.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), seen.len(), "{seen:?}");
        assert!(!ids.contains(queued["id"].as_str().unwrap()), "{seen:?}");
        let has =
            |kind: &str, key: &Json| seen.iter().any(|event| event["kind"] == kind && event["key"] == *key);
        assert!(has("changed", &json!("DEMO01-000031")), "{seen:?}");
        assert!(has("sent", &json!("DEMO01-000030")) && has("pulled", &Json::Null), "{seen:?}");

        // A conflict and its decision.
        place.home.expect(0, &["edit", "pfa", "DEMO01-000032", "model=Mine", "--commit"]);
        place.elsewhere("DEMO01-000032", "Theirs");
        place.home.expect(3, &["sync", "pfa", "--rate", "0"]);
        assert_eq!(resumed.until("conflict")["key"], "DEMO01-000032");
        place.post("conflicts/DEMO01-000032/resolve", &json!({ "take": "theirs" }));
        assert_eq!(resumed.until("conflict_closed")["key"], "DEMO01-000032");
        assert_eq!(resumed.until("decided")["key"], "DEMO01-000032");
        let wrong = place.ask("GET", "events?last_event_id=nonsense", None);
        assert_eq!((wrong.status, wrong.code().as_str()), (400, "usage"), "{wrong:?}");
    });
}

#[test]
fn figures_say_what_waits_and_what_was_sent() {
    Place::each(|place| {
        let figure = |name: &str| place.figure(name);
        let of = |name: &str| figure(&format!("plimsoll_sync_{name}{{link=\"pfa\"}}"));
        let with = |name: &str, label: &str, value: &str| {
            figure(&format!("plimsoll_sync_{name}{{link=\"pfa\",{label}=\"{value}\"}}"))
        };
        assert_eq!((of("lag_seconds"), of("due_records"), of("writes_total")), (0.0, 0.0, 0.0));
        assert_eq!(
            (with("pulls_total", "outcome", "done"), with("pulled_rows_total", "outcome", "seen")),
            (1.0, 80.0)
        );
        assert!(of("last_pull_timestamp_seconds") > 1.7e9);
        // The pull that made the home had no limit, so that there is no rate to tell.
        let breaker = ["closed", "half_open", "open"].map(|state| with("breaker", "state", state));
        assert_eq!(breaker, [1.0, 0.0, 0.0]);
        for key in ["DEMO01-000050", "DEMO01-000051"] {
            place.put(
                &format!("records/{key}/draft"),
                &json!({ "fields": { "model": "Demo" }, "commit": true }),
            );
        }
        place.put("records/DEMO01-000052/draft", &json!({ "fields": { "model": "Demo" } }));
        place.elsewhere("DEMO01-000051", "Theirs");
        assert_eq!((of("due_records"), with("open_edits", "state", "draft")), (2.0, 1.0));
        assert!(of("lag_seconds") > 0.0);
        place.post("sync", &json!({ "wait_ms": 20_000 }));
        assert_eq!((of("lag_seconds"), of("due_records"), of("open_conflicts")), (0.0, 0.0, 1.0));
        assert_eq!((with("write_outcomes_total", "outcome", "applied"), of("writes_total")), (1.0, 1.0));
        assert_eq!(
            (with("open_edits", "state", "conflict"), with("pulls_total", "outcome", "done")),
            (1.0, 2.0)
        );
    });
}

#[test]
fn an_edit_is_followed_to_the_remote_without_asking() {
    Place::each(|place| {
        let key = "DEMO01-000033";
        let mut stream = place.web.follow("/api/v1/systems/pfa/events", None);
        let body = json!({ "fields": { "model": "Demo followed" }, "commit": true });
        place.put(&format!("records/{key}/draft"), &body);
        place.post("sync", &json!({ "pull": false, "wait_ms": 20_000 }));
        let mut states: Vec<Json> = Vec::new();
        let mut ids: Vec<Json> = Vec::new();
        while states.last() != Some(&json!("synced")) {
            let event = stream.next();
            assert_eq!(event["key"], key, "{event}");
            ids.push(event["id"].clone());
            states.extend(Some(event["state"].clone()).filter(|state| !state.is_null()));
        }
        assert_eq!(states, ["queued", "syncing", "synced"]);
        drop(stream);

        // From every place in the stream the rest comes, in the same order, and nothing else.
        for (at, last) in ids.iter().enumerate() {
            let mut resumed = place.web.follow("/api/v1/systems/pfa/events", last.as_str());
            let mut rest: Vec<Json> = Vec::new();
            while !ids[at + 1..].iter().all(|id| rest.contains(id)) {
                rest.push(resumed.next()["id"].clone());
            }
            rest.retain(|id| ids[at + 1..].contains(id));
            assert_eq!(rest, ids[at + 1..], "behind {last}");
        }
    });
}
