//! What the sync core promises, against a model and against the defects of the earlier system.

mod defects;
mod increments;
mod merging;
mod model;
mod planning;

use super::conflict::{Answer, Pick};
use super::field::{ChangeUnit, FieldClass, LinkShape, NoRules, Policy, Rules};
use super::hybrid::HybridTime;
use super::plan::{Action, Dispatch, Event, PlanError, Step, step};
use super::record::{Edit, Fields, Observed, OperationId, Origin, RowState, SyncRecord, Version};
use super::simulate::{Counts, simulate};
use crate::value::Value;

fn fields(values: &[(&str, i64)]) -> Fields {
    values.iter().map(|(name, value)| ((*name).to_owned(), Value::Integer(*value))).collect()
}

fn row(version: u64, values: &[(&str, i64)]) -> RowState {
    let (version, fields) = (Version(version), fields(values));
    RowState::Present(Observed { version, fields, changed_at: None, origin: Origin::Untold })
}

fn made_by(state: RowState, operation: &OperationId) -> RowState {
    let RowState::Present(row) = state else { return state };
    RowState::Present(Observed { origin: Origin::Operation(operation.clone()), ..row })
}

fn at(ms: u64) -> HybridTime {
    HybridTime { ms, tick: 0, node: "here".into() }
}

fn unit(names: &[&str], class: FieldClass, policy: Policy) -> ChangeUnit {
    ChangeUnit { fields: names.iter().map(ToString::to_string).collect(), class, policy }
}

/// A record that events are fed to.
struct Desk<'a> {
    shape: LinkShape,
    rules: &'a dyn Rules,
    record: SyncRecord,
    edits: u64,
}

impl Desk<'_> {
    fn new(units: Vec<ChangeUnit>, start: RowState) -> Self {
        let shape = LinkShape::new(units).unwrap();
        let mut desk = Self { shape, rules: &NoRules, record: SyncRecord::new("r"), edits: 0 };
        desk.take(Event::Observed(start));
        desk
    }

    fn try_take(&mut self, event: Event) -> Result<Vec<Action>, PlanError> {
        let Step { record, actions } = step(&self.shape, self.rules, &self.record, event)?;
        self.record = record;
        Ok(actions)
    }

    fn take(&mut self, event: Event) -> Vec<Action> {
        self.try_take(event).unwrap()
    }

    fn draft(&mut self, values: &[(&str, i64)]) -> String {
        self.edits += 1;
        let id = format!("e{}", self.edits);
        let edit = Edit { id: id.clone(), author: "ann".into() };
        self.take(Event::Draft { edit, at: at(self.edits), fields: fields(values) });
        id
    }

    fn edit(&mut self, values: &[(&str, i64)]) -> Vec<Action> {
        let edit = self.draft(values);
        self.take(Event::Commit { edit })
    }

    fn send(&mut self) -> Dispatch {
        let actions = self.take(Event::Send);
        let [Action::Dispatch(request)] = &actions[..] else { panic!("{actions:?}") };
        request.clone()
    }

    fn unknown(&mut self, request: &Dispatch) -> Vec<Action> {
        self.take(Event::Unknown { operation: request.operation.clone(), reason: "timeout".into() })
    }

    fn answer(&mut self, shown: u64, otherwise: Pick) -> Result<Vec<Action>, PlanError> {
        self.try_take(Event::Answer(Answer { shown, otherwise, fields: std::collections::BTreeMap::new() }))
    }
}

#[test]
fn simulated_histories_break_no_invariant() {
    let mut sum = Counts::default();
    for seed in 0..4_000 {
        let counts = simulate(seed).unwrap_or_else(|violation| panic!("{violation}"));
        sum.add(&counts);
    }
    // A simulation in which nothing happens proves nothing.
    for (what, times) in [
        ("commits", sum.commits),
        ("effects", sum.effects),
        ("foreign", sum.foreign),
        ("conflicts", sum.conflicts),
        ("undecidable", sum.undecidable),
        ("limbo", sum.limbo),
        ("dead letters", sum.dead_letters),
        ("lost", sum.lost),
        ("counted", sum.counted),
    ] {
        assert!(times > 300, "{what}: {times}");
    }
    for (what, times) in sum.faults.named() {
        assert!(times > 300, "{what}: {times}");
    }
}

#[test]
fn a_seed_repeats_its_history() {
    for seed in 0..20 {
        assert_eq!(simulate(seed), simulate(seed));
    }
}
