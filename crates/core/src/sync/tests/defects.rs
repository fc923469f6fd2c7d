//! The defects of the earlier equipment sync, each as a test that is red while the defect is in. P5, P6, P7 and the
//! cap of P11 are tested beside the leases, the retries, the rate and the vanishing rows.

use super::super::conflict::{ConflictKind, FieldConflict};
use super::super::field::Broken;
use super::super::outbox::OutboxState;
use super::super::plan::Outcome;
use super::super::record::Expected;
use super::*;

fn expected(version: u64) -> Expected {
    Expected::Version(Version(version))
}

#[test]
fn defect_p1_a_conflict_is_seen_whether_the_version_moved_by_one_or_by_two() {
    for version in [2, 3] {
        let mut desk = Desk::new(Vec::new(), row(1, &[("cost", 100), ("size", 1)]));
        desk.edit(&[("cost", 150)]);
        let actions = desk.take(Event::Observed(row(version, &[("cost", 120), ("size", 1)])));
        assert!(actions.contains(&Action::RaiseConflict(1)), "{version}: {actions:?}");
        let conflict = desk.record.conflict.clone().unwrap();
        let shown = FieldConflict {
            base: Value::Integer(100),
            mine: Some(Value::Integer(150)),
            theirs: Some(Value::Integer(120)),
        };
        assert_eq!(conflict.fields["cost"], shown, "all three values are kept");
        assert_eq!(conflict.kind, ConflictKind::Edits);

        // Another field is no conflict, and neither is a version that only rose.
        let mut desk = Desk::new(Vec::new(), row(1, &[("cost", 100), ("size", 1)]));
        desk.edit(&[("cost", 150)]);
        desk.take(Event::Observed(row(version, &[("cost", 100), ("size", 9)])));
        desk.take(Event::Observed(row(version + 1, &[("cost", 100), ("size", 9)])));
        assert_eq!(desk.record.conflict, None);
        assert_eq!(desk.send().expected, expected(version + 1));
    }
}

#[test]
fn defect_p2_the_remote_guards_the_version_that_the_author_saw() {
    let mut desk = Desk::new(Vec::new(), row(1, &[("cost", 100)]));
    desk.edit(&[("cost", 150)]);
    let first = desk.send();
    // The mirror moves while an edit is drafted on top: what was sent before does not follow it.
    desk.take(Event::Observed(row(5, &[("cost", 120)])));
    desk.take(Event::Postponed { operation: first.operation, reason: "429".into() });
    let refused = desk.try_take(Event::Send);
    assert!(
        refused.is_err(),
        "version 5 was never merged with the edit, so it must not be sent: {refused:?}"
    );
    assert_eq!(desk.record.badge(), OutboxState::Conflict);
    assert_eq!(first.expected, expected(1));
}

#[test]
fn defect_p3_a_lost_acknowledgment_is_no_conflict_and_no_second_write() {
    // By rejection of the repeated request, and by reading back; told by the remote, or by the values only.
    for tells in [false, true] {
        for by_rejection in [false, true] {
            let mut desk = Desk::new(Vec::new(), row(1, &[("cost", 100)]));
            desk.edit(&[("cost", 150)]);
            let request = desk.send();
            let operation = request.operation.clone();
            let asked = desk.unknown(&request);
            assert_eq!(asked, [Action::ReadBack { operation: operation.clone(), attempt: 1 }]);
            assert!(desk.try_take(Event::Send).is_err(), "nothing is sent again before it was read back");
            let read = |current, applied| Event::ReadBack {
                operation: operation.clone(),
                attempt: 1,
                current,
                applied,
            };
            let ours = row(2, &[("cost", 150)]);
            let ours = if tells { made_by(ours, &operation) } else { ours };
            let actions = if by_rejection {
                // The first request still hangs in the network; the second one meets its effect.
                desk.take(read(row(1, &[("cost", 100)]), tells.then_some(false)));
                let again = desk.send();
                assert_eq!(
                    (again.operation, again.expected, again.attempt),
                    (operation.clone(), expected(1), 2)
                );
                desk.take(Event::Rejected { operation: operation.clone(), current: ours })
            } else {
                desk.take(read(ours, tells.then_some(true)))
            };
            let settled = Action::Settle {
                operation: operation.clone(),
                edits: vec!["e1".into()],
                outcome: Outcome::Arrived,
            };
            assert!(actions.contains(&settled), "{tells} {by_rejection}: {actions:?}");
            assert!(desk.record.conflict.is_none() && desk.record.is_quiet());
            assert!(desk.try_take(Event::Send).is_err());
        }
    }
}

#[test]
fn defect_p4_what_was_on_its_way_at_a_crash_is_taken_up_again() {
    let mut desk = Desk::new(Vec::new(), row(1, &[("cost", 100)]));
    desk.edit(&[("cost", 150)]);
    let request = desk.send();
    let stored = serde_json::to_string(&desk.record).unwrap();
    desk.record = serde_json::from_str(&stored).unwrap();
    let actions = desk.take(Event::Recover);
    assert_eq!(actions, [Action::ReadBack { operation: request.operation.clone(), attempt: 1 }]);
    assert_eq!(desk.take(Event::Recover).len(), 1, "and after the next crash once more");
    desk.take(Event::ReadBack {
        operation: request.operation.clone(),
        attempt: 1,
        current: row(1, &[("cost", 100)]),
        applied: None,
    });
    assert_eq!(desk.send().operation, request.operation);
}

#[test]
fn defect_p5_a_record_has_one_request_on_its_way() {
    let mut desk = Desk::new(Vec::new(), row(1, &[("cost", 100)]));
    desk.edit(&[("cost", 150)]);
    desk.send();
    desk.edit(&[("size", 3)]);
    assert!(matches!(desk.try_take(Event::Send), Err(PlanError::Illegal(_))));
    // Nor does a page that arrives meanwhile make the waiting edit ready.
    desk.take(Event::Observed(row(2, &[("cost", 100), ("size", 1)])));
    assert!(matches!(desk.try_take(Event::Send), Err(PlanError::Illegal(_))));
    assert_eq!(desk.record.overlay.pending.as_ref().unwrap().state, OutboxState::Committed);
}

#[test]
fn defect_p8_an_operation_has_one_state() {
    let mut desk = Desk::new(Vec::new(), row(1, &[("cost", 100)]));
    desk.edit(&[("cost", 150)]);
    desk.take(Event::Observed(row(2, &[("cost", 120)])));
    let pending = desk.record.overlay.pending.as_ref().unwrap();
    // What finds the conflict and what sends read the same word.
    assert_eq!((pending.state, desk.record.badge()), (OutboxState::Conflict, OutboxState::Conflict));
    assert!(desk.try_take(Event::Send).is_err());
}

#[test]
fn defect_p9_the_view_is_the_mirror_with_the_edited_fields_over_it() {
    let mut desk = Desk::new(Vec::new(), row(1, &[("cost", 100), ("size", 1)]));
    desk.edit(&[("cost", 150), ("new", 7)]);
    assert_eq!(desk.record.view(), Some(fields(&[("cost", 150), ("new", 7), ("size", 1)])));
    assert_eq!(desk.record.mirror.fields(), Some(&fields(&[("cost", 100), ("size", 1)])));
    assert_eq!(desk.send().fields, Some(fields(&[("cost", 150), ("new", 7)])), "and only they are sent");
}

struct StartBeforeEnd;

impl Rules for StartBeforeEnd {
    fn check(&self, _before: Option<&Fields>, merged: &Fields) -> Result<(), Broken> {
        if merged.get("start").and_then(Value::as_integer) <= merged.get("end").and_then(Value::as_integer) {
            return Ok(());
        }
        Err(Broken { fields: vec!["start".into(), "end".into()], message: "it ends before it starts".into() })
    }
}

#[test]
fn defect_p10_rules_judge_the_merged_row_and_not_the_edit_alone() {
    let mut desk = Desk::new(Vec::new(), row(1, &[("start", 1), ("end", 5)]));
    desk.rules = &StartBeforeEnd;
    let edit = desk.draft(&[("start", 6)]);
    let refused = desk.try_take(Event::Commit { edit });
    assert_eq!(refused, Err(PlanError::Broken("it ends before it starts".into())));

    // Each side is right by itself, and no field was changed by both.
    desk.edit(&[("start", 4)]);
    desk.take(Event::Observed(row(2, &[("start", 1), ("end", 3)])));
    let conflict = desk.record.conflict.clone().unwrap();
    assert_eq!(conflict.kind, ConflictKind::BrokenRule("it ends before it starts".into()));
    assert!(desk.try_take(Event::Send).is_err());
    assert!(matches!(desk.answer(1, Pick::Mine), Err(PlanError::Broken(_))), "an answer has to mend it");
    desk.answer(1, Pick::Theirs).unwrap();
    assert_eq!(desk.record.view(), Some(fields(&[("start", 1), ("end", 3)])));
}

#[test]
fn defect_p11_deletions_travel_and_old_pages_do_not_revive() {
    let mut desk = Desk::new(Vec::new(), row(3, &[("cost", 100)]));
    let gone = RowState::Gone { version: Version(3) };
    assert_eq!(desk.take(Event::Observed(gone.clone())), [Action::WriteMirror(gone)]);
    assert_eq!(desk.record.view(), None);
    for version in [1, 3] {
        assert_eq!(desk.take(Event::Observed(row(version, &[("cost", 100)]))), []);
    }
    assert_eq!(desk.record.view(), None);
    desk.take(Event::Observed(row(4, &[("cost", 9)])));
    assert_eq!(desk.record.view(), Some(fields(&[("cost", 9)])), "a newer row is a new row");

    // An edit meets the deletion: that is asked.
    desk.edit(&[("cost", 10)]);
    let actions = desk.take(Event::Observed(RowState::Gone { version: Version(5) }));
    assert!(actions.contains(&Action::RaiseConflict(1)));
    assert_eq!(desk.record.conflict.clone().unwrap().kind, ConflictKind::DeletedThere);
}
