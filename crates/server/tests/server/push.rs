//! Events pushed to those who follow the flags, and their acknowledgements.

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use plimsoll_engine::flag::{How, change};
use serde_json::{Value, json};

use crate::support::Served;

/// One event as it arrived.
#[derive(Debug, Clone, PartialEq)]
struct Arrived {
    id: String,
    event: String,
    data: Value,
}

/// Follows the flags on a thread of its own.
fn follow(served: &Served, query: &str, headers: &[(&str, &str)]) -> Receiver<Arrived> {
    let mut request = ureq::get(served.url(&format!("/ofrep/v1/events{query}")));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.call().unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut arrived = Arrived { id: String::new(), event: String::new(), data: Value::Null };
        for line in BufReader::new(response.into_body().into_reader()).lines().map_while(Result::ok) {
            match line.split_once(':').map(|(name, value)| (name, value.trim_start())) {
                Some(("id", value)) => arrived.id = value.to_owned(),
                Some(("event", value)) => arrived.event = value.to_owned(),
                Some(("data", value)) => arrived.data = serde_json::from_str(value).unwrap(),
                _ if line.is_empty() && !arrived.data.is_null() => {
                    if send.send(arrived.clone()).is_err() {
                        return;
                    }
                    arrived.data = Value::Null;
                }
                _ => {}
            }
        }
    });
    receive
}

fn next(events: &Receiver<Arrived>) -> Arrived {
    events.recv_timeout(Duration::from_secs(10)).expect("an event")
}

/// A client that acknowledges: its id and its events.
fn acknowledging(served: &Served, name: &str) -> (String, Receiver<Arrived>) {
    let events = follow(served, &format!("?client={name}&acknowledge=true"), &[]);
    let welcome = next(&events);
    assert_eq!((&*welcome.event, &welcome.data["type"]), ("plimsoll", &json!("welcome")));
    (welcome.data["client"].as_str().unwrap().to_owned(), events)
}

fn acknowledge(served: &Served, client: &str, version: u64) -> u16 {
    served.post(&format!("/api/v1/flag-clients/{client}/acknowledge"), &json!({ "version": version })).status
}

#[test]
fn a_change_is_announced_and_whoever_missed_some_gets_them() {
    let served = Served::open();
    served.create("a", json!({ "state": "on" }));
    let events = follow(&served, "", &[]);
    served.kill("a");
    let arrived = next(&events);
    assert_eq!((&*arrived.event, &arrived.data["type"]), ("message", &json!("refetchEvaluation")));
    assert!(
        arrived.data["etag"].is_string() && arrived.data["lastModified"].as_i64().unwrap() > 1_700_000_000
    );

    for name in ["b", "c"] {
        served.create(name, json!({}));
    }
    let again = follow(&served, "", &[("last-event-id", &arrived.id)]);
    let ids: Vec<u64> = [next(&again), next(&again)].iter().map(|event| event.id.parse().unwrap()).collect();
    let last: u64 = arrived.id.parse().unwrap();
    assert_eq!(ids, [last + 1, last + 2]);
    let by_query = follow(&served, &format!("?last_event_id={}", last + 1), &[]);
    assert_eq!(next(&by_query).id, (last + 2).to_string());
}

#[test]
fn a_change_by_another_process_arrives_too() {
    let served = Served::open();
    served.create("a", json!({ "state": "on" }));
    let events = follow(&served, "", &[]);
    // Straight into the control store, as the command does it.
    let mut session = served.control();
    let changed = change::kill(&mut session, "a", &How::because("from elsewhere")).unwrap();
    assert_eq!(next(&events).id, changed.version.to_string());
    assert_eq!(served.evaluate("a", "1").json()["value"], json!(false));
    let arrival = served.get(&format!("/api/v1/flag-versions/{}/arrival?wait_ms=0", changed.version)).json();
    assert_eq!((&arrival["clients"], &arrival["acknowledged"]), (&json!(1), &json!(0)));
    assert_eq!(arrival["silent"][0]["why"], json!("does not acknowledge"));
    assert_eq!(served.get("/api/v1/flag-versions/999/arrival?wait_ms=0").status, 404);
}

#[test]
fn a_kill_tells_who_is_off_after_how_long_and_names_the_others() {
    let served = Served::open();
    served.create("a", json!({ "state": "on" }));
    let clients: Vec<_> = (0..5).map(|n| acknowledging(&served, &format!("app-{n}"))).collect();
    let silent = acknowledging(&served, "deaf");
    let mute = follow(&served, "?client=mute", &[]);
    let listed = served.get("/api/v1/flag-clients").json();
    assert_eq!(listed.as_array().unwrap().len(), 7);

    let killed = std::thread::scope(|scope| {
        for (client, events) in clients {
            let served = &served;
            scope.spawn(move || {
                let version = next(&events).id.parse().unwrap();
                assert_eq!(acknowledge(served, &client, version), 200);
            });
        }
        served.post("/api/v1/flags/a/kill?wait_ms=400", &json!({ "reason": "smoke" })).json()
    });
    let arrival = &killed["arrival"];
    assert_eq!((&arrival["clients"], &arrival["acknowledged"]), (&json!(7), &json!(5)), "{killed}");
    let after = arrival["after_ms"].as_f64().unwrap();
    assert!(after > 0.0 && after < 400.0, "{arrival}");
    assert_eq!(arrival["slowest"]["ms"], arrival["after_ms"]);
    assert!(arrival["slowest"]["name"].as_str().unwrap().starts_with("app-"));
    let named: Vec<_> =
        arrival["silent"].as_array().unwrap().iter().map(|s| (&s["name"], &s["why"])).collect();
    assert_eq!(named, [(&json!("deaf"), &json!("late")), (&json!("mute"), &json!("does not acknowledge"))]);
    drop((silent, mute));
}

#[test]
fn an_acknowledgement_of_what_is_not_there_is_refused() {
    let served = Served::open();
    served.create("a", json!({}));
    let (client, _events) = acknowledging(&served, "app");
    assert_eq!(acknowledge(&served, &client, 99), 400, "a version of the future");
    assert_eq!(acknowledge(&served, "client-99", 1), 404);
    assert_eq!(acknowledge(&served, &client, 1), 200);
}

#[test]
fn streams_end_with_the_server_and_not_before() {
    let mut served = Served::open();
    served.create("a", json!({}));
    let (_, events) = acknowledging(&served, "app");
    served.end();
    assert!(events.recv_timeout(Duration::from_secs(10)).is_err(), "the stream has ended");
}

#[test]
fn a_full_house_says_so() {
    let served = Served::with(|settings| settings.limits.event_clients = 1);
    let _first = follow(&served, "", &[]);
    let refused = served.get("/ofrep/v1/events");
    assert_eq!((refused.status, refused.header("retry-after"), &*refused.code()), (503, "1", "busy"));
}
