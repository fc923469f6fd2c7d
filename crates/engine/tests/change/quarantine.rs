//! Quarantine: what a run could not take is repaired and goes back into the same run.

use plimsoll_core::id::Id;
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_engine::change::quarantine::{self, Quarantined};
use plimsoll_engine::change::run::{self, Run, RunSettings};
use plimsoll_engine::change::{plan, verify};
use plimsoll_engine::session::Session;
use plimsoll_engine::{ErrorKind, event};
use plimsoll_testkit::fixture::*;
use plimsoll_testkit::probe::Acting;
use serde_json::{Value as Json, json};

crate::on_each_store!(
    refused_items_are_listed_with_all_that_is_needed,
    a_repaired_record_goes_back_into_its_run,
    a_replay_that_fails_again_waits_again,
    a_replay_of_failures_does_not_count_them_twice,
    an_item_without_a_record_is_repaired_by_its_values,
    a_record_that_never_arrived_can_be_given,
    a_pair_that_failed_together_goes_back_together,
    a_record_that_needs_nothing_any_more_is_a_no_op,
    a_row_that_moved_meanwhile_conflicts_within_the_run,
    a_dropped_item_stays_counted_and_is_not_asked_about_again,
    a_waiting_record_is_not_quarantined_twice,
    replays_that_cannot_be_are_refused_and_leave_nothing,
    of_two_replays_of_one_item_one_wins
);

fn open(session: &mut Session, run: &Id) -> Vec<Quarantined> {
    quarantine::list(session.store.as_mut(), Some(run), false).unwrap()
}

fn account_record(id: i64, balance: i64) -> Json {
    json!({"id": id, "name": format!("account {id:04}"), "balance": balance})
}

/// A run over records of accounts 1 to 4, of which 2 and 3 have a negative balance.
fn two_bad(session: &mut Session) -> Run {
    seed(session, 1..=4);
    let records: Vec<Json> =
        (1..=4).map(|id| account_record(id, if id == 2 || id == 3 { -id } else { id })).collect();
    let plan = plan_records(session, &records).unwrap();
    let run = apply_plan(session, &plan, batches_of(2)).unwrap();
    assert_eq!((run.tally.applied, run.tally.quarantined), (2, 2));
    run
}

fn of(items: &[Quarantined], label: &str) -> Quarantined {
    items.iter().find(|item| item.label == label).unwrap().clone()
}

fn repaired(session: &mut Session, item: &Quarantined, balance: i64) -> Id {
    let settings = [("balance".to_owned(), balance.to_string())];
    let edited = quarantine::edit(session, &item.id, &settings, "repaired").unwrap();
    assert_eq!(edited.edited.unwrap()["balance"], balance);
    item.id.clone()
}

fn sound(session: &mut Session, id: &Id) -> Run {
    let run = run::load(session.store.as_mut(), id).unwrap();
    assert!(run.status == RunStatus::Finished && run.tally.conserved(), "{run:?}");
    let found = verify::verify(session, id).unwrap();
    assert!(found.ok, "{:?}", found.problems);
    assert!(event::verify(session.store.as_mut()).unwrap().is_empty());
    run
}

fn refused_items_are_listed_with_all_that_is_needed(place: &Place) {
    let session = &mut place.session();
    let run = two_bad(session);
    let items = open(session, &run.id);
    assert_eq!(items.len(), 2);
    let item = of(&items, "account 2");
    assert_eq!(
        (item.system.as_str(), item.class.as_str(), item.status.as_str()),
        ("fixture", "check", "open")
    );
    assert_eq!((item.item, &item.run, item.together_with.len()), (1, &run.id, 0));
    assert_eq!(item.record.as_ref().unwrap(), &account_record(2, -2));
    assert_eq!(item.changes.len(), 1);
    assert_eq!(item.changes[0].before.as_ref().unwrap()["balance"], Value::Integer(102));
    assert_eq!(item.changes[0].after.as_ref().unwrap()["balance"], Value::Integer(-2));
    assert!(item.reason.contains("account 2"), "{}", item.reason);
    assert_eq!(quarantine::load(session.store.as_mut(), &item.id).unwrap(), item);
    let other = plimsoll_engine::clock::new_id();
    assert!(open(session, &other).is_empty());
    assert_eq!(quarantine::load(session.store.as_mut(), &other).unwrap_err().kind, ErrorKind::Usage);
}

fn a_repaired_record_goes_back_into_its_run(place: &Place) {
    let session = &mut place.session();
    let run = two_bad(session);
    let items = open(session, &run.id);
    let id = repaired(session, &of(&items, "account 2"), 22);
    // A second edit builds on the first one.
    let settings = [("note".to_owned(), "by hand".to_owned())];
    let edited = quarantine::edit(session, &id, &settings, "").unwrap().edited.unwrap();
    assert_eq!(edited, json!({"id": 2, "name": "account 0002", "balance": 22, "note": "by hand"}));
    let replayed = quarantine::replay(session, std::slice::from_ref(&id), Some(&SYNC), "again").unwrap();
    assert_eq!(replayed.id, run.id);
    assert_eq!((replayed.tally.planned, replayed.tally.applied, replayed.tally.quarantined), (4, 3, 1));
    assert_eq!(replayed.batches, 3);
    assert_eq!(cell(session, "account", 2, "balance"), Some(Value::Integer(22)));
    assert_eq!(cell(session, "account", 2, "note"), Some(Value::text("by hand")));
    assert_eq!(quarantine::load(session.store.as_mut(), &id).unwrap().status, "replayed");
    assert_eq!(open(session, &run.id).len(), 1);
    sound(session, &run.id);
    // The other one, whole, by another session.
    let session = &mut place.session();
    let id = open(session, &run.id)[0].id.clone();
    quarantine::replace(session, &id, &account_record(3, 33), "").unwrap();
    quarantine::replay(session, &[id], Some(&SYNC), "").unwrap();
    let run = sound(session, &run.id);
    assert!(run.tally.clean() && run.tally.applied == 4);
    let events = event::list(session.store.as_mut(), Some(run.id.as_str())).unwrap();
    assert_eq!(events.iter().filter(|event| event.kind == "quarantine.replayed").count(), 2);
}

fn a_replay_that_fails_again_waits_again(place: &Place) {
    let session = &mut place.session();
    let run = two_bad(session);
    let items = open(session, &run.id);
    let first = repaired(session, &of(&items, "account 2"), -22);
    let second = repaired(session, &of(&items, "account 3"), 33);
    let replayed = quarantine::replay(session, &[first.clone(), second], Some(&SYNC), "").unwrap();
    assert_eq!((replayed.tally.applied, replayed.tally.quarantined), (3, 1));
    sound(session, &run.id);
    let waiting = open(session, &run.id);
    assert_eq!((waiting.len(), waiting[0].label.as_str()), (1, "account 2"));
    assert_ne!(waiting[0].id, first);
    // What waits now is the repaired record.
    assert_eq!(waiting[0].record.as_ref().unwrap()["balance"], -22);
    let id = repaired(session, &waiting[0], 2);
    quarantine::replay(session, &[id], Some(&SYNC), "").unwrap();
    assert!(sound(session, &run.id).tally.clean());
    assert_eq!(quarantine::list(session.store.as_mut(), Some(&run.id), true).unwrap().len(), 3);
}

fn a_replay_of_failures_does_not_count_them_twice(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=4);
    let items: Vec<_> = (1..=4).map(|id| set_balance(session, id, if id < 3 { -1 } else { 1 })).collect();
    let plan = plan(session, &items);
    let settings = RunSettings { max_errors: Some(2), ..batches_of(2) };
    let run = apply_plan(session, &plan, settings).unwrap();
    let ids: Vec<Id> = open(session, &run.id).into_iter().map(|item| item.id).collect();
    let run = quarantine::replay(session, &ids, None, "as it is").unwrap();
    assert_eq!((run.status, run.tally.quarantined), (RunStatus::Finished, 2));
    sound(session, &run.id);
}

fn an_item_without_a_record_is_repaired_by_its_values(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let bad = item([
        update(session, "account", 1, &[("balance", Value::Integer(-1))]),
        insert(session, "entry", &entry(1, 99)),
    ]);
    let run = apply_items(session, &[bad], 50);
    let item = open(session, &run.id).remove(0);
    assert_eq!((item.record.as_ref(), item.label.as_str()), (None, "account 1"));
    let edit = |session: &mut Session, name: &str, value: &str| {
        quarantine::edit(session, &item.id, &[(name.into(), value.into())], "")
    };
    for wrong in ["nothing", "entry.balance", "nowhere.balance"] {
        let error = edit(session, wrong, "1").unwrap_err();
        assert!(error.kind == ErrorKind::Usage && error.message.contains(wrong), "{error}");
    }
    edit(session, "balance", "5").unwrap();
    let edited = edit(session, "entry.account_id", "2").unwrap();
    assert_eq!(edited.edited.unwrap()[1]["after"]["account_id"], 2);
    let run = quarantine::replay(session, &[item.id], None, "").unwrap();
    assert_eq!((run.tally.applied, run.tally.quarantined), (1, 0));
    assert_eq!(cell(session, "account", 1, "balance"), Some(Value::Integer(5)));
    assert_eq!(cell(session, "entry", 1, "account_id"), Some(Value::Integer(2)));
    sound(session, &run.id);
}

fn a_record_that_never_arrived_can_be_given(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=1);
    let missing = plimsoll_core::item::Item {
        label: "account 7".into(),
        refusal: Some(plimsoll_core::item::Refusal::quarantined("source", "the source said 500")),
        ..plimsoll_core::item::Item::default()
    };
    let run = apply_items(session, &[missing], 50);
    let item = open(session, &run.id).remove(0);
    // As it is there is nothing to apply, which must not pass for a success.
    let error = quarantine::replay(session, std::slice::from_ref(&item.id), Some(&SYNC), "").unwrap_err();
    assert!(error.kind == ErrorKind::Usage && error.message.contains("no record"), "{error}");
    quarantine::replace(session, &item.id, &account_record(7, 7), "from the archive").unwrap();
    let error = quarantine::replay(session, std::slice::from_ref(&item.id), None, "").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage, "{error}");
    let run = quarantine::replay(session, &[item.id], Some(&SYNC), "").unwrap();
    assert_eq!((run.tally.applied, run.tally.quarantined), (1, 0));
    assert_eq!(cell(session, "account", 7, "balance"), Some(Value::Integer(7)));
    sound(session, &run.id);
}

fn a_pair_that_failed_together_goes_back_together(place: &Place) {
    let session = &mut place.session();
    let records =
        [json!({"id": 1, "name": "same", "balance": 1}), json!({"id": 2, "name": "same", "balance": 2})];
    let plan = plan_records(session, &records).unwrap();
    let run = apply_plan(session, &plan, batches_of(50)).unwrap();
    let items = open(session, &run.id);
    assert_eq!(of(&items, "account 1").together_with, [1]);
    assert_eq!(of(&items, "account 2").together_with, [0]);
    // One of the two is enough to repair.
    let settings = [("name".to_owned(), "another".to_owned())];
    quarantine::edit(session, &of(&items, "account 2").id, &settings, "").unwrap();
    let ids: Vec<Id> = items.into_iter().map(|item| item.id).collect();
    quarantine::replay(session, &ids, Some(&SYNC), "").unwrap();
    assert_eq!(sound(session, &run.id).tally.applied, 2);
}

fn a_record_that_needs_nothing_any_more_is_a_no_op(place: &Place) {
    let session = &mut place.session();
    let run = two_bad(session);
    let item = of(&open(session, &run.id), "account 2");
    let id = repaired(session, &item, 102);
    let run = quarantine::replay(session, &[id], Some(&SYNC), "").unwrap();
    assert_eq!((run.tally.applied, run.tally.noop, run.tally.quarantined), (2, 1, 1));
    sound(session, &run.id);
}

fn a_row_that_moved_meanwhile_conflicts_within_the_run(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let items = [set_balance(session, 1, -1)];
    let run = apply_items(session, &items, 50);
    let item = open(session, &run.id).remove(0);
    let id = repaired_values(session, &item);
    sql(session, "UPDATE account SET note = 'mine' WHERE id = 1");
    let run = quarantine::replay(session, &[id], None, "").unwrap();
    assert_eq!((run.tally.conflicted, run.tally.quarantined), (1, 0));
    assert_eq!(cell(session, "account", 1, "balance"), Some(Value::Integer(101)));
    sound(session, &run.id);
}

fn repaired_values(session: &mut Session, item: &Quarantined) -> Id {
    quarantine::edit(session, &item.id, &[("balance".into(), "1".into())], "").unwrap();
    item.id.clone()
}

fn a_dropped_item_stays_counted_and_is_not_asked_about_again(place: &Place) {
    let session = &mut place.session();
    let run = two_bad(session);
    let item = of(&open(session, &run.id), "account 2");
    let dropped = quarantine::drop_item(session, &item.id, "never mind").unwrap();
    assert_eq!(dropped.status, "dropped");
    assert_eq!(sound(session, &run.id).tally.quarantined, 2);
    assert_eq!(open(session, &run.id).len(), 1);
    assert_eq!(quarantine::list(session.store.as_mut(), None, true).unwrap().len(), 2);
    for error in [
        quarantine::drop_item(session, &item.id, "").unwrap_err(),
        quarantine::edit(session, &item.id, &[], "").unwrap_err(),
        quarantine::replace(session, &item.id, &json!({}), "").unwrap_err(),
        quarantine::replay(session, std::slice::from_ref(&item.id), Some(&SYNC), "").unwrap_err(),
    ] {
        assert!(error.kind == ErrorKind::Usage && error.message.contains("is dropped"), "{error}");
    }
    let again = plan_records(session, &[account_record(2, -2)]).unwrap();
    let run = apply_plan(session, &again, batches_of(50)).unwrap();
    assert_eq!((run.tally.skipped, run.tally.quarantined), (1, 0));
}

fn a_waiting_record_is_not_quarantined_twice(place: &Place) {
    let session = &mut place.session();
    two_bad(session);
    // The same bad record again, one that is bad in another way, and one that is good by now.
    let records = [account_record(2, -2), account_record(3, -33)];
    let again = plan_records(session, &records).unwrap();
    let run = apply_plan(session, &again, batches_of(50)).unwrap();
    assert_eq!((run.tally.skipped, run.tally.quarantined), (1, 1));
    sound(session, &run.id);
    let again = plan_records(session, &[account_record(2, 2)]).unwrap();
    assert_eq!(apply_plan(session, &again, batches_of(50)).unwrap().tally.applied, 1);
}

fn replays_that_cannot_be_are_refused_and_leave_nothing(place: &Place) {
    let session = &mut place.session();
    let run = two_bad(session);
    let other = vec![set_balance(session, 1, -1)];
    let other = apply_items(session, &other, 50);
    let mine = of(&open(session, &run.id), "account 2").id;
    let theirs = open(session, &other.id).remove(0).id;
    let plans = number(session, "SELECT count(*) FROM plimsoll_plan");
    let error = quarantine::replay(session, &[mine, theirs.clone()], Some(&SYNC), "").unwrap_err();
    assert!(error.message.contains("of one run at a time"), "{error}");
    assert_eq!(quarantine::replay(session, &[], Some(&SYNC), "").unwrap_err().kind, ErrorKind::Usage);
    // A repair that is none: a column that is not there, and no list of changes at all.
    let wrong = json!([{"table": "account", "after": {"nothing": 1}}]);
    for wrong in [wrong, json!([{"table": "nowhere"}]), json!([1])] {
        quarantine::replace(session, &theirs, &wrong, "").unwrap();
        let error = quarantine::replay(session, std::slice::from_ref(&theirs), None, "").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage, "{error}");
        assert!(error.message.contains(theirs.short()), "{error}");
    }
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_plan"), plans);
    assert_eq!(open(session, &other.id).len(), 1);
    sound(session, &run.id);
    sound(session, &other.id);
}

fn of_two_replays_of_one_item_one_wins(place: &Place) {
    let session = &mut place.session();
    let run = two_bad(session);
    let item = of(&open(session, &run.id), "account 2");
    let id = repaired(session, &item, 2);
    let (other, theirs) = (std::sync::Mutex::new(place.session()), id.clone());
    session.probe = std::sync::Arc::new(Acting(move |point: &'static str| {
        if point == "plan.ready" {
            let run = quarantine::replay(
                &mut other.lock().unwrap(),
                std::slice::from_ref(&theirs),
                Some(&SYNC),
                "",
            )?;
            assert_eq!(run.tally.applied, 3);
        }
        Ok(())
    }));
    let error = quarantine::replay(session, &[id], Some(&SYNC), "").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    let session = &mut place.session();
    let run = sound(session, &run.id);
    assert_eq!((run.tally.applied, run.tally.quarantined), (3, 1));
    assert_eq!(plan::list(session.store.as_mut()).unwrap().len(), 2);
}

#[test]
fn members_are_set_at_any_depth() {
    let place = place();
    let session = &mut place.session();
    let run = two_bad(session);
    let item = of(&open(session, &run.id), "account 2");
    let record = json!({"id": 2, "entries": [{"id": 1, "amount": 1}], "name": "x", "balance": null});
    quarantine::replace(session, &item.id, &record, "").unwrap();
    let set = |session: &mut Session, path: &str, value: &str| {
        quarantine::edit(session, &item.id, &[(path.into(), value.into())], "")
            .map(|item| item.edited.unwrap())
    };
    assert_eq!(set(session, "entries.0.amount", "7").unwrap()["entries"][0]["amount"], 7);
    assert_eq!(set(session, "more.inside", "text").unwrap()["more"]["inside"], "text");
    assert_eq!(set(session, "name", "\"quoted\"").unwrap()["name"], "quoted");
    assert_eq!(set(session, "name", "null").unwrap()["name"], Json::Null);
    for wrong in ["entries.1.amount", "entries.x", "id.deeper"] {
        let error = set(session, wrong, "1").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage, "{wrong}: {error}");
    }
}
