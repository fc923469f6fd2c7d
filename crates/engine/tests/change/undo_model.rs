//! Undo against a model: random histories, every mode, compared with what the words of the design say.
//!
//! Owns the model, which is written from the documents and not from the code: it keeps all rows in a map,
//! remembers what each run wrote, and takes a run back by brute force. Histories are runs of inserts, updates
//! and deletes in items of several rows, edits by somebody else, and undos in between.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::id::Id;
use plimsoll_core::run::RunStatus;
use plimsoll_core::table::Image;
use plimsoll_core::undo::UndoMode;
use plimsoll_engine::change::{run, undo, verify};
use plimsoll_engine::session::Session;
use plimsoll_engine::{ErrorKind, event};
use plimsoll_testkit::fixture::*;
use proptest::prelude::*;

use crate::model::{Kind, Maker, Op, Row, State, Written, cases, change_of, check, op, put, valid};

#[derive(Debug, Clone)]
enum Step {
    /// A run of these items in batches of so many.
    Run(Vec<Vec<Op>>, u64),
    /// Somebody else changes a row.
    Edit(Op),
    /// Somebody else sets a row to what it was before (or after) a change of a run.
    SetBack(usize, usize, bool),
    /// An undo of a run.
    Undo(usize, UndoMode),
}

#[derive(Debug, Clone)]
struct History {
    steps: Vec<Step>,
    target: usize,
    size: u64,
}

fn a_run() -> impl Strategy<Value = Step> {
    let items = prop::collection::vec(prop::collection::vec(op(), 1..4), 1..6);
    (items, prop_oneof![Just(1_u64), Just(2), Just(50)]).prop_map(|(items, size)| Step::Run(items, size))
}

fn history() -> impl Strategy<Value = History> {
    let step = prop_oneof![
        4 => op().prop_map(Step::Edit),
        1 => (0..9_usize, 0..9_usize, any::<bool>()).prop_map(|(r, c, b)| Step::SetBack(r, c, b)),
        2 => a_run(),
        1 => (0..9_usize, prop_oneof![Just(UndoMode::Skip), Just(UndoMode::Merge)])
            .prop_map(|(r, mode)| Step::Undo(r, mode)),
    ];
    let size = prop_oneof![3 => Just(1_u64), 1 => Just(2), 1 => Just(50)];
    (a_run(), prop::collection::vec(step, 0..8), 0..9_usize, size).prop_map(|(first, rest, target, size)| {
        let mut steps = vec![first];
        steps.extend(rest);
        History { steps, target, size }
    })
}

/// A run as the model remembers it.
#[derive(Debug, Clone)]
struct Past {
    id: Id,
    items: Vec<Vec<Written>>,
    undoes: Option<usize>,
    /// Whether it left nothing undone.
    clean: bool,
}

/// What an undo comes to, by the model.
#[derive(Debug, Default)]
struct Undone {
    state: State,
    /// Items as written.
    items: Vec<Vec<Written>>,
    planned: u64,
    already: u64,
    edited: u64,
    /// Items that the database refused, and those that conflicted because of them.
    failed: u64,
}

/// What to make of a row in `mode`: `Ok(None)` leaves it as it is because nothing is left to restore,
/// `Err(true)` because of an edit that holds the whole item, `Err(false)` because of an edit of this row.
fn wanted(
    mode: UndoMode,
    before: Option<&Image>,
    after: Option<&Image>,
    current: Option<&Image>,
) -> Result<Option<Option<Image>>, bool> {
    if current == before {
        return Ok(None);
    }
    if current == after || mode == UndoMode::Force {
        return Ok(Some(before.cloned()));
    }
    if let (UndoMode::Merge, Some(before), Some(after)) = (mode, before, after) {
        let Some(current) = current else { return Err(false) };
        let restored: Image = (0..current.len())
            .map(|at| {
                let ours = before[at] != after[at] && current[at] == after[at];
                if ours { before[at].clone() } else { current[at].clone() }
            })
            .collect();
        if restored != *current {
            return Ok(Some(Some(restored)));
        }
        let edited = (0..current.len())
            .any(|at| before[at] != after[at] && current[at] != before[at] && current[at] != after[at]);
        return if edited { Err(false) } else { Ok(None) };
    }
    Err(true)
}

/// Takes a run back in a mode other than `cascade`.
fn undone(state: &State, past: &Past, mode: UndoMode) -> Undone {
    let mut result = Undone { state: state.clone(), ..Undone::default() };
    let mut first: BTreeMap<Row, Option<Image>> = BTreeMap::new();
    for (key, before, _) in past.items.iter().flatten() {
        first.entry(*key).or_insert_with(|| before.clone());
    }
    // Whatever happened in between, such a row is what it was before the run.
    first.retain(|key, before| state.get(key) != before.as_ref());
    let mut expected = state.clone();
    let mut plan: Vec<Vec<Written>> = Vec::new();
    for item in past.items.iter().rev() {
        let mut trial = expected.clone();
        let (mut writes, mut held, mut kept) = (Vec::new(), false, false);
        for (key, before, after) in item.iter().rev() {
            let current = trial.get(key).cloned();
            if !first.contains_key(key) {
                continue;
            }
            match wanted(mode, before.as_ref(), after.as_ref(), current.as_ref()) {
                Ok(None) => {}
                Ok(Some(new)) => {
                    put(&mut trial, *key, new.clone());
                    writes.push((*key, current, new));
                }
                Err(whole) => {
                    held |= whole;
                    kept = true;
                }
            }
        }
        if held || (kept && writes.is_empty()) {
            result.edited += 1;
        } else if writes.is_empty() {
            result.already += 1;
        } else {
            expected = trial;
            plan.push(writes);
        }
    }
    result.planned = plan.len() as u64;
    // Then the plan meets the database, item by item.
    for item in plan {
        let mut trial = result.state.clone();
        let mut written = Vec::new();
        let fits = item.into_iter().all(|(key, from, to)| {
            let current = trial.get(&key);
            if current != from.as_ref() {
                // Not what was planned, but already what was wanted.
                return current == to.as_ref();
            }
            put(&mut trial, key, to.clone());
            written.push((key, from, to));
            valid(&trial)
        });
        if !fits {
            result.failed += 1;
        } else if !written.is_empty() {
            result.state = trial;
            result.items.push(written);
        }
    }
    result
}

/// The runs to take back before `target`, newest first, and then `target` itself.
fn cascade(pasts: &[Past], target: usize) -> Vec<usize> {
    let rows =
        |at: usize| -> BTreeSet<_> { pasts[at].items.iter().flatten().map(|(key, ..)| *key).collect() };
    fn gone(pasts: &[Past], at: usize) -> bool {
        (at + 1..pasts.len())
            .any(|later| pasts[later].undoes == Some(at) && pasts[later].clean && !gone(pasts, later))
    }
    let candidate = |at: usize| !gone(pasts, at) && pasts[at].undoes.is_none_or(|undone| undone < target);
    let mut chosen = BTreeSet::from([target]);
    loop {
        let next = (target + 1..pasts.len()).find(|&at| {
            !chosen.contains(&at)
                && candidate(at)
                && chosen.iter().any(|&earlier| earlier < at && !rows(earlier).is_disjoint(&rows(at)))
        });
        match next {
            Some(at) => chosen.insert(at),
            None => return chosen.into_iter().rev().collect(),
        };
    }
}

struct World {
    session: Session,
    state: State,
    pasts: Vec<Past>,
    maker: Maker,
}

impl World {
    fn new(place: &Place) -> Self {
        let mut world =
            Self { session: place.session(), state: State::new(), pasts: vec![], maker: Maker::new() };
        for (kind, id) in [(Kind::InsertAccount, 1), (Kind::InsertAccount, 2), (Kind::InsertEntry, 1)] {
            world.edit(&Op { kind, id, account: 1, columns: 7 });
        }
        world
    }

    fn edit(&mut self, op: &Op) {
        if let Some(written) = self.maker.written(&mut self.session, &self.state, op) {
            self.write_past_the_engine(&written);
        }
    }

    fn write_past_the_engine(&mut self, written: &Written) {
        let change = change_of(&mut self.session, written);
        write(&mut self.session, &[change]);
        put(&mut self.state, written.0, written.2.clone());
    }

    fn set_back(&mut self, run: usize, change: usize, before: bool) {
        let Some(past) = self.pasts.get(run % self.pasts.len()) else { return };
        let all: Vec<Written> = past.items.iter().flatten().cloned().collect();
        let Some((key, from, to)) = all.get(change % all.len().max(1)) else { return };
        let (row, current) = (if before { from } else { to }.clone(), self.state.get(key).cloned());
        let mut next = self.state.clone();
        put(&mut next, *key, row.clone());
        if row != current && valid(&next) {
            self.write_past_the_engine(&(*key, current, row));
        }
    }

    fn run(&mut self, ops: &[Vec<Op>], size: u64) {
        let mut state = self.state.clone();
        let mut items = Vec::new();
        for ops in ops {
            let mut item = Vec::new();
            for op in ops {
                if let Some(written) = self.maker.written(&mut self.session, &state, op) {
                    put(&mut state, written.0, written.2.clone());
                    item.push(written);
                }
            }
            if !item.is_empty() {
                items.push(item);
            }
        }
        let engine_items: Vec<_> = items
            .iter()
            .map(|written| {
                item(written.iter().map(|written| change_of(&mut self.session, written)).collect::<Vec<_>>())
            })
            .collect();
        let run = apply_items(&mut self.session, &engine_items, size);
        assert_eq!(run.tally.applied, items.len() as u64, "{run:?}");
        self.pasts.push(Past { id: run.id, items, undoes: None, clean: true });
        self.state = state;
    }

    /// Undoes a run in the store and in the model; the model's word must come true.
    fn undo(&mut self, target: usize, mode: UndoMode, size: u64) -> Vec<usize> {
        let targets = if mode == UndoMode::Cascade { cascade(&self.pasts, target) } else { vec![target] };
        let known: BTreeSet<Id> = self.pasts.iter().map(|past| past.id.clone()).collect();
        let id = self.pasts[target].id.clone();
        let runs = undo::undo(&mut self.session, &id, mode, &batches_of(size), "").unwrap();
        let undoes: Vec<_> = runs.iter().map(|run| run.undoes.clone().unwrap()).collect();
        let expected: Vec<_> = targets.iter().map(|&at| self.pasts[at].id.clone()).collect();
        assert_eq!(undoes, expected, "which runs {mode} takes back");
        let mut made = Vec::new();
        for (target, run) in targets.into_iter().zip(runs) {
            let result = undone(&self.state, &self.pasts[target], mode);
            if known.contains(&run.id) {
                // Undone before, and nothing left to do.
                assert_eq!(result.planned, 0);
                continue;
            }
            let tally = run.tally;
            assert!(run.status == RunStatus::Finished && tally.conserved());
            assert_eq!(tally.planned, result.planned + result.edited);
            assert!(verify::verify(&mut self.session, &run.id).unwrap().ok);
            if size == 1 || result.failed == 0 {
                assert_eq!(tally.applied, result.items.len() as u64, "{mode} of run {target}");
            } else if tally.applied != result.items.len() as u64 {
                // Items that the database refuses only together are refused together in one batch; the
                // model knows no batches.
                panic!("a case that the model cannot judge");
            }
            let clean = tally.clean();
            assert_eq!(clean, result.edited + result.failed == 0);
            self.state = result.state;
            made.push(self.pasts.len());
            self.pasts.push(Past { id: run.id, items: result.items, undoes: Some(target), clean });
        }
        made
    }

    fn check(&mut self, what: &str) {
        check(&mut self.session, &self.state, what);
    }
}

/// Whether one batch of `size` may treat the items of this undo otherwise than one by one.
fn is_clear(world: &World, target: usize, mode: UndoMode, size: u64) -> bool {
    if size == 1 {
        return true;
    }
    let targets = if mode == UndoMode::Cascade { cascade(&world.pasts, target) } else { vec![target] };
    let mut state = world.state.clone();
    targets.into_iter().all(|target| {
        let result = undone(&state, &world.pasts[target], mode);
        state = result.state;
        result.failed == 0
    })
}

fn hold(history: &History) {
    let place = place();
    let mut world = World::new(&place);
    for step in &history.steps {
        match step {
            Step::Run(ops, size) => world.run(ops, *size),
            Step::Edit(op) => world.edit(op),
            Step::SetBack(run, change, before) => world.set_back(*run, *change, *before),
            Step::Undo(run, mode) => drop(world.undo(run % world.pasts.len(), *mode, 1)),
        }
        world.check("after a step");
    }
    let target = history.target % world.pasts.len();
    let World { session, state, pasts, maker } = world;
    drop(session);
    for mode in UndoMode::ALL {
        let place = place.copy();
        let session = place.session();
        let mut world = World { session, state: state.clone(), pasts: pasts.clone(), maker: maker.clone() };
        let size = if is_clear(&world, target, mode, history.size) { history.size } else { 1 };
        take_back_and_forth(&mut world, target, mode, size);
    }
}

fn take_back_and_forth(world: &mut World, target: usize, mode: UndoMode, size: u64) {
    let before = world.state.clone();
    let expected = undone(&before, &world.pasts[target], mode);
    let id = world.pasts[target].id.clone();
    let runs = run::list(world.session.store.as_mut()).unwrap().len();
    match undo::plan_undo(&mut world.session, &id, mode) {
        Ok((_, preview)) => {
            let counts = (preview.restored, preview.already, preview.edited);
            assert_eq!(counts, (expected.planned, expected.already, expected.edited), "{mode}");
        }
        Err(error) => {
            assert!(mode == UndoMode::Refuse && expected.edited > 0, "{error}");
            assert_eq!(error.kind, ErrorKind::Refused, "{error}");
            world.check("after a refusal");
            assert_eq!(run::list(world.session.store.as_mut()).unwrap().len(), runs);
            return;
        }
    }
    let made = world.undo(target, mode, size);
    world.check(&format!("after an undo by {mode}"));
    let after = world.state.clone();
    let complete = made.iter().all(|&at| world.pasts[at].clean);
    if complete && mode != UndoMode::Cascade {
        world.undo(target, mode, 1);
        world.check(&format!("after a second undo by {mode}"));
        assert_eq!(world.state, after, "a second undo by {mode} changes something");
    }
    if world.pasts.len() == made.last().map_or(0, |last| last + 1) {
        for at in made.into_iter().rev() {
            world.undo(at, UndoMode::Refuse, size);
        }
        world.check(&format!("after the undo of an undo by {mode}"));
        assert_eq!(world.state, before, "the undo of an undo by {mode} does not restore");
    }
    assert_eq!(event::verify(world.session.store.as_mut()).unwrap(), Vec::<String>::new());
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn every_mode_does_what_the_model_says(history in history()) {
        hold(&history);
    }
}
