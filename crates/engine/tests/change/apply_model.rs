//! Applying against a model: random plans on rows that moved since, in batches of any size.
//!
//! Owns the model: items are taken one by one on all rows in a map. A batch must come to the same, but for
//! items that fail only together: those it refuses together, and the rest must come to the same without them.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::item::Outcome;
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_engine::change::batch::Exception;
use plimsoll_engine::change::run::Run;
use plimsoll_engine::change::verify;
use plimsoll_engine::session::Session;
use plimsoll_testkit::fixture::*;
use proptest::prelude::*;

use crate::model::{Kind, Maker, Op, State, Written, cases, change_of, check, column, op, put, valid};

/// How a written row is spoiled.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    /// A balance that the check refuses.
    Negative,
    /// No name.
    Nameless,
    /// A name that may be taken by others too.
    Popular,
}

#[derive(Debug, Clone)]
struct Story {
    items: Vec<Vec<(Op, Fault)>>,
    edits: Vec<Op>,
    size: u64,
}

fn story() -> impl Strategy<Value = Story> {
    let fault = prop_oneof![
        12 => Just(Fault::None),
        1 => Just(Fault::Negative),
        1 => Just(Fault::Nameless),
        2 => Just(Fault::Popular),
    ];
    let item = prop::collection::vec((op(), fault), 1..4);
    let size = prop_oneof![Just(2_u64), Just(3), Just(50)];
    (prop::collection::vec(item, 1..9), prop::collection::vec(op(), 0..4), size)
        .prop_map(|(items, edits, size)| Story { items, edits, size })
}

fn spoiled((key, before, mut after): Written, fault: Fault) -> Written {
    if let ("account", Some(row)) = (key.0, &mut after) {
        match fault {
            Fault::None => {}
            Fault::Negative => row[column::BALANCE] = Value::Integer(-1),
            Fault::Nameless => row[column::NAME] = Value::Null,
            Fault::Popular => row[column::NAME] = Value::text("popular"),
        }
    }
    (key, before, after)
}

/// One item on its own: what it comes to, and the rows after it.
fn one(state: &State, item: &[Written]) -> (Outcome, State) {
    let (mut next, mut wrote, mut fits) = (state.clone(), false, true);
    for (position, (key, before, after)) in item.iter().enumerate() {
        let current = next.get(key);
        let last = item[position + 1..].iter().rev().find(|(other, ..)| other == key);
        if current == before.as_ref() && before != after {
            put(&mut next, *key, after.clone());
            fits &= valid(&next);
            wrote = true;
        } else if current != after.as_ref() && last.is_none_or(|(_, _, after)| current != after.as_ref()) {
            return (Outcome::Conflicted, state.clone());
        }
    }
    match (fits, wrote) {
        (false, _) => (Outcome::Quarantined, state.clone()),
        (true, false) => (Outcome::Noop, state.clone()),
        (true, true) => (Outcome::Applied, next),
    }
}

/// All items one by one, but for those in `without`.
fn one_by_one(state: &State, items: &[Vec<Written>], without: &BTreeSet<u64>) -> (Vec<Outcome>, State) {
    let mut state = state.clone();
    let outcomes = items.iter().zip(0..).map(|(item, at)| {
        if without.contains(&at) {
            return Outcome::Quarantined;
        }
        let (outcome, next) = one(&state, item);
        state = next;
        outcome
    });
    let outcomes = outcomes.collect();
    (outcomes, state)
}

/// How each item of a run ended, and which were refused together with others.
fn told(session: &mut Session, run: &Run, items: usize) -> (Vec<Outcome>, BTreeSet<u64>) {
    let sql = format!("SELECT exceptions FROM plimsoll_batch WHERE run = '{}'", run.id);
    let mut outcomes = vec![Outcome::Applied; items];
    let mut together = BTreeSet::new();
    for row in session.store.query(&sql, &[]).unwrap() {
        for exception in serde_json::from_str::<Vec<Exception>>(row[0].as_text().unwrap()).unwrap() {
            outcomes[usize::try_from(exception.item).unwrap()] = exception.outcome;
            if !exception.together_with.is_empty() {
                together.insert(exception.item);
            }
        }
    }
    (outcomes, together)
}

fn hold(story: &Story) {
    let place = place();
    let mut open = place.session();
    let session = &mut open;
    let mut maker = Maker::new();
    let mut state = State::new();
    for (kind, id) in [
        (Kind::InsertAccount, 1),
        (Kind::InsertAccount, 2),
        (Kind::InsertAccount, 3),
        (Kind::InsertEntry, 1),
        (Kind::InsertEntry, 2),
    ] {
        edit(session, &mut maker, &mut state, &Op { kind, id, account: 1, columns: 7 });
    }
    let mut planned = state.clone();
    let mut items: Vec<Vec<Written>> = Vec::new();
    for ops in &story.items {
        let mut item = Vec::new();
        for (op, fault) in ops {
            if let Some(written) = maker.proposed(session, &planned, op) {
                let written = spoiled(written, *fault);
                put(&mut planned, written.0, written.2.clone());
                item.push(written);
            }
        }
        if !item.is_empty() {
            items.push(item);
        }
    }
    let changes: Vec<_> = items
        .iter()
        .map(|written| item(written.iter().map(|one| change_of(session, one)).collect::<Vec<_>>()))
        .collect();
    let plan = plan(session, &changes);
    for op in &story.edits {
        edit(session, &mut maker, &mut state, op);
    }
    drop(open);
    let copy = place.copy();
    for (place, size) in [(&copy, 1), (&place, story.size)] {
        let session = &mut place.session();
        let run = apply_plan(session, &plan, batches_of(size)).unwrap();
        assert!(run.status == RunStatus::Finished && run.tally.conserved());
        let (outcomes, together) = told(session, &run, items.len());
        let (mut expected, after) = one_by_one(&state, &items, &together);
        for (expected, outcome) in expected.iter_mut().zip(&outcomes) {
            // What is bad on top of a refused item may have been found bad before that one was refused.
            if !together.is_empty() && (*expected, *outcome) == (Outcome::Conflicted, Outcome::Quarantined) {
                *expected = Outcome::Quarantined;
            }
        }
        assert_eq!(outcomes, expected, "batches of {size}");
        assert!(size > 1 || together.is_empty());
        check(session, &after, &format!("batches of {size}"));
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for outcome in outcomes {
            *counts.entry(outcome.as_str()).or_default() += 1;
        }
        assert_eq!(counts.get("applied").copied().unwrap_or(0), run.tally.applied);
        assert_eq!(counts.get("quarantined").copied().unwrap_or(0), run.tally.quarantined);
        let found = verify::verify(session, &run.id).unwrap();
        assert!(found.ok && found.rows_changed_outside == 0, "{found:?}");
    }
}

fn edit(session: &mut Session, maker: &mut Maker, state: &mut State, op: &Op) {
    if let Some(written) = maker.written(session, state, op) {
        let change = change_of(session, &written);
        write(session, &[change]);
        put(state, written.0, written.2);
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn batches_come_to_what_items_one_by_one_come_to(story in story()) {
        hold(&story);
    }
}

/// Found by the test above: the second item changes and deletes a row that the first would have made. As that one is
/// refused, neither change is written, and verifying looked for both.
#[test]
fn what_an_applied_item_had_no_need_to_write_is_not_looked_for() {
    let plain = |kind, id, account| (Op { kind, id, account, columns: 1 }, Fault::None);
    let nobody = 6;
    hold(&Story {
        items: vec![
            vec![plain(Kind::InsertEntry, 3, nobody)],
            vec![
                plain(Kind::UpdateEntry, 3, 1),
                plain(Kind::DeleteEntry, 3, 1),
                plain(Kind::InsertEntry, 4, 1),
            ],
        ],
        edits: Vec::new(),
        size: 2,
    });
}
