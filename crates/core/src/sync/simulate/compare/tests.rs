//! What the comparison shows, on a few hundred histories, and that the referee can count.

use super::master::Guard;
use super::referee::Referee;
use super::*;

const HISTORIES: u64 = 400;
/// In this one a deletion that waited behind an edit once took along what others had written meanwhile.
const A_DELETION_BEHIND_AN_EDIT: u64 = 6_976;

fn sums() -> BTreeMap<System, Tally> {
    let mut sums: BTreeMap<System, Tally> = BTreeMap::new();
    for seed in (0..HISTORIES).chain([A_DELETION_BEHIND_AN_EDIT]) {
        for (system, tally) in compare(seed) {
            sums.entry(system).or_default().add(&tally);
        }
    }
    sums
}

#[test]
fn ours_loses_nothing_where_the_earlier_algorithms_lose_updates() {
    let sums = sums();
    for system in [System::Plimsoll, System::PlimsollWithKeys] {
        let ours = sums[&system];
        assert_eq!(
            (ours.lost_updates, ours.silent_overwrites, ours.writes_doubled, ours.not_converged),
            (0, 0, 0, 0),
            "{system:?}: {ours:?}"
        );
        assert!(ours.conflicts_true > HISTORIES, "people are asked where the sides disagree: {ours:?}");
        assert!(ours.edits_here > 5 * HISTORIES && ours.edits_there > 5 * HISTORIES, "{ours:?}");
    }
    // A comparison that cannot find a loss says nothing about ours.
    let (pfa, lucky) = (sums[&System::EarlierPfa], sums[&System::EarlierLuckyGas]);
    assert!(pfa.lost_updates > 0 && pfa.silent_overwrites > 0 && pfa.conflicts_false > 0, "{pfa:?}");
    assert!(pfa.not_converged > 0, "{pfa:?}");
    assert!(lucky.lost_updates > HISTORIES && lucky.writes_doubled > 0, "{lucky:?}");
    assert_eq!(lucky.conflicts_true + lucky.conflicts_false, 0, "its inbox holds nothing");
}

#[test]
fn a_seed_repeats_its_comparison() {
    for seed in 0..5 {
        assert_eq!(compare(seed), compare(seed));
    }
}

fn row(cost: i64) -> Option<Row> {
    Some(Row::from([("cost", cost)]))
}

/// A row whose cost is 1, which somebody here changed to 2 and somebody there to 3, neither having seen the other.
fn two_edits() -> Referee {
    let mut referee = Referee::default();
    referee.given(1);
    for (by, value) in [(Party::Here, 2), (Party::There, 3)] {
        referee.authored(by, value, Some(1));
        referee.wrote(by, 0, "cost", value);
    }
    referee
}

#[test]
fn the_referee_counts_a_planted_loss_and_nothing_else() {
    let lost = |referee: &Referee, end: i64| referee.lost(&[row(end)], &[row(end)]);
    assert_eq!(lost(&two_edits(), 3), 1, "2 is nowhere, was shown to nobody, and followed by nothing");
    assert_eq!(lost(&two_edits(), 1), 2, "an old row that comes back loses both");
    assert_eq!(two_edits().lost(&[row(2)], &[row(3)]), 0, "the sides differ, and both edits are there");

    let mut shown = two_edits();
    shown.show(0, [2, 3], false);
    assert_eq!(lost(&shown, 3), 0, "a person was shown 2 and decided");
    let mut followed = two_edits();
    followed.authored(Party::There, 4, Some(2));
    followed.wrote(Party::There, 0, "cost", 4);
    assert_eq!(lost(&followed, 4), 0, "4 was written by someone who saw 2, over 3 on the same side");
    let mut deleted = two_edits();
    deleted.deleted(Party::There, 0, &Row::from([("cost", 3)]));
    assert_eq!(deleted.lost(&[None], &[None]), 1, "whoever deleted the row had not seen 2");
    assert_eq!(lost(&deleted, 3), 2, "2, and the deletion itself, which nobody took back");
}

#[test]
fn the_referee_counts_a_silent_overwrite_on_the_side_where_it_happens() {
    let silent = |on, before, after: Option<i64>| {
        two_edits().silent(on, 0, row(before).as_ref(), after.and_then(row).as_ref())
    };
    assert_eq!(silent(Party::There, 3, Some(2)), 1, "a write over a value that its author never saw");
    assert_eq!(silent(Party::Here, 2, Some(3)), 1, "a pull over an edit");
    assert_eq!(silent(Party::Here, 2, Some(1)), 1, "an older value over a newer one");
    assert_eq!(silent(Party::Here, 2, None), 1, "a deletion by nobody");
    assert_eq!(silent(Party::There, 1, Some(2)), 0, "an edit by someone who saw the value");
    assert_eq!(silent(Party::Here, 1, Some(3)), 0, "news from the other side");
}

#[test]
fn the_referee_tells_a_real_question_from_a_false_one() {
    let disagree = |here, there| two_edits().disagree(0, row(here).as_ref(), row(there).as_ref());
    assert!(disagree(2, 3), "both changed the field");
    assert!(!disagree(2, 1) && !disagree(1, 3) && !disagree(2, 2), "one side changed it, or both agree");
}

#[test]
fn the_remote_counts_what_is_applied_twice() {
    let script = Script::new(0);
    for (keeps_keys, guard, doubled) in
        [(false, Guard::Nothing, 1), (false, Guard::Version(1), 0), (true, Guard::Nothing, 0)]
    {
        let mut master = Master::new(&script, keeps_keys);
        // After the faults.
        master.turn(MINUTES);
        let change = Change::Write(Row::from([("cost", 1_000)]));
        let request = Request { row: 0, operation: 1, guard, change, stamp_ms: None };
        let first = master.send(&request);
        assert!(matches!(first, Reply::Done(_)), "{first:?}");
        master.send(&request);
        assert_eq!((master.tally.writes_sent, master.tally.writes_doubled), (2, doubled), "{guard:?}");
    }
}
