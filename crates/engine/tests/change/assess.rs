//! Pre-assessment: it foretells the failures and leaves the store as it was.

use std::collections::BTreeMap;

use plimsoll_core::item::Item;
use plimsoll_core::value::Value;
use plimsoll_engine::change::assess;
use plimsoll_engine::session::Session;
use plimsoll_store::journal;
use plimsoll_testkit::fixture::*;
use serde_json::json;

crate::on_each_store!(
    the_store_is_as_it_was_and_failures_are_foretold,
    a_large_plan_is_assessed_by_a_sample,
    an_empty_plan_can_be_assessed
);

/// Every row of every table, the journal's too.
fn everything(session: &mut Session) -> BTreeMap<String, Vec<String>> {
    let tables = SYSTEM.tables.iter().chain(journal::TABLES);
    tables
        .map(|table| {
            let rows = session.store.query(&format!("SELECT * FROM {table}"), &[]).unwrap();
            let mut rows: Vec<String> = rows.into_iter().map(|row| format!("{row:?}")).collect();
            rows.sort();
            ((*table).to_owned(), rows)
        })
        .collect()
}

fn the_store_is_as_it_was_and_failures_are_foretold(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=10);
    let mut records: Vec<_> =
        (1..=5).map(|id| json!({"id": id, "name": format!("account {id:04}"), "balance": 1})).collect();
    records.push(json!({"id": 6, "name": "account 0006", "balance": -1}));
    records.push(json!({"id": 7, "name": "account 0001", "balance": 1}));
    records.push(json!({"id": 20, "name": "invalid", "balance": 1}));
    records.push(json!({"id": "x", "name": "no id", "balance": 1}));
    records.push(json!({"id": 21, "name": "new", "balance": 1, "entries": [{"id": 1, "amount": 1}]}));
    records.push(json!({"id": 10, "delete": true}));
    let plan = plan_records(session, &records).unwrap();
    sql(session, "UPDATE account SET note = 'moved' WHERE id = 5");
    let before = everything(session);
    let assessment = assess::assess(session, &plan, Some(&SYNC)).unwrap();
    assert_eq!(everything(session), before);

    assert_eq!((assessment.items, assessment.refused, assessment.canary_items), (11, 1, 11));
    let tally = assessment.canary;
    assert_eq!((tally.applied, tally.conflicted, tally.quarantined), (6, 1, 4));
    let foretold: Vec<_> =
        assessment.predicted_failures.iter().map(|(class, (n, _))| (class.as_str(), *n)).collect();
    assert_eq!(foretold, [("check", 1), ("moved", 1), ("source", 1), ("unique", 1), ("validation", 1)]);
    assert!(assessment.predicted_failures["check"].1.contains("account 6"));
    assert_eq!(assessment.expected_failures, 4);
    assert_eq!(assessment.rows["account"]["update"], 7);
    assert_eq!(assessment.rows["account"]["insert"], 2);
    assert_eq!((assessment.rows["account"]["delete"], assessment.rows["entry"]["insert"]), (1, 1));
    assert!(assessment.journal_bytes > 0);
    // And so it comes.
    let run = apply_plan(session, &plan, batches_of(50)).unwrap();
    assert_eq!((run.tally.applied, run.tally.conflicted, run.tally.quarantined), (6, 1, 4));
}

fn a_large_plan_is_assessed_by_a_sample(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2_000);
    let items: Vec<Item> =
        (1..=2_000).map(|id| set_balance(session, id, if id % 20 == 1 { -1 } else { 1 })).collect();
    let plan = plan(session, &items);
    let before = digests(session);
    let assessment = assess::assess(session, &plan, None).unwrap();
    assert_eq!(digests(session), before);
    assert_eq!(assessment.canary_items, 100);
    assert_eq!(assessment.canary.quarantined, 100, "every twentieth item is bad and in the sample");
    assert_eq!(assessment.expected_failures, 2_000);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_quarantine"), 0);
    assert_eq!(cell(session, "account", 2, "balance"), Some(Value::Integer(102)));
}

fn an_empty_plan_can_be_assessed(place: &Place) {
    let session = &mut place.session();
    let plan = plan(session, &[]);
    let assessment = assess::assess(session, &plan, None).unwrap();
    assert_eq!((assessment.items, assessment.canary_items, assessment.expected_failures), (0, 0, 0));
}
