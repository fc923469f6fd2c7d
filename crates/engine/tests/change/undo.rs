//! Undo, case by case: what the model test of [`crate::undo_model`] finds by chance is pinned here by name.

use plimsoll_core::id::Id;
use plimsoll_core::item::Tally;
use plimsoll_core::run::RunStatus;
use plimsoll_core::undo::UndoMode;
use plimsoll_core::value::Value;
use plimsoll_engine::change::run::{self, Run};
use plimsoll_engine::change::{control, quarantine, undo, verify};
use plimsoll_engine::session::Session;
use plimsoll_engine::{ErrorKind, change};
use plimsoll_testkit::fixture::*;
use plimsoll_testkit::probe::CrashAt;

crate::on_each_store!(
    a_run_is_taken_back_and_put_back,
    refuse_writes_nothing_and_names_the_edits,
    skip_leaves_items_with_an_edited_row_whole,
    merge_restores_the_columns_nobody_touched,
    merge_leaves_an_item_whose_new_row_was_edited,
    force_restores_what_was_before,
    cascade_takes_later_runs_back_first_and_only_those_that_wrote,
    cascade_goes_on_after_a_death_in_a_later_runs_undo,
    an_addition_with_children_is_taken_back_children_first,
    children_that_somebody_else_attached_are_never_lost,
    a_second_undo_writes_nothing_and_redo_finds_the_first,
    a_row_that_one_item_changed_twice_is_taken_back,
    a_row_that_many_batches_changed_is_taken_back_in_order,
    rows_that_were_there_already_stay,
    replayed_items_are_taken_back_with_their_run,
    a_column_that_came_since_is_kept,
    an_open_run_is_not_undone
);

fn take_back(session: &mut Session, id: &Id, mode: UndoMode) -> Run {
    let mut runs = undo::undo(session, id, mode, &batches_of(3), "a test").unwrap();
    let run = runs.pop().unwrap();
    assert_eq!(run.status, RunStatus::Finished);
    assert!(run.tally.conserved());
    let found = verify::verify(session, &run.id).unwrap();
    assert!(found.ok, "{:?}", found.problems);
    run
}

/// Applied, conflicted, quarantined.
fn ended(tally: &Tally) -> [u64; 3] {
    [tally.applied, tally.conflicted, tally.quarantined]
}

fn text(session: &mut Session, id: i64, column: &str) -> Value {
    cell(session, "account", id, column).unwrap()
}

fn a_run_is_taken_back_and_put_back(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=20);
    let mut items: Vec<_> = (1..=10).map(|id| set_balance(session, id, 1)).collect();
    items.extend((31..=35).map(|id| item([insert(session, "account", &account(id))])));
    items.extend((11..=15).map(|id| item([delete(session, "account", id)])));
    let before = digests(session);
    let run = apply_items(session, &items, 4);
    let after = digests(session);
    for mode in UndoMode::ALL {
        let undone = take_back(session, &run.id, mode);
        assert_eq!(ended(&undone.tally), [20, 0, 0]);
        assert_eq!((undone.undoes.as_ref(), undone.undo_mode), (Some(&run.id), Some(mode)));
        assert_eq!(digests(session), before, "{mode}");
        let redone = take_back(session, &undone.id, mode);
        assert_eq!(ended(&redone.tally), [20, 0, 0]);
        assert_eq!(digests(session), after, "{mode}");
    }
    let (plan, preview) = undo::plan_undo(session, &run.id, UndoMode::Skip).unwrap();
    assert_eq!((preview.restored, preview.already, preview.edited), (20, 0, 0));
    assert_eq!(digests(session), after);
    change::retention::discard(session, &plan.id).unwrap();
}

fn refuse_writes_nothing_and_names_the_edits(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=3);
    let items: Vec<_> = (1..=3).map(|id| set_balance(session, id, 1)).collect();
    let run = apply_items(session, &items, 50);
    sql(session, "UPDATE account SET note = 'mine' WHERE id = 2; DELETE FROM account WHERE id = 3");
    let (before, plans) = (digests(session), number(session, "SELECT count(*) FROM plimsoll_plan"));
    let error = undo::undo(session, &run.id, UndoMode::Refuse, &batches_of(3), "").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    for part in
        ["2 items were edited", "account 2: account 2 was edited since: note", "account 3 was deleted"]
    {
        assert!(error.message.contains(part), "{error}");
    }
    assert_eq!(digests(session), before);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_plan"), plans);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_run"), 1);
}

fn skip_leaves_items_with_an_edited_row_whole(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=4);
    let pair = item([
        update(session, "account", 1, &[("balance", Value::Integer(1))]),
        update(session, "account", 2, &[("balance", Value::Integer(1))]),
    ]);
    let items = [pair, set_balance(session, 3, 1), set_balance(session, 4, 1)];
    let run = apply_items(session, &items, 50);
    sql(session, "UPDATE account SET note = 'mine' WHERE id = 2");
    // Put back by hand: nothing is left to do for this one.
    sql(session, "UPDATE account SET balance = 104 WHERE id = 4");
    let (plan, preview) = undo::plan_undo(session, &run.id, UndoMode::Skip).unwrap();
    assert_eq!((preview.restored, preview.already, preview.edited), (1, 1, 1));
    change::retention::discard(session, &plan.id).unwrap();
    let undone = take_back(session, &run.id, UndoMode::Skip);
    assert_eq!(ended(&undone.tally), [1, 1, 0]);
    let balances: Vec<_> = (1..=4).map(|id| text(session, id, "balance")).collect();
    assert_eq!(balances, [1, 1, 103, 104].map(Value::Integer));
}

fn merge_restores_the_columns_nobody_touched(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let change = [("balance", Value::Integer(1)), ("note", Value::text("ours"))];
    let both = item([update(session, "account", 1, &change), update(session, "account", 2, &change)]);
    let run = apply_items(session, &[both], 50);
    // Account 1: one of the two columns, and one that the run never touched. Account 2: both.
    sql(session, "UPDATE account SET note = 'mine', active = NULL WHERE id = 1");
    sql(session, "UPDATE account SET note = 'mine', balance = 9 WHERE id = 2");
    let undone = take_back(session, &run.id, UndoMode::Merge);
    assert_eq!(ended(&undone.tally), [1, 0, 0]);
    assert_eq!(text(session, 1, "balance"), Value::Integer(101));
    assert_eq!((text(session, 1, "note"), text(session, 1, "active")), (Value::text("mine"), Value::Null));
    assert_eq!(
        (text(session, 2, "note"), text(session, 2, "balance")),
        (Value::text("mine"), Value::Integer(9))
    );
}

fn merge_leaves_an_item_whose_new_row_was_edited(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let values = [("balance", Value::Integer(1)), ("note", Value::text("ours"))];
    let items = [item([
        insert(session, "account", &account(7)),
        update(session, "account", 1, &[("balance", Value::Integer(1))]),
        update(session, "account", 2, &values),
    ])];
    let run = apply_items(session, &items, 50);
    // The new row is somebody's now. Account 2 has nothing to give back, account 1 would have.
    sql(session, "UPDATE account SET note = 'mine', balance = 3 WHERE id IN (2, 7)");
    let before = digests(session);
    let undone = take_back(session, &run.id, UndoMode::Merge);
    assert_eq!(ended(&undone.tally), [0, 1, 0]);
    assert_eq!(digests(session), before);
}

fn force_restores_what_was_before(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=4);
    let before = digests(session);
    let items = [
        set_balance(session, 1, 1),
        set_balance(session, 2, 1),
        item([delete(session, "account", 3)]),
        item([insert(session, "account", &account(9))]),
    ];
    let run = apply_items(session, &items, 50);
    sql(session, "UPDATE account SET note = 'mine', balance = 5 WHERE id IN (1, 9)");
    sql(session, "DELETE FROM account WHERE id = 2");
    sql(session, "INSERT INTO account (id, name, balance) VALUES (3, 'again', 1)");
    let edited = digests(session);
    let undone = take_back(session, &run.id, UndoMode::Force);
    assert_eq!(ended(&undone.tally), [4, 0, 0]);
    assert_eq!(digests(session), before);
    take_back(session, &undone.id, UndoMode::Refuse);
    assert_eq!(digests(session), edited);
}

fn cascade_takes_later_runs_back_first_and_only_those_that_wrote(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=9);
    let before = digests(session);
    let first = vec![set_balance(session, 1, 1), set_balance(session, 2, 1)];
    let first = apply_items(session, &first, 50);
    // Shares account 1 with the first.
    let second = vec![set_balance(session, 1, 2), set_balance(session, 3, 2)];
    let second = apply_items(session, &second, 50);
    // Shares nothing with the first, but account 3 with the second.
    let third = vec![set_balance(session, 3, 3)];
    let third = apply_items(session, &third, 50);
    // Has a plan for account 2 that conflicts, and a row of its own; it must be left alone.
    let fourth = vec![set_balance(session, 2, 4), set_balance(session, 5, 4)];
    let fourth = plan(session, &fourth);
    sql(session, "UPDATE account SET note = 'x' WHERE id = 2");
    let fourth = apply_plan(session, &fourth, batches_of(50)).unwrap();
    assert_eq!(ended(&fourth.tally), [1, 1, 0]);
    sql(session, "UPDATE account SET note = NULL WHERE id = 2");
    // Was undone already.
    let fifth = vec![set_balance(session, 1, 5)];
    let fifth = apply_items(session, &fifth, 50);
    take_back(session, &fifth.id, UndoMode::Refuse);

    let (plan, preview) = undo::plan_undo(session, &first.id, UndoMode::Cascade).unwrap();
    assert_eq!(preview.cascade, [third.id.clone(), second.id.clone()]);
    change::retention::discard(session, &plan.id).unwrap();
    let runs = undo::undo(session, &first.id, UndoMode::Cascade, &batches_of(3), "").unwrap();
    let undone: Vec<_> = runs.iter().map(|run| run.undoes.clone().unwrap()).collect();
    assert_eq!(undone, [third.id, second.id, first.id]);
    assert_eq!(text(session, 5, "balance"), Value::Integer(4));
    sql(session, "UPDATE account SET balance = 105 WHERE id = 5");
    assert_eq!(digests(session), before);
}

fn cascade_goes_on_after_a_death_in_a_later_runs_undo(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=9);
    let before = digests(session);
    let items: Vec<_> = (1..=9).map(|id| set_balance(session, id, 1)).collect();
    let first = apply_items(session, &items, 50);
    let items: Vec<_> = (1..=9).map(|id| set_balance(session, id, 2)).collect();
    apply_items(session, &items, 50);
    session.probe = CrashAt::new("batch.committed", 1);
    undo::undo(session, &first.id, UndoMode::Cascade, &batches_of(3), "").unwrap_err();
    let session = &mut place.session();
    undo::undo(session, &first.id, UndoMode::Cascade, &batches_of(3), "").unwrap();
    assert_eq!(digests(session), before);
}

fn an_addition_with_children_is_taken_back_children_first(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let before = digests(session);
    let with_children = |session: &mut Session, id: i64| {
        item([
            insert(session, "account", &account(id)),
            insert(session, "entry", &entry(10 * id, id)),
            insert(session, "entry", &entry(10 * id + 1, id)),
        ])
    };
    let items = [
        with_children(session, 7),
        with_children(session, 8),
        // A parent and its child in items of their own, in one batch and across two.
        item([insert(session, "account", &account(9))]),
        item([insert(session, "entry", &entry(90, 9))]),
    ];
    for size in [0, 1, 3, 50] {
        let run = apply_items(session, &items, size);
        assert_eq!(ended(&run.tally), [4, 0, 0]);
        let undone = take_back(session, &run.id, UndoMode::Refuse);
        assert_eq!(ended(&undone.tally), [4, 0, 0], "batches of {size}");
        assert_eq!(digests(session), before);
    }
}

fn children_that_somebody_else_attached_are_never_lost(place: &Place) {
    let session = &mut place.session();
    let items =
        [item([insert(session, "account", &account(7))]), item([insert(session, "account", &account(8))])];
    let run = apply_items(session, &items, 50);
    sql(session, "INSERT INTO entry (id, account_id, amount) VALUES (1, 7, 5)");
    let undone = take_back(session, &run.id, UndoMode::Skip);
    assert_eq!(ended(&undone.tally), [1, 0, 1]);
    let waiting = quarantine::list(session.store.as_mut(), Some(&undone.id), false).unwrap();
    assert_eq!((waiting.len(), waiting[0].class.as_str()), (1, "foreign_key"));
    assert_eq!(number(session, "SELECT count(*) FROM account WHERE id = 7"), 1);
    // Once the child is gone the rest can be taken back, by undoing again or by replaying.
    sql(session, "DELETE FROM entry");
    quarantine::replay(session, &[waiting[0].id.clone()], None, "").unwrap();
    assert_eq!(number(session, "SELECT count(*) FROM account"), 0);
}

fn a_second_undo_writes_nothing_and_redo_finds_the_first(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=3);
    let items: Vec<_> = (1..=3).map(|id| set_balance(session, id, 1)).collect();
    let run = apply_items(session, &items, 50);
    let applied = digests(session);
    sql(session, "UPDATE account SET note = 'mine' WHERE id = 3");
    let undone = take_back(session, &run.id, UndoMode::Skip);
    assert_eq!(ended(&undone.tally), [2, 1, 0]);
    let after = digests(session);
    let plans = number(session, "SELECT count(*) FROM plimsoll_plan");
    for mode in [UndoMode::Skip, UndoMode::Merge, UndoMode::Cascade] {
        let again = take_back(session, &run.id, mode);
        if mode == UndoMode::Merge {
            // Merging gives back the balance under the note.
            assert_eq!(ended(&again.tally), [1, 0, 0]);
            take_back(session, &again.id, UndoMode::Refuse);
        } else {
            assert_eq!(again.id, undone.id);
            assert_eq!(
                number(session, "SELECT count(*) FROM plimsoll_plan"),
                plans + if mode == UndoMode::Cascade { 2 } else { 0 }
            );
        }
        assert_eq!(digests(session), after, "{mode}");
    }
    take_back(session, &undone.id, UndoMode::Refuse);
    sql(session, "UPDATE account SET note = NULL WHERE id = 3");
    assert_eq!(digests(session), applied);
}

fn a_row_that_one_item_changed_twice_is_taken_back(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let before = digests(session);
    let aside = update(session, "account", 1, &[("name", Value::text("aside"))]);
    let other = update(session, "account", 2, &[("name", Value::text("account 0001"))]);
    let back = then(session, &aside, &[("name", Value::text("account 0002"))]);
    let run = apply_items(session, &[item([aside, other, back])], 50);
    let after = digests(session);
    for mode in UndoMode::ALL {
        let undone = take_back(session, &run.id, mode);
        assert_eq!(ended(&undone.tally), [1, 0, 0]);
        assert_eq!(digests(session), before, "{mode}");
        take_back(session, &undone.id, mode);
        assert_eq!(digests(session), after, "{mode}");
    }
}

fn a_row_that_many_batches_changed_is_taken_back_in_order(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=1);
    let before = digests(session);
    // Each batch in a millisecond of its own, also those whose text ends in a zero.
    let mut changes = vec![update(session, "account", 1, &[("balance", Value::Integer(0))])];
    for balance in 1..60 {
        let last = changes.last().unwrap().clone();
        changes.push(then(session, &last, &[("balance", Value::Integer(balance))]));
    }
    let items: Vec<_> = changes.into_iter().map(|change| item([change])).collect();
    let run = apply_items(session, &items, 1);
    assert_eq!(ended(&run.tally), [60, 0, 0]);
    let undone = take_back(session, &run.id, UndoMode::Refuse);
    assert_eq!(ended(&undone.tally), [60, 0, 0]);
    assert_eq!(digests(session), before);
}

fn rows_that_were_there_already_stay(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=3);
    let items = [
        set_balance(session, 1, 7),
        item([
            update(session, "account", 2, &[("balance", Value::Integer(8))]),
            insert(session, "entry", &entry(5, 2)),
        ]),
        item([insert(session, "account", &account(9))]),
    ];
    let plan = plan(session, &items);
    sql(session, "UPDATE account SET balance = 7 WHERE id = 1; UPDATE account SET balance = 8 WHERE id = 2");
    let there = insert(session, "account", &account(9));
    write(session, &[there]);
    let before = digests(session);
    let run = apply_plan(session, &plan, batches_of(50)).unwrap();
    let undone = take_back(session, &run.id, UndoMode::Force);
    assert_eq!(ended(&undone.tally), [1, 0, 0]);
    assert_eq!(digests(session), before);
}

fn replayed_items_are_taken_back_with_their_run(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=6);
    let before = digests(session);
    let mut items: Vec<_> = (1..=4).map(|id| set_balance(session, id, 1)).collect();
    items.push(set_balance(session, 5, -1));
    items.push(set_balance(session, 6, -1));
    let run = apply_items(session, &items, 2);
    let waiting = quarantine::list(session.store.as_mut(), Some(&run.id), false).unwrap();
    let repaired = waiting.iter().find(|waiting| waiting.label == "account 5").unwrap();
    quarantine::edit(session, &repaired.id, &[("balance".into(), "5".into())], "").unwrap();
    let run = quarantine::replay(session, std::slice::from_ref(&repaired.id), None, "").unwrap();
    assert_eq!(ended(&run.tally), [5, 0, 1]);
    assert_eq!(text(session, 5, "balance"), Value::Integer(5));
    let undone = take_back(session, &run.id, UndoMode::Refuse);
    assert_eq!(ended(&undone.tally), [5, 0, 0]);
    assert_eq!(digests(session), before);
}

fn a_column_that_came_since_is_kept(place: &Place) {
    for mode in UndoMode::ALL {
        let session = &mut place.session();
        sql(session, "DELETE FROM account");
        seed(session, 1..=4);
        let before = digests(session);
        let items = [
            set_balance(session, 1, 1),
            set_balance(session, 2, 1),
            item([delete(session, "account", 3)]),
            item([insert(session, "account", &account(9))]),
        ];
        let run = apply_items(session, &items, 50);
        // By somebody else's connection.
        sql(&mut place.session(), "ALTER TABLE account ADD COLUMN extra text");
        sql(session, "UPDATE account SET extra = 'filled' WHERE id IN (1, 4)");
        let undone = take_back(session, &run.id, mode);
        assert_eq!(ended(&undone.tally), [4, 0, 0], "{mode}");
        assert_eq!(text(session, 1, "extra"), Value::text("filled"));
        sql(session, "UPDATE account SET extra = NULL");
        assert_eq!(digests(session), before, "{mode}");
        sql(session, "UPDATE account SET extra = 'filled' WHERE id IN (1, 4)");
        take_back(session, &undone.id, mode);
        sql(&mut place.session(), "ALTER TABLE account DROP COLUMN extra");
    }
}

fn an_open_run_is_not_undone(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=6);
    let items: Vec<_> = (1..=6).map(|id| set_balance(session, id, 1)).collect();
    let plan = plan(session, &items);
    session.probe = CrashAt::new("batch.committed", 1);
    apply_plan(session, &plan, batches_of(2)).unwrap_err();
    let session = &mut place.session();
    let open = run::list(session.store.as_mut()).unwrap().remove(0);
    let error = undo::undo(session, &open.id, UndoMode::Skip, &batches_of(2), "").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("plimsoll resume"), "{error}");
    control::resume(session, &open.id, None, &|_| {}).unwrap();
    take_back(session, &open.id, UndoMode::Refuse);
}
