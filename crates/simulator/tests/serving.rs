//! The simulated API over real HTTP: lists, items, parameters, errors, and starting and stopping.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod support;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::Duration;

use plimsoll_simulator::congress::{
    Corpus, Faults, RequestBudget, Running, Scenario, ServeOptions, generate, serve, serve_with,
};
use support::{Client, any_port};

fn served(corpus: &Corpus) -> (Running, Client) {
    let running = serve(Scenario::unchanged(corpus, 5), Faults::none(), any_port()).unwrap();
    let client = Client::new(running.socket());
    (running, client)
}

#[test]
fn pages_of_every_size_cover_the_list_exactly_once() {
    let corpus = generate::corpus(523, 5);
    let (_running, mut client) = served(&corpus);
    for limit in [1, 7, 20, 250] {
        let (entries, readings) = client.list("/v3/committee-meeting", "", limit);
        assert_eq!((entries.len(), readings), (523, 1), "limit {limit}");
    }
    // Without faults no entry comes twice: the pages add up to the count.
    let mut seen = 0;
    for offset in (0..523).step_by(20) {
        let page = client.get(&format!("/v3/committee-meeting?offset={offset}")).unwrap().json();
        assert_eq!(page["pagination"]["count"], 523);
        seen += page["committeeMeetings"].as_array().unwrap().len();
    }
    assert_eq!(seen, 523);
}

#[test]
fn next_and_prev_lead_through_the_list_and_back() {
    let corpus = generate::corpus(95, 5);
    let (running, mut client) = served(&corpus);
    let mut target = "/v3/committee-meeting/119/house?limit=10&fromDateTime=2025-01-01T00:00:00Z".to_owned();
    let mut pages = 0;
    let mut seen = BTreeSet::new();
    loop {
        let page = client.get(&target).unwrap().json();
        pages += 1;
        for entry in page["committeeMeetings"].as_array().unwrap() {
            assert_eq!(entry["chamber"], "House");
            seen.insert(entry["eventId"].to_string());
        }
        assert_eq!(page["pagination"].get("prev").is_some(), pages > 1);
        let Some(next) = page["pagination"]["next"].as_str() else { break };
        target = next.strip_prefix(running.address()).unwrap().to_owned();
        assert!(target.contains("fromDateTime=2025-01-01T00:00:00Z"), "{target}");
    }
    assert_eq!((pages, seen.len()), (5, 48));
}

#[test]
fn lists_are_filtered_by_congress_chamber_and_update_date() {
    let corpus = generate::corpus(300, 5);
    let (_running, mut client) = served(&corpus);
    let count = |client: &mut Client, path: &str, filters: &str| client.list(path, filters, 50).0.len();
    assert_eq!(count(&mut client, "/committee-meeting/119", ""), 300);
    assert_eq!(count(&mut client, "/v3/committee-meeting/118", ""), 0);
    assert_eq!(count(&mut client, "/v3/committee-meeting/119/senate", ""), 150);
    assert_eq!(count(&mut client, "/v3/committee-meeting/119/nochamber", ""), 0);
    let mut dates: Vec<&str> =
        corpus.meetings.iter().filter_map(|meeting| meeting.update_date.as_deref()).collect();
    dates.sort_unstable();
    let window = format!("&fromDateTime={}&toDateTime={}", dates[100], dates[199]);
    assert_eq!(count(&mut client, "/v3/committee-meeting", &window), 100);
    assert_eq!(count(&mut client, "/v3/committee-meeting", &window.replace(':', "%3A")), 100);

    let first = client.get("/v3/committee-meeting?limit=250").unwrap().json();
    let listed = first["committeeMeetings"].as_array().unwrap();
    assert!(
        listed.is_sorted_by_key(|entry| std::cmp::Reverse(entry["updateDate"].as_str().unwrap().to_owned()))
    );
}

#[test]
fn limits_have_the_defaults_and_bounds_of_the_api() {
    let corpus = generate::corpus(300, 5);
    let (_running, mut client) = served(&corpus);
    for (parameters, expected) in
        [("", 20), ("?limit=5", 5), ("?limit=1000", 250), ("?offset=295", 5), ("?offset=300", 0)]
    {
        let page = client.get(&format!("/v3/committee-meeting{parameters}")).unwrap().json();
        assert_eq!(page["committeeMeetings"].as_array().unwrap().len(), expected, "{parameters}");
    }
    for parameters in ["limit=x", "offset=-1", "format=xml", "fromDateTime=yesterday"] {
        let answer = client.get(&format!("/v3/committee-meeting?{parameters}")).unwrap();
        assert_eq!(answer.status, 400, "{parameters}");
        assert!(answer.json()["error"].is_string());
    }
}

#[test]
fn an_item_is_found_under_the_address_its_entry_states_and_only_there() {
    let corpus = generate::corpus(40, 5);
    let (running, mut client) = served(&corpus);
    let (entries, _) = client.list("/v3/committee-meeting", "", 250);
    for (event_id, entry) in &entries {
        let answer = client.item(entry);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        let body = answer.json();
        assert_eq!(body["committeeMeeting"]["eventId"], event_id.as_str());
        assert_eq!(body["request"]["eventId"], event_id.as_str());
        let url = entry["url"].as_str().unwrap();
        assert!(url.starts_with("https://api.congress.gov/v3/committee-meeting/119/"), "{url}");
        assert!(url.ends_with(&format!("/{event_id}?format=json")), "{url}");
    }
    let house = corpus.meetings[0].event_id.as_str();
    for path in [
        format!("/v3/committee-meeting/119/senate/{house}"),
        format!("/v3/committee-meeting/118/house/{house}"),
        "/v3/committee-meeting/119/house/1".to_owned(),
        "/v3/bill/119".to_owned(),
    ] {
        let answer = client.get(&path).unwrap();
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(running.stats().items, 40);
    assert_eq!(running.stats().not_answered, 4);
}

#[test]
fn a_required_key_is_asked_for_in_the_gateways_words() {
    let options = ServeOptions { require_key: Some("sesame".to_owned()), ..ServeOptions::at(any_port()) };
    let running = serve_with(Scenario::unchanged(&generate::corpus(3, 1), 1), options).unwrap();
    let mut client = Client::new(running.socket());
    for (parameters, code) in [("", "API_KEY_MISSING"), ("?api_key=open", "API_KEY_INVALID")] {
        let answer = client.get(&format!("/v3/committee-meeting{parameters}")).unwrap();
        assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (403, Some(code)));
    }
    assert_eq!(client.get("/v3/committee-meeting?api_key=sesame").unwrap().status, 200);
    assert_eq!(client.get_with("/v3/committee-meeting", "X-Api-Key: sesame\r\n").unwrap().status, 200);
    let page = client.get("/v3/committee-meeting?api_key=sesame&limit=1").unwrap().json();
    assert!(!page["pagination"]["next"].as_str().unwrap().contains("sesame"));
    assert_eq!(running.stats().refused_keys, 2);
}

#[test]
fn a_budget_refuses_the_request_too_many_until_its_window_ends() {
    let budget = RequestBudget { requests: 3, window: Duration::from_millis(900) };
    let options = ServeOptions { budget: Some(budget), ..ServeOptions::at(any_port()) };
    let running = serve_with(Scenario::unchanged(&generate::corpus(3, 1), 1), options).unwrap();
    let mut client = Client::new(running.socket());
    for left in ["2", "1", "0"] {
        let answer = client.get("/v3/committee-meeting").unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(
            (answer.headers["x-ratelimit-limit"].as_str(), answer.headers["x-ratelimit-remaining"].as_str()),
            ("3", left)
        );
    }
    let refused = client.get("/v3/committee-meeting").unwrap();
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (429, "1"));
    assert_eq!(refused.json()["error"]["code"], "OVER_RATE_LIMIT");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(client.get("/v3/committee-meeting").unwrap().status, 200);
    assert_eq!(running.stats().over_budget, 1);
}

#[test]
fn without_a_budget_the_headers_never_tell_a_client_to_stop() {
    let (_running, mut client) = served(&generate::corpus(3, 1));
    let mut lowest = u32::MAX;
    for _ in 0..5_200 {
        let answer = client.get("/v3/committee-meeting?limit=1").unwrap();
        assert_eq!(answer.headers["x-ratelimit-limit"], "5000");
        lowest = lowest.min(answer.headers["x-ratelimit-remaining"].parse().unwrap());
    }
    assert_eq!(lowest, 1);
}

#[test]
fn manifest_and_stats_are_readable_over_http() {
    let (running, mut client) = served(&generate::corpus(30, 1));
    client.list("/v3/committee-meeting", "", 10);
    let manifest = client.get("/_simulator/manifest").unwrap().json();
    assert_eq!(manifest, serde_json::to_value(running.manifest()).unwrap());
    assert_eq!(manifest["address"], running.address());
    assert_eq!(manifest["hearings"], 30);
    let stats = client.get("/_simulator/stats").unwrap().json();
    assert_eq!(stats, serde_json::to_value(running.stats()).unwrap());
    assert_eq!((stats["requests"].as_u64(), stats["list_pages"].as_u64()), (Some(3), Some(3)));
}

#[test]
fn shutting_down_closes_the_port_and_open_connections() {
    let (running, mut client) = served(&generate::corpus(3, 1));
    let socket = running.socket();
    assert_eq!(client.get("/v3/committee-meeting").unwrap().status, 200);
    running.shutdown().unwrap();
    assert!(client.get("/v3/committee-meeting").is_err());
    assert!(TcpStream::connect(socket).is_err());
    // The same port can be taken again at once, as a restarted drill does.
    let again = serve(Scenario::unchanged(&generate::corpus(3, 1), 1), Faults::none(), socket).unwrap();
    let error = serve(Scenario::unchanged(&generate::corpus(3, 1), 1), Faults::none(), socket).unwrap_err();
    assert!(error.to_string().contains("hint:"), "{error}");
    drop(again);
    assert!(TcpStream::connect(socket).is_err());
}

#[test]
#[ignore = "a measurement: run it alone, with --run-ignored or --ignored"]
fn requests_per_second() {
    let (running, mut client) = served(&generate::corpus(1_200, 1));
    let entries: Vec<_> = client.list("/v3/committee-meeting", "", 250).0.into_values().collect();
    for connections in [1, 2, 4] {
        let begun = std::time::Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..connections {
                scope.spawn(|| {
                    let mut client = Client::new(running.socket());
                    for entry in entries.iter().cycle().take(6_000) {
                        assert_eq!(client.item(entry).status, 200);
                    }
                });
            }
        });
        let rate = f64::from(connections * 6_000) / begun.elapsed().as_secs_f64();
        println!("{connections} connections: {rate:.0} items/s");
    }
}
