//! Bad items: found inside their batch, quarantined, and nobody else with them.

use plimsoll_core::item::{Item, Outcome};
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_engine::change::quarantine;
use plimsoll_engine::change::run::Run;
use plimsoll_engine::change::verify;
use plimsoll_engine::session::Session;
use plimsoll_testkit::fixture::*;

crate::on_each_store!(
    every_class_of_bad_row_is_isolated,
    an_item_of_several_rows_is_refused_whole,
    one_bad_item_of_a_thousand_takes_at_most_25_attempts,
    two_items_that_fail_only_together_are_quarantined_together,
    an_exchange_of_a_unique_name_over_two_items_is_quarantined_and_nothing_else,
    a_constraint_that_is_checked_late_is_checked_in_its_batch,
    a_bad_change_on_top_of_a_good_one_leaves_the_good_one,
    an_item_in_conflict_makes_no_good_item_fail,
    the_first_the_middle_the_last_and_all_batches_may_fail,
    a_batch_of_bad_items_only_is_recorded_like_any_other,
    validation_and_planning_refuse_without_touching_the_batch
);

fn outcome(run: &Run) -> [u64; 3] {
    assert!(run.tally.conserved());
    [run.tally.applied, run.tally.conflicted, run.tally.quarantined]
}

fn attempts(session: &mut Session) -> i64 {
    number(session, "SELECT CAST(sum(attempts) AS bigint) FROM plimsoll_batch")
}

/// The quarantined items' numbers and classes, in the plan's order.
fn quarantined(session: &mut Session, run: &Run) -> Vec<(u64, String, Vec<u64>)> {
    let mut found: Vec<_> = quarantine::list(session.store.as_mut(), Some(&run.id), true)
        .unwrap()
        .into_iter()
        .map(|q| (q.item, q.class, q.together_with))
        .collect();
    found.sort();
    found
}

fn renamed(session: &mut Session, id: i64, name: &str) -> Item {
    item([update(session, "account", id, &[("name", Value::text(name))])])
}

fn every_class_of_bad_row_is_isolated(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=40);
    let mut items: Vec<Item> = (1..=30).map(|id| set_balance(session, id, 1)).collect();
    items.insert(25, renamed(session, 31, "account 0032"));
    items.insert(20, set_balance(session, 33, -5));
    items.insert(15, item([update(session, "account", 34, &[("name", Value::Null)])]));
    items.insert(10, item([insert(session, "entry", &entry(1, 999))]));
    let text = if place.is_postgres() { Value::text("no instant") } else { Value::Bytes(vec![1]) };
    let column = if place.is_postgres() { "opened_at" } else { "id" };
    let mut bad = account(70);
    bad.retain(|(name, _)| *name != column);
    bad.push((column, text));
    items.insert(5, item([insert(session, "account", &bad)]));
    let run = apply_items(session, &items, 50);
    assert_eq!(run.status, RunStatus::Finished);
    assert_eq!(outcome(&run), [30, 0, 5]);
    let class = |number: u64, class: &str| (number, class.to_owned(), vec![]);
    assert_eq!(
        quarantined(session, &run),
        [
            class(5, "value"),
            class(11, "foreign_key"),
            class(17, "not_null"),
            class(23, "check"),
            class(29, "unique")
        ]
    );
    assert_eq!(number(session, "SELECT count(*) FROM account WHERE balance = 1"), 30);
    assert!(verify::verify(session, &run.id).unwrap().ok);
}

fn an_item_of_several_rows_is_refused_whole(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=4);
    let items = [
        set_balance(session, 1, 1),
        item([
            update(session, "account", 2, &[("balance", Value::Integer(1))]),
            insert(session, "entry", &entry(1, 2)),
            update(session, "account", 3, &[("balance", Value::Integer(-1))]),
        ]),
        set_balance(session, 4, 1),
    ];
    let run = apply_items(session, &items, 50);
    assert_eq!(outcome(&run), [2, 0, 1]);
    assert_eq!(cell(session, "account", 2, "balance"), Some(Value::Integer(102)));
    assert_eq!(number(session, "SELECT count(*) FROM entry"), 0);
}

fn one_bad_item_of_a_thousand_takes_at_most_25_attempts(place: &Place) {
    for bad in [0, 499, 500, 731, 999] {
        let session = &mut place.session();
        sql(session, "DELETE FROM account");
        seed(session, 1..=1000);
        let mut items: Vec<Item> = (1..=1000).map(|id| set_balance(session, id, 1)).collect();
        let id = bad + 1;
        items[usize::try_from(bad).unwrap()] = set_balance(session, id, -1);
        let before = number(session, "SELECT count(*) FROM plimsoll_batch");
        let run = apply_items(session, &items, 1000);
        assert_eq!(outcome(&run), [999, 0, 1]);
        let last = format!("SELECT attempts FROM plimsoll_batch WHERE run = '{}'", run.id);
        let attempts = number(session, &last);
        assert!((2..=25).contains(&attempts), "{attempts} attempts for item {bad}");
        assert_eq!(number(session, "SELECT count(*) FROM plimsoll_batch"), before + 1);
        assert_eq!(number(session, "SELECT count(*) FROM account WHERE balance = 1"), 999);
    }
}

fn two_items_that_fail_only_together_are_quarantined_together(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=30);
    let mut items: Vec<Item> = (1..=30).map(|id| set_balance(session, id, 1)).collect();
    for (at, id) in [(7, 50), (19, 51)] {
        let mut values = account(id);
        values[1].1 = Value::text("the same name");
        items.insert(at, item([insert(session, "account", &values)]));
    }
    let run = apply_items(session, &items, 50);
    assert_eq!(outcome(&run), [30, 0, 2]);
    let unique = || "unique".to_owned();
    assert_eq!(quarantined(session, &run), [(7, unique(), vec![19]), (19, unique(), vec![7])]);
    assert_eq!(number(session, "SELECT count(*) FROM account WHERE name = 'the same name'"), 0);
}

fn an_exchange_of_a_unique_name_over_two_items_is_quarantined_and_nothing_else(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=10);
    let mut items: Vec<Item> = (3..=10).map(|id| set_balance(session, id, 1)).collect();
    items.insert(2, renamed(session, 1, "account 0002"));
    items.insert(5, renamed(session, 2, "account 0001"));
    let run = apply_items(session, &items, 50);
    assert_eq!(outcome(&run), [8, 0, 2]);
    assert_eq!(cell(session, "account", 1, "name"), Some(Value::text("account 0001")));
    assert_eq!(cell(session, "account", 2, "name"), Some(Value::text("account 0002")));
}

fn a_constraint_that_is_checked_late_is_checked_in_its_batch(place: &Place) {
    let session = &mut place.session();
    let table = if place.is_postgres() { "bigint" } else { "integer" };
    sql(
        session,
        &format!(
            "CREATE TABLE late (id {table} PRIMARY KEY,
             account_id {table} REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED)"
        ),
    );
    seed(session, 1..=2);
    let child = |session: &mut Session, id: i64, account: i64| {
        let values = [("id", Value::Integer(id)), ("account_id", Value::Integer(account))];
        insert(session, "late", &values)
    };
    let items = [
        item([child(session, 1, 1)]),
        item([child(session, 2, 99)]),
        // The parent comes after the child: only a late check allows it.
        item([child(session, 3, 3), insert(session, "account", &account(3))]),
    ];
    let run = apply_items(session, &items, 50);
    assert_eq!(outcome(&run), [2, 0, 1]);
    assert_eq!(quarantined(session, &run), [(1, "foreign_key".to_owned(), vec![])]);
    assert_eq!(number(session, "SELECT count(*) FROM late"), 2);
}

fn a_bad_change_on_top_of_a_good_one_leaves_the_good_one(place: &Place) {
    for size in [1, 50] {
        let session = &mut place.session();
        sql(session, "DELETE FROM account");
        seed(session, 1..=3);
        let good = update(session, "account", 1, &[("balance", Value::Integer(5))]);
        let bad = then(session, &good, &[("balance", Value::Integer(-5))]);
        let after = then(session, &bad, &[("balance", Value::Integer(6))]);
        let items = [
            item([good]),
            set_balance(session, 2, 1),
            item([bad]),
            item([after]),
            set_balance(session, 3, 1),
        ];
        let run = apply_items(session, &items, size);
        assert_eq!(outcome(&run), [3, 1, 1], "batches of {size}");
        assert_eq!(quarantined(session, &run), [(2, "check".to_owned(), vec![])], "batches of {size}");
        assert_eq!(cell(session, "account", 1, "balance"), Some(Value::Integer(5)));
    }
}

fn an_item_in_conflict_makes_no_good_item_fail(place: &Place) {
    for size in [1, 50] {
        let session = &mut place.session();
        sql(session, "DELETE FROM account");
        seed(session, 1..=3);
        // The first item would take the name that the second one wants, but one of its rows moved.
        let items = [
            item([
                update(session, "account", 1, &[("name", Value::text("wanted"))]),
                update(session, "account", 2, &[("balance", Value::Integer(1))]),
            ]),
            renamed(session, 3, "wanted"),
        ];
        let plan = plan(session, &items);
        sql(session, "UPDATE account SET note = 'moved' WHERE id = 2");
        let run = apply_plan(session, &plan, batches_of(size)).unwrap();
        assert_eq!(outcome(&run), [1, 1, 0], "batches of {size}");
        assert_eq!(cell(session, "account", 3, "name"), Some(Value::text("wanted")));
    }
}

fn the_first_the_middle_the_last_and_all_batches_may_fail(place: &Place) {
    let cases: [&[i64]; 4] = [&[0], &[2], &[4], &[0, 1, 2, 3, 4]];
    for failing in cases {
        let session = &mut place.session();
        sql(session, "DELETE FROM account");
        seed(session, 1..=50);
        let mut items: Vec<Item> = (1..=50).map(|id| set_balance(session, id, 1)).collect();
        for batch in failing {
            let id = batch * 10 + 4;
            items[usize::try_from(id - 1).unwrap()] = set_balance(session, id, -1);
        }
        let run = apply_items(session, &items, 10);
        let bad = failing.len() as u64;
        assert_eq!((outcome(&run), run.batches), ([50 - bad, 0, bad], 5));
        let wrong =
            format!("SELECT count(*) FROM plimsoll_batch WHERE run = '{}' AND quarantined > 0", run.id);
        assert_eq!(number(session, &wrong), i64::try_from(bad).unwrap());
    }
}

fn a_batch_of_bad_items_only_is_recorded_like_any_other(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=8);
    let items: Vec<Item> = (1..=8).map(|id| set_balance(session, id, -1)).collect();
    let before = digests(session);
    let run = apply_items(session, &items, 8);
    assert_eq!((run.status, outcome(&run)), (RunStatus::Finished, [0, 0, 8]));
    assert_eq!(digests(session), before);
    assert!(attempts(session) <= 40);
    let found = verify::verify(session, &run.id).unwrap();
    assert!(found.ok && found.receipts == 1 && found.rows_checked == 0, "{found:?}");
}

fn validation_and_planning_refuse_without_touching_the_batch(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=3);
    let records = [
        serde_json::json!({"id": 1, "name": "account 0001", "balance": 5}),
        serde_json::json!({"id": "x", "name": "no id", "balance": 5}),
        serde_json::json!({"id": 8, "name": "invalid name", "balance": 5}),
        serde_json::json!({"id": 9, "name": "account 0009", "balance": 5, "entries": [{"id": 1, "amount": 2}]}),
    ];
    let plan = plan_records(session, &records).unwrap();
    assert_eq!((plan.items, plan.refused), (4, 1));
    let run = apply_plan(session, &plan, batches_of(50)).unwrap();
    assert_eq!(outcome(&run), [2, 0, 2]);
    let classes: Vec<_> = quarantined(session, &run).into_iter().map(|q| (q.0, q.1)).collect();
    assert_eq!(classes, [(1, "source".to_owned()), (2, "validation".to_owned())]);
    assert_eq!(number(session, "SELECT count(*) FROM account WHERE name LIKE 'invalid%'"), 0);
    let errors = plimsoll_engine::change::report::errors(session.store.as_mut(), &run).unwrap();
    assert!(errors.iter().all(|error| error.outcome == Outcome::Quarantined));
}
