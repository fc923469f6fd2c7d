//! Tests of the cut-over: its rules one by one, the cohort's waves, and the model.

mod model;
mod rules;
mod waves;

use super::*;
use crate::gate::Verdict;

pub(super) fn rules() -> CutoverRules {
    CutoverRules { shadow_reads: 10, canary_reads: 5, soak_ms: 1_000, ..CutoverRules::default() }
}

pub(super) fn said() -> Said {
    Said { actor: "lin".into(), reason: "drill".into() }
}

/// Answers an order as a healthy engine would; `None` for orders that a test answers itself.
pub(super) fn answer(state: &Cutover, order: &Order, at_ms: u64) -> Event {
    match *order {
        Order::Copy { turn } => Event::Copied { turn, position: 3, at_ms },
        Order::MeasureLag { turn } => Event::Lag { turn, changes: 0, at_ms },
        Order::Compare { turn } => Event::Compared { turn, differing: 0, pending: 0, at_ms },
        Order::Repair { turn, .. } => Event::Repaired { turn },
        Order::CompareReads { turn } => Event::ReadsCompared { turn, compared: 10, differing: 0 },
        Order::ProveReverse { turn } => Event::ReverseProved { turn, proof: "run 1".into(), at_ms },
        Order::Close { turn, side, .. } => Event::Closed { turn, side, position: state.carried[0].max(4) },
        Order::Carry { turn, from, through } => Event::Carried { turn, from, through },
        Order::Open { turn, .. } => Event::Opened { turn, at_ms },
        Order::Certify { turn } => Event::Certified { turn },
    }
}

/// Answers everything outstanding, once.
pub(super) fn answer_all(state: &Cutover, at_ms: u64) -> Cutover {
    let mut state = state.clone();
    for order in outstanding(&state) {
        let event = answer(&state, &order, at_ms);
        state = step(&rules(), &state, event).unwrap().state;
    }
    state
}

pub(super) fn advance(at_ms: u64) -> Event {
    Event::Advance { verdict: Verdict::Go, at_ms }
}

/// A customer brought to `stage` by nothing but answers and open gates.
pub(super) fn at_stage(stage: Stage) -> Cutover {
    let mut state = step(&rules(), &Cutover::new(), Event::Start { at_ms: 0 }).unwrap().state;
    for at_ms in 1..100 {
        if state.stage == stage {
            return state;
        }
        state = answer_all(&state, at_ms);
        if let Ok(next) = step(&rules(), &state, advance(at_ms * 1_000)) {
            state = next.state;
        }
    }
    panic!("{stage} was not reached: {state:?}");
}
