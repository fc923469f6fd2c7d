//! Faults of the simulated PEMS: each happens, is counted, and has exactly the effect it promises.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use plimsoll_simulator::pems::{Author, FaultKind, Faults, Options, Running, serve};
use serde_json::{Value, json};
use support::pems::{Pems, code, row_ids, text, version};

const ID: &str = "DEMO01-000005";

/// A simulator where `kind` strikes on every occasion.
fn always(kind: FaultKind) -> (Running, Pems) {
    let running = serve(Options { faults: Faults::none().with(kind, 1_000), ..Options::default() }).unwrap();
    let pems = Pems::new(&running);
    (running, pems)
}

/// How often `kind` struck, while no other kind ever did.
fn only(running: &Running, kind: FaultKind) -> u64 {
    let injected = running.injected();
    let others: u64 = injected.iter().filter(|(name, _)| **name != kind.name()).map(|(_, count)| count).sum();
    assert_eq!(others, 0, "{injected:?}");
    injected[kind.name()]
}

fn model(value: &str) -> Value {
    json!({ "pfs_f_model": value })
}

#[test]
fn a_lost_acknowledgement_is_done_and_a_lost_request_is_not() {
    for (kind, effects) in [(FaultKind::LostAcknowledgement, 1), (FaultKind::LostRequest, 0)] {
        let (running, mut pems) = always(kind);
        assert!(pems.put(ID, 1, model("Demo Lost"), "lost").is_err(), "no answer comes");
        assert_eq!(running.effects().operations.get("lost").copied().unwrap_or(0), effects);
        running.turn_faults(false);
        let row = pems.row(ID);
        assert_eq!((version(&row), row["pfs_f_model"] == "Demo Lost"), (1 + effects, effects == 1));
        assert_eq!(only(&running, kind), 1);
        // The blind repetition meets the first attempt.
        let again = pems.put(ID, 1, model("Demo Lost"), "lost").unwrap();
        assert_eq!(again.status, if effects == 1 { 409 } else { 200 });
        assert_eq!(running.effects().operations["lost"], 1);
    }
    let (running, mut pems) = always(FaultKind::LostAcknowledgement);
    assert_eq!(pems.row(ID)["version"], 1, "reads are answered");
    assert_eq!(pems.put(ID, 7, model("x"), "refused").unwrap().status, 409, "refusals are answered");
    assert!(pems.delete(ID, 1).is_err());
    assert_eq!((running.row(ID), only(&running, FaultKind::LostAcknowledgement)), (None, 1));
}

#[test]
fn rate_limits_and_server_errors_do_nothing_and_slowness_does_everything() {
    let mut faults = Faults::none().with(FaultKind::RateLimited, 1_000);
    faults.retry_after = 3;
    let running = serve(Options { faults, ..Options::default() }).unwrap();
    let answer = Pems::new(&running).put(ID, 1, model("x"), "limited").unwrap();
    assert_eq!((answer.status, answer.headers["retry-after"].as_str()), (429, "3"));
    assert_eq!((only(&running, FaultKind::RateLimited), running.effects().total), (1, 0));

    let (running, mut pems) = always(FaultKind::ServerError);
    let statuses: BTreeSet<u16> =
        (0..20).map(|_| pems.put(ID, 1, model("x"), "error").unwrap().status).collect();
    assert_eq!(statuses, BTreeSet::from([500, 502, 503]));
    assert_eq!((only(&running, FaultKind::ServerError), running.effects().total), (20, 0));

    let mut faults = Faults::none().with(FaultKind::Slow, 1_000);
    faults.slow_for = Duration::from_millis(150);
    let running = serve(Options { faults, ..Options::default() }).unwrap();
    let begun = Instant::now();
    assert_eq!(Pems::new(&running).put(ID, 1, model("x"), "slow").unwrap().status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(150));
    assert_eq!((only(&running, FaultKind::Slow), running.effects().total), (1, 1));
}

#[test]
fn partial_pages_lead_on_to_every_row() {
    let (running, mut pems) = always(FaultKind::PartialPage);
    let (rows, pages) = pems.pull("DEMO01", 50);
    assert_eq!(rows.len(), 200);
    assert!(pages > 6, "{pages} pages");
    assert_eq!(only(&running, FaultKind::PartialPage), pages as u64 - 1, "the last page has one row");
}

#[test]
fn a_lost_grid_is_gone_for_good() {
    let (running, mut pems) = always(FaultKind::GridLost);
    let grid = pems.grid("s", 50, "").json()["grid"].clone();
    for struck in 0..2 {
        let answer = pems.grid("s", 50, &format!("&grid={grid}&offset=50"));
        assert_eq!((answer.status, code(&answer).as_str()), (410, "grid_gone"), "{struck}");
        running.turn_faults(false);
    }
    assert_eq!(only(&running, FaultKind::GridLost), 1);
}

#[test]
fn a_moved_grid_misleads_who_reads_once_and_not_who_begins_again() {
    let mut misled = 0;
    for seed in 0..8 {
        let running = serve(Options { seed, ..Options::default() }).unwrap();
        let mut pems = Pems::new(&running);
        let first = pems.grid("s", 50, "").json();
        let mut seen = row_ids(first["rows"].as_array().unwrap());
        running.force(FaultKind::GridMoved, 1);
        for offset in [50, 100, 150, 200] {
            let page = pems.grid("s", 50, &format!("&grid={}&offset={offset}", first["grid"])).json();
            seen.extend(row_ids(page["rows"].as_array().unwrap()));
        }
        assert_eq!(only(&running, FaultKind::GridMoved), 1);
        let truth = row_ids(&running.rows(Some("DEMO01")));
        misled += usize::from(seen != truth);
        let again = pems.grid("s", 500, "").json();
        assert_eq!(row_ids(again["rows"].as_array().unwrap()), truth);
    }
    assert_eq!(misled, 8);
}

#[test]
fn a_concurrent_edit_comes_first_and_is_sometimes_about_the_same_field() {
    let (running, mut pems) = always(FaultKind::ConcurrentEdit);
    let (mut same, mut other) = (0, 0);
    for number in 1..=40 {
        let id = format!("DEMO01-{number:06}");
        let answer = pems.put(&id, 1, model("Demo Mine"), "mine").unwrap();
        assert_eq!((answer.status, &answer.json()["error"]["current_version"]), (409, &json!(2)));
        let effects = running.log();
        let theirs = effects.last().unwrap();
        assert_eq!((theirs.author, theirs.id.as_str(), theirs.version), (Author::Another, id.as_str(), 2));
        let conflicting = answer.json()["error"]["conflicting_fields"].clone();
        let is_same = theirs.fields.contains_key("pfs_f_model");
        assert_eq!(conflicting, if is_same { json!(["pfs_f_model"]) } else { json!([]) });
        if is_same { same += 1 } else { other += 1 }
    }
    assert!(same > 10 && other > 10, "{same} of the same field, {other} of others");
    assert_eq!((only(&running, FaultKind::ConcurrentEdit), running.effects().total), (40, 0));
}

#[test]
fn a_duplicate_delivery_has_one_effect() {
    let (running, mut pems) = always(FaultKind::DuplicateDelivery);
    let answer = pems.put(ID, 1, model("Demo Twice"), "twice").unwrap();
    assert_eq!((answer.status, version(&answer.json())), (200, 2));
    assert_eq!((version(&running.row(ID).unwrap()), running.effects().operations["twice"]), (2, 1));
    assert_eq!(only(&running, FaultKind::DuplicateDelivery), 1);
}

#[test]
fn a_skewed_clock_stamps_edits_up_to_five_minutes_off_in_both_directions() {
    let (running, _) = always(FaultKind::ClockSkew);
    let calm = serve(Options::default()).unwrap();
    let (mut past, mut future) = (0, 0);
    for number in 1..=40 {
        let id = format!("DEMO01-{number:06}");
        let stamp = |running: &Running| {
            let row = running.edit(&id, model("Demo").as_object().unwrap()).unwrap();
            text(&row, "pfs_lastmodified").parse::<jiff::Timestamp>().unwrap()
        };
        let off = stamp(&running).duration_since(stamp(&calm)).as_micros();
        assert!(off != 0 && off.abs() <= 300_000_000, "{off}");
        if off < 0 { past += 1 } else { future += 1 }
    }
    assert!(past > 8 && future > 8, "{past} and {future}");
    assert_eq!(only(&running, FaultKind::ClockSkew), 40);
}

#[test]
fn rows_vanish_one_by_one_now_and_then_the_one_asked_for() {
    let (running, mut pems) = always(FaultKind::Deleted);
    let mut missing = 0;
    for number in 1..=40 {
        let before = running.rows(None).len();
        let known = running.row(&format!("DEMO02-{number:06}")).is_some();
        let status = pems.get(&format!("/api/pems/pfa/DEMO02-{number:06}")).status;
        missing += usize::from(known && status == 404);
        assert_eq!(running.rows(None).len(), before - 1);
    }
    assert!((8..32).contains(&missing), "{missing}");
    assert_eq!((only(&running, FaultKind::Deleted), running.effects().total), (40, 0));
}

#[test]
fn the_schema_drifts_and_drifts_back() {
    let (running, mut pems) = always(FaultKind::SchemaDrift);
    running.turn_faults(false);
    let original = pems.get("/api/pems/schema").json();
    running.turn_faults(true);
    let mut sizes = BTreeSet::new();
    for _ in 0..12 {
        let drifted = pems.get("/api/pems/schema").json();
        assert_ne!(drifted, original);
        sizes.insert(drifted["fields"].as_array().unwrap().len());
        assert_eq!(pems.get("/api/pems/schema").json(), original);
    }
    assert_eq!(sizes, BTreeSet::from([23, 24, 25]), "removed, renamed and added");
    assert_eq!(only(&running, FaultKind::SchemaDrift), 24);
}

/// A mixed load; every answer as text, the lost ones too.
fn history(seed: u64) -> (Vec<String>, Running) {
    let running = serve(Options::stormy(seed)).unwrap();
    let mut pems = Pems::new(&running);
    let mut answers = Vec::new();
    let mut tell = |answer: std::io::Result<support::Answer>| {
        let Ok(answer) = answer else {
            answers.push("nothing".to_owned());
            return Value::Null;
        };
        let body = String::from_utf8_lossy(&answer.body);
        answers.push(format!("{} {:?} {body}", answer.status, answer.headers.get("retry-after")));
        if answer.status == 200 { answer.json() } else { Value::Null }
    };
    let mut grid = Value::Null;
    for round in 0..600 {
        let id = format!("DEMO01-{:06}", round * 7 % 200 + 1);
        let row = tell(pems.client.get(&format!("/api/pems/pfa/{id}")));
        let version = row["version"].as_u64().unwrap_or(1);
        tell(pems.put(&id, version, model(&format!("Demo S-{round}")), &format!("operation-{round}")));
        let since = format!("2025-12-1{}T00:00:00Z", round % 10);
        tell(pems.client.get(&format!("/api/pems/pfa?organization=DEMO01&limit=3&since={since}")));
        let offset = round % 5 * 3;
        let open = offset == 0 || grid.is_null();
        let later = if open { String::new() } else { format!("&grid={grid}&offset={offset}") };
        let target = format!("/api/pems/grids/pfa?organization=DEMO01&session=s&limit=3{later}");
        grid = tell(pems.client.get(&target))["grid"].clone();
    }
    (answers, running)
}

#[test]
fn the_same_seed_and_the_same_requests_give_the_same_answers_and_a_storm_has_every_fault() {
    let (first, running) = history(5);
    let (second, again) = history(5);
    assert_eq!(first, second);
    assert_eq!(running.log(), again.log());
    assert_eq!(running.rows(None), again.rows(None));
    assert_ne!(first, history(6).0);
    let injected = running.injected();
    assert_eq!(injected, again.injected());
    assert!(injected.values().all(|count| *count > 0), "{injected:?}");
    // No operation was sent twice, so none may have had two effects, whatever arrived twice.
    assert!(running.effects().operations.values().all(|count| *count == 1));
    let lost = first.iter().filter(|answer| *answer == "nothing").count() as u64;
    assert_eq!(lost, injected["lost_acknowledgement"] + injected["lost_request"]);
    // Each effect of a row leads to the next version, whoever caused it: nothing is overwritten unseen.
    for id in running.log().iter().map(|effect| effect.id.clone()).collect::<BTreeSet<_>>() {
        let versions: Vec<u64> = running
            .log()
            .iter()
            .filter(|effect| effect.id == id && effect.action != plimsoll_simulator::pems::Action::Delete)
            .map(|effect| effect.version)
            .collect();
        assert!(versions.windows(2).all(|two| two[1] == two[0] + 1), "{id}: {versions:?}");
    }
}

#[test]
fn faults_are_set_and_read_over_http() {
    let running = serve(Options::default()).unwrap();
    let mut pems = Pems::new(&running);
    let mut set = |body: Value| pems.client.send("PUT", "/control/faults", "", Some(&body)).unwrap();
    let answer = set(
        json!({"on": false, "server_error": 1_000, "retry_after": 7, "slow_for_ms": 9, "next": {"rate_limited": 1}}),
    );
    assert_eq!(answer.status, 200);
    let told = answer.json();
    assert_eq!(
        (&told["on"], &told["rates"]["server_error"], &told["rates"]["slow"]),
        (&json!(false), &json!(1_000), &json!(0))
    );
    for (body, word) in
        [(json!({"sever_error": 1, "slow": 1_000}), "sever_error"), (json!({"slow": "often"}), "slow")]
    {
        let refused = set(body);
        assert_eq!(refused.status, 400);
        assert!(refused.json()["error"]["message"].as_str().unwrap().contains(word));
    }
    let statuses: Vec<u16> = (0..2).map(|_| pems.get("/api/pems/schema").status).collect();
    assert_eq!(statuses, [429, 200], "a forced strike, then none while they are off");
    running.turn_faults(true);
    assert!(pems.get("/api/pems/schema").status >= 500);
    let told = pems.get("/control/faults").json();
    assert_eq!(told["injected"], serde_json::to_value(running.injected()).unwrap());
    assert_eq!(
        (&told["injected"]["rate_limited"], &told["injected"]["server_error"]),
        (&json!(1), &json!(1))
    );
}
