//! Faults of the transport and of lists: they happen, they are counted, and a careful client loses nothing by
//! them.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod support;

use std::time::{Duration, Instant};

use plimsoll_simulator::congress::{Faults, Mutation, Running, Scenario, generate, serve};
use support::{Client, any_port, ids};

fn scenario() -> Scenario {
    let mutation = Mutation { changes: 60, bad: 20, seed: 6, ..Mutation::default() };
    Scenario::mutate(&generate::corpus(400, 6), &mutation).unwrap()
}

fn run(faults: Faults) -> Running {
    serve(scenario(), faults, any_port()).unwrap()
}

#[test]
fn a_careful_client_sees_the_same_through_harsh_faults_as_without_any() {
    let calm = run(Faults::none());
    let expected = Client::new(calm.socket()).everything(20);
    for seed in 0..3 {
        let running = run(Faults::harsh(seed));
        let mut client = Client::new(running.socket());
        let seen = client.everything(20);
        assert_eq!(ids(&seen), ids(&expected));
        for (event_id, item) in &seen {
            match (item, &expected[event_id]) {
                (Ok(seen), Ok(expected)) => assert_eq!(seen, expected),
                (Err(seen), Err(expected)) => {
                    assert_eq!((seen.status, &seen.body), (expected.status, &expected.body));
                }
                _ => panic!("{event_id} differs"),
            }
        }
        let stats = running.stats();
        assert!(
            stats.rate_limited > 20 && stats.server_errors > 20 && stats.slow > 10 && stats.dropped > 10,
            "{stats:?}"
        );
        assert_eq!(stats.missing_items, 5);
        assert!(stats.duplicated_pages > 10, "{stats:?}");
        let failed = stats.rate_limited + stats.server_errors + stats.dropped;
        assert!(client.repeated as u64 >= failed, "{stats:?}");
    }
}

#[test]
fn without_faults_every_request_is_answered_once() {
    let running = run(Faults::none());
    let mut client = Client::new(running.socket());
    let (entries, readings) = client.list("/v3/committee-meeting", "", 250);
    assert_eq!(readings, 1);
    for entry in entries.values() {
        client.item(entry);
    }
    let stats = running.stats();
    let faults = [stats.rate_limited, stats.over_budget, stats.server_errors, stats.slow, stats.dropped];
    assert_eq!(faults, [0; 5]);
    assert_eq!((stats.duplicated_pages, stats.missing_items, stats.not_answered), (0, 0, 0));
    // Only the planted bad items are asked for again.
    assert!(stats.failed_items > 0 && client.repeated as u64 <= stats.failed_items);
}

#[test]
fn a_missing_entry_and_a_repeated_one_show_up_in_the_first_reading_only() {
    let faults = Faults { seed: 9, missing_once: 7, duplicates_across_pages: 2, ..Faults::none() };
    let running = run(faults);
    let missing = running.manifest().faults.missing_once.clone();
    assert_eq!(missing.len(), 7);
    let mut client = Client::new(running.socket());
    let mut readings = Vec::new();
    for _ in 0..3 {
        let mut seen = Vec::new();
        let count = running.manifest().listed;
        for offset in (0..count).step_by(20) {
            let page = client.get(&format!("/v3/committee-meeting?limit=20&offset={offset}")).unwrap().json();
            assert_eq!(page["pagination"]["count"], count);
            let entries = page["committeeMeetings"].as_array().unwrap();
            assert!(entries.len() <= 20);
            seen.extend(entries.iter().map(|entry| entry["eventId"].as_str().unwrap().to_owned()));
        }
        readings.push(seen);
    }
    let distinct = |seen: &[String]| seen.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert!(distinct(&readings[0]) < readings[0].len(), "entries are repeated");
    assert!(missing.iter().all(|event_id| !readings[0].contains(event_id)), "entries are left out");
    for exact in &readings[1..] {
        assert_eq!((exact.len(), distinct(exact)), (running.manifest().listed, running.manifest().listed));
    }
    assert!(running.stats().duplicated_pages > 5);
    let (entries, taken) = Client::new(run(Faults { seed: 9, missing_once: 7, ..Faults::none() }).socket())
        .list("/v3/committee-meeting", "", 20);
    assert_eq!((entries.len(), taken), (running.manifest().listed, 2));
}

#[test]
fn each_fault_looks_as_it_should() {
    let ask = |faults: Faults| {
        let running = run(faults);
        let mut client = Client::new(running.socket());
        let begun = Instant::now();
        let first = client.get("/v3/committee-meeting");
        let took = begun.elapsed();
        let second = client.get("/v3/committee-meeting").unwrap();
        assert_eq!(second.status, 200, "the same request again succeeds");
        (first, took)
    };
    let (first, _) = ask(Faults { rate_limited_every: 1, retry_after: 1, ..Faults::none() });
    let first = first.unwrap();
    assert_eq!((first.status, first.headers["retry-after"].as_str()), (429, "1"));
    assert_eq!(first.json()["error"]["code"], "OVER_RATE_LIMIT");

    let statuses: Vec<u16> = (0..12)
        .map(|seed| ask(Faults { seed, server_error_every: 1, ..Faults::none() }).0.unwrap().status)
        .collect();
    assert!(statuses.iter().all(|status| [500, 503].contains(status)));
    assert!(statuses.contains(&500) && statuses.contains(&503), "{statuses:?}");

    let (first, _) = ask(Faults { drop_every: 1, ..Faults::none() });
    assert!(first.is_err(), "the connection closes without an answer");

    let slow = Faults { slow_every: 1, slow_for: Duration::from_millis(120), ..Faults::none() };
    let (first, took) = ask(slow);
    assert_eq!(first.unwrap().status, 200);
    assert!(took >= Duration::from_millis(120), "{took:?}");
}

#[test]
fn a_renamed_field_is_gone_from_every_item() {
    let renamed = vec![("meetingStatus".to_owned(), "status_text".to_owned())];
    let running = run(Faults { renamed_fields: renamed, ..Faults::none() });
    let everything = Client::new(running.socket()).everything(250);
    let items: Vec<_> = everything.values().filter_map(|item| item.as_ref().ok()).collect();
    assert!(items.len() > 350);
    assert!(items.iter().all(|item| item.get("meetingStatus").is_none() && item["status_text"].is_string()));
}

#[test]
fn the_mild_profile_serves_twelve_hundred_hearings_in_seconds() {
    let mutation = Mutation { changes: 300, bad: 20, seed: 6, ..Mutation::default() };
    let scenario = Scenario::mutate(&generate::corpus(1_200, 6), &mutation).unwrap();
    let running = serve(scenario, Faults::mild(6), any_port()).unwrap();
    let begun = Instant::now();
    let seen = Client::new(running.socket()).everything(250);
    let took = begun.elapsed();
    assert_eq!(seen.len(), running.manifest().listed);
    let stats = running.stats();
    assert!(
        stats.rate_limited >= 2 && stats.server_errors >= 2 && stats.slow >= 2 && stats.dropped >= 1,
        "{stats:?}"
    );
    assert!(stats.duplicated_pages >= 1 && stats.missing_items == 1, "{stats:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    println!("{} hearings with mild faults in {took:?}", seen.len());
}
