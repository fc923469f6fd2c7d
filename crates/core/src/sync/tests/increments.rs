//! Increments: what no value of a row shows, and whom the planner asks.

use super::super::conflict::ConflictKind;
use super::super::outbox::OutboxState;
use super::*;

#[test]
fn two_equal_increments_are_two_and_a_doubtful_one_is_asked() {
    let units = || vec![unit(&["n"], FieldClass::Counter, Policy::Merge)];
    let mut desk = Desk::new(units(), row(1, &[("n", 10)]));
    desk.edit(&[("n", 12)]);
    desk.take(Event::Observed(row(2, &[("n", 12)])));
    assert_eq!(desk.send().fields, Some(fields(&[("n", 14)])));

    let mut desk = Desk::new(units(), row(1, &[("n", 10)]));
    desk.edit(&[("n", 12)]);
    let request = desk.send();
    desk.unknown(&request);
    // 13: ours and one more, or three of somebody else's. The remote is asked, and if it cannot tell, a person is.
    desk.take(Event::Observed(row(2, &[("n", 13)])));
    assert_eq!(desk.record.badge(), OutboxState::Limbo);
    let operation = request.operation.clone();
    desk.take(Event::ReadBack { operation, attempt: 1, current: row(2, &[("n", 13)]), applied: None });
    assert_eq!(desk.record.badge(), OutboxState::Conflict);
    let conflict = desk.record.conflict.clone().unwrap();
    assert_eq!(conflict.kind, ConflictKind::Doubtful);
    assert_eq!(conflict.fields["n"].mine, Some(Value::Integer(15)), "mine is the row with the increment");
    desk.answer(1, Pick::Mine).unwrap();
    assert_eq!(desk.send().fields, Some(fields(&[("n", 15)])));

    // The remote tells that 12 is somebody else's, and that ours did not arrive.
    let mut desk = Desk::new(units(), row(1, &[("n", 10)]));
    desk.edit(&[("n", 12)]);
    let request = desk.send();
    desk.unknown(&request);
    let RowState::Present(theirs) = row(2, &[("n", 12)]) else { panic!() };
    let current = RowState::Present(Observed { origin: Origin::Elsewhere, ..theirs });
    let operation = request.operation.clone();
    desk.take(Event::ReadBack { operation, attempt: 1, current, applied: Some(false) });
    let again = desk.send();
    assert_eq!(again.fields, Some(fields(&[("n", 14)])));
    assert_ne!(again.operation, request.operation, "another content is another operation");
}

#[test]
fn an_increment_taken_back_here_does_not_count_what_others_added_meanwhile() {
    let units = vec![unit(&["n"], FieldClass::Counter, Policy::Merge)];
    let mut desk = Desk::new(units, row(1, &[("n", 10), ("a", 1)]));
    desk.edit(&[("a", 2)]);
    let request = desk.send();
    desk.edit(&[("n", 12)]);
    desk.edit(&[("n", 10)]);
    desk.take(Event::Observed(row(2, &[("n", 9), ("a", 1)])));
    // Five more than the nine that is shown, and not four more than the ten that was.
    desk.edit(&[("n", 14)]);
    let operation = request.operation;
    desk.take(Event::Rejected { operation, current: row(3, &[("n", 8), ("a", 1)]) });
    assert_eq!(desk.send().fields, Some(fields(&[("a", 2), ("n", 13)])));
}

/// What answers a request, and says of this copy of it that it was not applied.
fn not_this_copy(operation: &OperationId, current: &RowState) -> [Event; 4] {
    let (operation, current) = (operation.clone(), current.clone());
    [
        Event::TurnedAway { operation: operation.clone(), reason: "429".into() },
        Event::Refused { operation: operation.clone(), reason: "422".into() },
        Event::Rejected { operation: operation.clone(), current },
        Event::Unknown { operation, reason: "timeout".into() },
    ]
}

#[test]
fn an_increment_whose_copy_may_have_been_applied_is_not_added_again() {
    // 12: ours, or somebody else's. 10: nothing happened to it, or ours was taken back. 15: both or not.
    for there in [12, 10, 15] {
        for answer in 0..4 {
            for tells in [None, Some(false), Some(true)] {
                let units = vec![unit(&["n"], FieldClass::Counter, Policy::Merge)];
                let mut desk = Desk::new(units, row(1, &[("n", 10)]));
                desk.edit(&[("n", 12)]);
                let operation = desk.send().operation;
                // Something on the way doubles the request; one copy is applied or not, the other is answered.
                let now = row(3, &[("n", there)]);
                desk.take(not_this_copy(&operation, &now)[answer].clone());
                desk.take(Event::Observed(now.clone()));
                let told = tells.filter(|_| answer != 1);
                if answer == 1 {
                    desk.take(Event::Requeue { operation: operation.clone() });
                } else {
                    assert!(desk.try_take(Event::Send).is_err(), "the remote is asked first");
                    assert_eq!(desk.record.badge(), OutboxState::Limbo);
                    let current = now.clone();
                    desk.take(Event::ReadBack { operation, attempt: 1, current, applied: tells });
                }
                let kind = desk.record.conflict.as_ref().map(|open| open.kind.clone());
                let sent = desk.try_take(Event::Send).ok();
                let case = format!("{there} {answer} {tells:?}: {kind:?} {sent:?}");
                match told {
                    None => assert!(kind == Some(ConflictKind::Doubtful) && sent.is_none(), "{case}"),
                    Some(true) => {
                        assert!(kind.is_none() && sent.is_none() && desk.record.is_quiet(), "{case}");
                    }
                    Some(false) => {
                        let [Action::Dispatch(again)] = &sent.expect(&case)[..] else { panic!("{case}") };
                        assert_eq!(again.fields, Some(fields(&[("n", there + 2)])), "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_increment_that_never_went_out_is_added_to_what_others_made_of_the_row() {
    let units = vec![unit(&["n"], FieldClass::Counter, Policy::Merge)];
    let mut desk = Desk::new(units, row(1, &[("n", 10)]));
    desk.edit(&[("n", 12)]);
    let operation = desk.send().operation;
    desk.take(Event::Postponed { operation: operation.clone(), reason: "no connection".into() });
    desk.take(Event::Observed(row(2, &[("n", 12)])));
    assert_eq!(desk.send().fields, Some(fields(&[("n", 14)])));

    // As long as the row stands where it stood, repeating is safe: at most one copy fits it.
    let units = vec![unit(&["n"], FieldClass::Counter, Policy::Merge)];
    let mut desk = Desk::new(units, row(1, &[("n", 10)]));
    desk.edit(&[("n", 12)]);
    let first = desk.send();
    desk.take(Event::TurnedAway { operation: first.operation.clone(), reason: "429".into() });
    let second = desk.send();
    assert_eq!((second.operation, second.expected), (first.operation, first.expected));
}

#[test]
fn a_doubtful_increment_is_asked_for_apart_from_what_was_added_later() {
    for (pick, sent) in [(Pick::Mine, None), (Pick::Theirs, Some(15))] {
        let units = vec![unit(&["n"], FieldClass::Counter, Policy::Merge)];
        let mut desk = Desk::new(units, row(1, &[("n", 10)]));
        desk.edit(&[("n", 12)]);
        let request = desk.send();
        desk.unknown(&request);
        // Taken back here: if the first arrived, there is still something to send, otherwise there is not.
        desk.edit(&[("n", 10)]);
        let operation = request.operation;
        desk.take(Event::ReadBack { operation, attempt: 1, current: row(3, &[("n", 17)]), applied: None });
        let shown = desk.record.conflict.as_ref().unwrap().fields["n"].clone();
        assert_eq!((shown.mine, shown.theirs), (Some(Value::Integer(17)), Some(Value::Integer(15))));
        desk.answer(1, pick).unwrap();
        assert_eq!(desk.record.overlay.pending.is_some(), sent.is_some());
        if let Some(sent) = sent {
            assert_eq!(desk.send().fields, Some(fields(&[("n", sent)])));
        }
    }
}

#[test]
fn a_doubtful_increment_is_shown_and_taken_as_a_sum_even_where_the_version_stood_still() {
    for (pick, sent) in
        [(Pick::Mine, Some(17)), (Pick::Theirs, None), (Pick::Value(Value::Integer(16)), Some(16))]
    {
        let units = vec![unit(&["n"], FieldClass::Counter, Policy::Merge)];
        let mut desk = Desk::new(units, row(1, &[("n", 10)]));
        desk.edit(&[("n", 12)]);
        let request = desk.send();
        desk.unknown(&request);
        // A remote whose versions are too coarse: the values moved under the version that the request expects.
        let current = row(1, &[("n", 15)]);
        desk.take(Event::ReadBack { operation: request.operation, attempt: 1, current, applied: None });
        assert_eq!(desk.record.conflict.as_ref().unwrap().kind, ConflictKind::Doubtful);
        desk.answer(1, pick).unwrap();
        let n = |request: Vec<Action>| match &request[..] {
            [Action::Dispatch(request)] => request.fields.clone().unwrap()["n"].clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(desk.try_take(Event::Send).ok().map(n), sent.map(Value::Integer));
    }
}

#[test]
fn a_counter_whose_policy_takes_a_side_is_judged_by_its_value() {
    let units = vec![unit(&["n"], FieldClass::Counter, Policy::Theirs)];
    let mut desk = Desk::new(units, row(1, &[("n", 10)]));
    desk.edit(&[("n", 12)]);
    let operation = desk.send().operation;
    desk.take(Event::TurnedAway { operation, reason: "429".into() });
    desk.take(Event::Observed(row(2, &[("n", 15)])));
    assert!(desk.record.is_quiet() && desk.record.conflict.is_none());
    assert_eq!(desk.record.view(), Some(fields(&[("n", 15)])));
}

#[test]
fn a_reading_older_than_the_row_proves_nothing_about_an_increment() {
    let units = vec![unit(&["n"], FieldClass::Counter, Policy::Merge)];
    let mut desk = Desk::new(units, row(1, &[("n", 10)]));
    desk.edit(&[("n", 12)]);
    let request = desk.send();
    desk.unknown(&request);
    let operation = request.operation;
    // Read before the last copy arrived, delivered after it was applied and somebody else went on.
    desk.take(Event::Observed(row(3, &[("n", 17)])));
    let read =
        |current, applied| Event::ReadBack { operation: operation.clone(), attempt: 1, current, applied };
    let asked = desk.take(read(row(1, &[("n", 10)]), Some(false)));
    assert_eq!(asked, [Action::ReadBack { operation: operation.clone(), attempt: 1 }]);
    desk.take(read(row(3, &[("n", 17)]), Some(true)));
    assert!(desk.record.is_quiet() && desk.record.conflict.is_none());
}
