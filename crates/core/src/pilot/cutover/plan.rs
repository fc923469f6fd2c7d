//! The planner: what follows from an event for one customer.
//!
//! Owns [`step`], what is missing for the next stage, the orders that a state asks for, and what holds meanwhile.
//! `handover` moves a handover through its parts. It does nothing itself.
//!
//! Invariants: the result depends on the arguments only; a refused event changes nothing; a late or doubled answer changes
//! nothing; orders follow from the state alone, so nothing is forgotten in a crash.

use super::event::{CutoverError, Event, Order, Said, Step};
use super::fence::Side;
use super::state::{
    Cutover, CutoverRules, Evidence, Forced, LossBound, Parity, Part, Reads, ReverseProof, Stage, Standing,
};
use crate::gate::Verdict;

/// What follows from `event` for `state`.
///
/// # Errors
/// [`CutoverError`] when the event is not allowed; nothing has changed then.
pub fn step(rules: &CutoverRules, state: &Cutover, event: Event) -> Result<Step, CutoverError> {
    let again = matches!(event, Event::Recover | Event::Resume);
    let mut after = state.clone();
    after.take(rules, event)?;
    let known = if again { Vec::new() } else { outstanding(state) };
    let orders = outstanding(&after).into_iter().filter(|order| !known.contains(order)).collect();
    Ok(Step { state: after, orders })
}

/// The orders that the state waits for.
pub fn outstanding(state: &Cutover) -> Vec<Order> {
    let turn = state.turn;
    if let Some(handover) = &state.handover {
        return state.handover_orders(handover);
    }
    if state.stage == Stage::RolledBack && !state.certified {
        return vec![Order::Certify { turn }];
    }
    if state.paused {
        return Vec::new();
    }
    let parity = match state.evidence.parity {
        // Until done the writer is right.
        Some(parity) if parity.differing > 0 => {
            Some(Order::Repair { turn, truth: state.writer.unwrap_or(Side::Legacy) })
        }
        Some(_) => None,
        None => Some(Order::Compare { turn }),
    };
    let proof = state.evidence.reverse.is_none().then_some(Order::ProveReverse { turn });
    match state.stage {
        Stage::Snapshot => vec![Order::Copy { turn }],
        Stage::CatchUp => vec![Order::MeasureLag { turn }],
        Stage::Verify => parity.into_iter().collect(),
        Stage::ShadowReads => parity.into_iter().chain([Order::CompareReads { turn }]).collect(),
        Stage::Canary => parity.into_iter().chain(proof).chain([Order::CompareReads { turn }]).collect(),
        Stage::Soak => parity.into_iter().collect(),
        Stage::Waiting | Stage::WriteSwitch | Stage::GoingBack | Stage::Done | Stage::RolledBack => {
            Vec::new()
        }
    }
}

/// What holds as long as the state is what it is.
pub fn standing(state: &Cutover) -> Standing {
    let stage = state.stage;
    Standing {
        reads: state.reads,
        compare_reads: !state.paused && matches!(stage, Stage::ShadowReads | Stage::Canary),
        forward: (Stage::Snapshot..=Stage::WriteSwitch).contains(&stage) || stage == Stage::GoingBack,
        reverse: matches!(stage, Stage::WriteSwitch | Stage::Soak | Stage::GoingBack),
    }
}

/// What is missing before the stage may be left at `at_ms`; empty when nothing is.
pub fn missing(rules: &CutoverRules, state: &Cutover, at_ms: u64) -> Vec<String> {
    let mut missing = Vec::new();
    let evidence = &state.evidence;
    match evidence.parity {
        None => missing.push("both sides were not compared in this stage".to_owned()),
        Some(parity) if parity.differing > 0 => missing.push(format!("{} rows differ", parity.differing)),
        Some(parity) if at_ms.saturating_sub(parity.at_ms) > rules.parity_fresh_ms => {
            missing.push(format!("the last comparison is {} ms old", at_ms.saturating_sub(parity.at_ms)));
        }
        Some(parity) if state.stage == Stage::Soak && parity.pending > 0 => {
            missing.push(format!("{} rows are on their way back", parity.pending));
        }
        Some(_) => {}
    }
    let reads = match state.stage {
        Stage::ShadowReads => rules.shadow_reads,
        Stage::Canary => rules.canary_reads,
        _ => 0,
    };
    if evidence.reads.compared < reads {
        missing.push(format!("{} of {reads} reads were compared", evidence.reads.compared));
    }
    if evidence.reads.differing > 0 {
        missing.push(format!("{} reads differed", evidence.reads.differing));
    }
    if state.stage == Stage::Canary {
        match &evidence.reverse {
            None => missing.push("the way back is not proved".to_owned()),
            Some(proof) if at_ms.saturating_sub(proof.at_ms) > rules.reverse_fresh_ms => {
                missing.push(format!(
                    "the proof of the way back is {} ms old",
                    at_ms.saturating_sub(proof.at_ms)
                ));
            }
            Some(_) => {}
        }
    }
    let lasted = at_ms.saturating_sub(evidence.since_ms);
    if state.stage == Stage::Soak && lasted < rules.soak_ms {
        missing.push(format!("the soak lasted {lasted} of {} ms", rules.soak_ms));
    }
    missing
}

impl Cutover {
    fn take(&mut self, rules: &CutoverRules, event: Event) -> Result<(), CutoverError> {
        match event {
            Event::Start { at_ms } => return self.start(at_ms),
            Event::Advance { verdict, at_ms } => return self.advance(rules, verdict, at_ms),
            Event::Force { loss, by, at_ms } => return self.force(rules, loss, by, at_ms),
            Event::Back { by, at_ms } => return self.back(by, at_ms),
            Event::Pause => return self.pause(),
            Event::Resume => {
                if !self.paused {
                    return Err(self.not_now("be resumed", "it is not paused"));
                }
                self.paused = false;
            }
            Event::Recover => {}
            answer => self.answered(rules, answer),
        }
        Ok(())
    }

    /// Takes an answer; one of another turn, or one that nobody waits for, changes nothing.
    fn answered(&mut self, rules: &CutoverRules, answer: Event) {
        match answer {
            Event::Copied { turn, position, at_ms } if self.waits(turn, Stage::Snapshot) => {
                self.evidence.snapshot = Some(position);
                self.carried[0] = self.carried[0].max(position);
                self.enter(Stage::CatchUp, at_ms);
            }
            Event::Lag { turn, changes, at_ms } if self.waits(turn, Stage::CatchUp) => {
                self.evidence.lag = Some(changes);
                if changes <= rules.catch_up_lag {
                    self.enter(Stage::Verify, at_ms);
                } else {
                    // The order is renewed: measure again.
                    self.turn += 1;
                }
            }
            Event::Compared { turn, differing, pending, at_ms } if turn == self.turn => {
                if self.handover.is_some() {
                    self.compared_in_handover(differing, pending);
                } else if self.is_compared() {
                    self.evidence.parity = Some(Parity { differing, pending, at_ms });
                }
            }
            Event::Repaired { turn } if turn == self.turn => {
                if let Some(handover) = &mut self.handover {
                    if handover.part != Part::Comparing || handover.differing == 0 {
                        return;
                    }
                    handover.differing = 0;
                } else if self.evidence.parity.is_some_and(|parity| parity.differing > 0) {
                    self.evidence.parity = None;
                } else {
                    return;
                }
                self.turn += 1;
            }
            Event::ReadsCompared { turn, compared, differing }
                if turn == self.turn && standing(self).compare_reads =>
            {
                let known = self.evidence.reads;
                self.evidence.reads = Reads {
                    compared: known.compared.max(compared),
                    differing: known.differing.max(differing),
                };
            }
            Event::ReverseProved { turn, proof, at_ms } if self.waits(turn, Stage::Canary) => {
                self.evidence.reverse = Some(ReverseProof { proof, at_ms });
            }
            Event::Closed { turn, side, position } if turn == self.turn => self.closed(side, position),
            Event::Carried { turn, from, through } if turn == self.turn => self.carried(from, through),
            Event::Opened { turn, at_ms } if turn == self.turn => self.opened(at_ms),
            Event::Certified { turn } if self.waits(turn, Stage::RolledBack) => self.certified = true,
            _ => {}
        }
    }

    fn start(&mut self, at_ms: u64) -> Result<(), CutoverError> {
        match self.stage {
            Stage::Waiting => {}
            Stage::RolledBack if self.certified => {}
            Stage::RolledBack => {
                return Err(
                    self.not_now("begin anew", "its rollback certificate is not issued yet; issue it first")
                );
            }
            Stage::Done => return Err(self.not_now("begin anew", "the new system has taken over for good")),
            _ => {
                return Err(self.not_now("begin", "it has begun; resume it if it is paused, or take it back"));
            }
        }
        self.round += 1;
        self.forced.clear();
        self.back = None;
        self.certified = false;
        self.enter(Stage::Snapshot, at_ms);
        Ok(())
    }

    fn advance(&mut self, rules: &CutoverRules, verdict: Verdict, at_ms: u64) -> Result<(), CutoverError> {
        if self.next().is_none() {
            return Err(self.not_now("advance", "it goes on by itself when its orders are answered"));
        }
        if self.paused {
            return Err(CutoverError::Paused(self.stage));
        }
        let missing = missing(rules, self, at_ms);
        if !missing.is_empty() {
            return Err(CutoverError::NotReady { stage: self.stage, missing });
        }
        if verdict != Verdict::Go {
            return Err(CutoverError::Gate { stage: self.stage, verdict });
        }
        self.go_on(at_ms);
        Ok(())
    }

    fn force(
        &mut self,
        rules: &CutoverRules,
        loss: LossBound,
        by: Said,
        at_ms: u64,
    ) -> Result<(), CutoverError> {
        named(&by)?;
        if self.paused {
            return Err(CutoverError::Paused(self.stage));
        }
        let known = self.known_loss();
        let part = self.handover.as_ref().map(|handover| handover.part);
        let missing = match part {
            None if self.next().is_some() => missing(rules, self, at_ms),
            None => return Err(self.not_now("be forced on", "nothing of this stage can be skipped")),
            Some(Part::Carrying) => vec![format!("{known} changes are not carried over")],
            Some(Part::Comparing) => {
                vec![format!("both sides are not known to be equal; {known} rows differ")]
            }
            Some(Part::Closing | Part::Opening) => {
                return Err(self.not_now(
                    "be forced on",
                    "a fence is never skipped: make sure by other means that the side cannot write, such as by \
                     taking its right to, and report it closed",
                ));
            }
        };
        if loss.writes < known || loss.what.trim().is_empty() {
            return Err(CutoverError::LossBound { named: loss.writes, known });
        }
        self.forced.push(Forced { stage: self.stage, missing, known, loss, by, at_ms });
        if part.is_some() {
            self.open_next();
        } else {
            self.go_on(at_ms);
        }
        Ok(())
    }

    fn back(&mut self, by: Said, at_ms: u64) -> Result<(), CutoverError> {
        named(&by)?;
        match self.stage {
            Stage::Waiting => return Err(self.not_now("go back", "it has not begun")),
            Stage::Done => {
                return Err(self.not_now(
                    "go back",
                    "nothing is carried back any more; the way back is a move of its own",
                ));
            }
            Stage::RolledBack => return Err(self.not_now("go back", "it is back already")),
            Stage::GoingBack => match &mut self.handover {
                Some(handover) if handover.then != Stage::RolledBack => handover.then = Stage::RolledBack,
                _ => return Err(self.not_now("go back", "it is on its way")),
            },
            Stage::WriteSwitch | Stage::Soak => self.hand_over(Side::Legacy, Stage::RolledBack),
            _ => self.enter(Stage::RolledBack, at_ms),
        }
        self.paused = false;
        self.back = Some(by);
        Ok(())
    }

    fn pause(&mut self) -> Result<(), CutoverError> {
        if self.paused {
            return Err(self.not_now("be paused", "it is paused"));
        }
        if matches!(self.stage, Stage::Waiting | Stage::Done | Stage::RolledBack) {
            return Err(self.not_now("be paused", "nothing of it is under way"));
        }
        self.paused = true;
        Ok(())
    }

    /// The stage after this one, where somebody has to say so.
    fn next(&self) -> Option<Stage> {
        match self.stage {
            Stage::Verify => Some(Stage::ShadowReads),
            Stage::ShadowReads => Some(Stage::Canary),
            Stage::Canary => Some(Stage::WriteSwitch),
            Stage::Soak => Some(Stage::Done),
            _ => None,
        }
    }

    fn go_on(&mut self, at_ms: u64) {
        match self.next() {
            Some(Stage::WriteSwitch) => self.hand_over(Side::New, Stage::Soak),
            Some(stage) => self.enter(stage, at_ms),
            None => {}
        }
    }

    /// Enters a stage, with nothing known yet but the proof of the way back, which stands for the round.
    pub(super) fn enter(&mut self, stage: Stage, at_ms: u64) {
        let reverse = self.evidence.reverse.take().filter(|_| stage != Stage::Snapshot);
        self.evidence = Evidence { since_ms: at_ms, reverse, ..Evidence::default() };
        self.stage = stage;
        self.turn += 1;
        self.reads = match stage {
            Stage::Canary | Stage::WriteSwitch | Stage::Soak | Stage::Done => Side::New,
            Stage::GoingBack => self.reads,
            _ => Side::Legacy,
        };
    }

    fn waits(&self, turn: u64, stage: Stage) -> bool {
        turn == self.turn && self.stage == stage && self.handover.is_none()
    }

    fn is_compared(&self) -> bool {
        matches!(self.stage, Stage::Verify | Stage::ShadowReads | Stage::Canary | Stage::Soak)
    }

    fn not_now(&self, what: &'static str, hint: &'static str) -> CutoverError {
        CutoverError::NotNow { stage: self.stage, what, hint }
    }
}

fn named(by: &Said) -> Result<(), CutoverError> {
    if by.actor.trim().is_empty() || by.reason.trim().is_empty() {
        Err(CutoverError::Nameless)
    } else {
        Ok(())
    }
}
