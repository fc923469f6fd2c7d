//! The waves of a cohort.

use super::super::cohort::{CohortCutover, CohortError, CohortEvent, CohortRules, CohortStep, step_cohort};
use super::*;

fn cohort_rules() -> CohortRules {
    CohortRules { member: rules(), handovers_at_most: 2 }
}

fn go(cohort: &CohortCutover, event: CohortEvent) -> CohortStep {
    step_cohort(&cohort_rules(), cohort, event).unwrap()
}

fn let_on(cohort: &CohortCutover, at_ms: u64) -> Result<CohortStep, CohortError> {
    step_cohort(&cohort_rules(), cohort, CohortEvent::Advance { verdict: Verdict::Go, at_ms })
}

fn answered(cohort: &CohortCutover, at_ms: u64) -> CohortCutover {
    let mut cohort = cohort.clone();
    for member in cohort.members.values_mut() {
        *member = answer_all(member, at_ms);
    }
    cohort
}

fn begun() -> CohortCutover {
    let names = ["a", "b", "c", "d", "e"].map(String::from);
    let cohort = CohortCutover::new(names, ["a".to_owned(), "b".to_owned(), "x".to_owned()]);
    assert_eq!(cohort.canary.len(), 2);
    go(&cohort, CohortEvent::Start { at_ms: 0 }).cohort
}

#[test]
fn the_canary_goes_first_and_handovers_wait_for_a_place() {
    let mut cohort = begun();
    let mut log = Vec::new();
    for round in 1..40_u64 {
        let at_ms = round * 2_000;
        cohort = answered(&cohort, at_ms);
        let without_writer = cohort.members.values().filter(|member| member.handover.is_some()).count();
        assert!(without_writer <= 2);
        if let Ok(step) = let_on(&cohort, at_ms) {
            if !step.moved.is_empty() {
                log.push((step.moved.concat(), step.waiting.concat()));
            }
            cohort = step.cohort;
        }
    }
    assert_eq!(cohort.stage(), Some(Stage::Done));
    let log: Vec<(&str, &str)> =
        log.iter().map(|(moved, waiting)| (moved.as_str(), waiting.as_str())).collect();
    assert_eq!(log[..5], [("abcde", ""), ("ab", ""), ("cde", ""), ("ab", ""), ("cd", "e")], "{log:?}");
    assert_eq!(log[5], ("e", ""));
}

#[test]
fn one_that_is_not_ready_holds_its_wave_and_one_that_left_does_not() {
    let mut cohort = begun();
    while cohort.stage() != Some(Stage::ShadowReads) {
        cohort = answered(&cohort, 1);
        if let Ok(step) = let_on(&cohort, 1) {
            cohort = step.cohort;
        }
    }
    let cohort = answered(&cohort, 2);
    let mut canary_ahead = let_on(&cohort, 2).unwrap().cohort;
    assert!(
        matches!(let_on(&canary_ahead, 2), Err(CohortError::Canary { .. })),
        "the canary is not compared yet"
    );
    canary_ahead = answered(&canary_ahead, 3);
    let turn = canary_ahead.members["d"].turn;
    let event = Event::Compared { turn, differing: 1, pending: 0, at_ms: 3 };
    let differs = go(&canary_ahead, CohortEvent::Member { customer: "d".into(), event }).cohort;
    let error = let_on(&differs, 3).unwrap_err();
    assert!(error.to_string().starts_with("d: not ready to leave shadow_reads: 1 rows differ"), "{error}");
    let event = Event::Back { by: said(), at_ms: 3 };
    let left = go(&differs, CohortEvent::Member { customer: "d".into(), event }).cohort;
    assert_eq!(let_on(&left, 3).unwrap().moved, ["c", "e"]);
    let event = Event::Back { by: said(), at_ms: 3 };
    let canary_left = go(&canary_ahead, CohortEvent::Member { customer: "a".into(), event }).cohort;
    assert!(let_on(&canary_left, 3).unwrap_err().to_string().contains("taken back: drill"));
}

#[test]
fn a_cohort_goes_back_as_a_whole_and_names_who_cannot() {
    let mut cohort = begun();
    cohort.members.insert("a".into(), at_stage(Stage::Done));
    cohort.members.insert("b".into(), at_stage(Stage::Soak));
    let paused = go(&cohort, CohortEvent::Pause);
    assert_eq!((paused.moved.len(), paused.unmoved.len()), (4, 1));
    let resumed = go(&paused.cohort, CohortEvent::Resume);
    assert_eq!(resumed.cohort, cohort);
    assert_eq!(resumed.orders, cohort.outstanding());
    let back = go(&paused.cohort, CohortEvent::Back { by: said(), at_ms: 1 });
    assert_eq!(back.unmoved.len(), 1);
    assert_eq!(back.unmoved[0].0, "a");
    let mut cohort = back.cohort;
    for at_ms in 0..9 {
        cohort = answered(&cohort, at_ms);
    }
    assert_eq!(cohort.counts(), [(Stage::Done, 1), (Stage::RolledBack, 4)].into());
    let unknown = CohortEvent::Member { customer: "z".into(), event: Event::Pause };
    assert!(step_cohort(&cohort_rules(), &cohort, unknown).is_err());
}
