//! When not to ask: the circuit breaker and the hourly budget of a source.
//!
//! Owns two small state machines over milliseconds that the caller passes in. They deliberately know nothing of
//! HTTP, never wait and never read a clock, so every transition can be tested without time.
//!
//! Invariants:
//! - The breaker opens on different questions only. One record that always fails, asked however often, is that
//!   record's problem, not the source's.
//! - The budget never grants more requests than its limit in any window, wherever the window begins.

use std::collections::VecDeque;

/// Different questions that must fail in a row before the breaker opens.
pub const FAILURES_TO_OPEN: usize = 5;
/// How long the breaker stays open, in milliseconds.
pub const OPEN_MS: u64 = 60_000;
/// Answers in a row that close a half-open breaker.
pub const SUCCESSES_TO_CLOSE: u32 = 2;

/// What a [`Breaker`] is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Questions pass.
    Closed,
    /// Nothing passes until the time is over.
    Open,
    /// Questions pass on probation: the first failure opens it again.
    HalfOpen,
}

#[derive(Debug)]
enum State {
    Closed { failed: Vec<String> },
    Open { until_ms: u64 },
    HalfOpen { successes: u32 },
}

/// Stops asking a source that does not answer.
///
/// A question has failed when it has used up its retries. The caller reports each question once, as answered or
/// as failed; an answer that merely refuses the question (a 404, say) is reported as neither.
#[derive(Debug)]
pub struct Breaker {
    state: State,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

impl Breaker {
    /// A closed breaker.
    pub fn new() -> Self {
        Self { state: State::Closed { failed: Vec::new() } }
    }

    /// What it is doing. An open breaker whose time is over says so only when it is next asked to [`admit`].
    ///
    /// [`admit`]: Self::admit
    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Whether a question may be asked at `now_ms`; turns an open breaker half-open when its time is over.
    ///
    /// # Errors
    /// The milliseconds still to wait, while it is open.
    pub fn admit(&mut self, now_ms: u64) -> Result<(), u64> {
        if let State::Open { until_ms } = self.state {
            if now_ms < until_ms {
                return Err(until_ms - now_ms);
            }
            self.state = State::HalfOpen { successes: 0 };
        }
        Ok(())
    }

    /// A question was answered.
    pub fn succeeded(&mut self) {
        match &mut self.state {
            State::Closed { failed } => failed.clear(),
            State::HalfOpen { successes } if *successes + 1 < SUCCESSES_TO_CLOSE => *successes += 1,
            State::HalfOpen { .. } => self.state = State::Closed { failed: Vec::new() },
            // An answer that arrives late says nothing about now.
            State::Open { .. } => {}
        }
    }

    /// A question has used up its retries at `now_ms`; true when this opened the breaker.
    pub fn failed(&mut self, question: &str, now_ms: u64) -> bool {
        let opens = match &mut self.state {
            State::Closed { failed } => {
                if !failed.iter().any(|known| known == question) {
                    failed.push(question.to_owned());
                }
                failed.len() >= FAILURES_TO_OPEN
            }
            State::HalfOpen { .. } => true,
            State::Open { .. } => false,
        };
        if opens {
            self.state = State::Open { until_ms: now_ms.saturating_add(OPEN_MS) };
        }
        opens
    }
}

/// How many requests may still be sent in a rolling window.
#[derive(Debug)]
pub struct Budget {
    limit: u32,
    window_ms: u64,
    sent: VecDeque<u64>,
}

impl Budget {
    /// A budget of `limit` requests in any `window_ms` milliseconds. A limit of 0 is taken as 1.
    pub fn new(limit: u32, window_ms: u64) -> Self {
        Self { limit: limit.max(1), window_ms, sent: VecDeque::new() }
    }

    /// How many requests fit at `now_ms`.
    pub fn left(&self, now_ms: u64) -> u64 {
        let spent = self.sent.iter().rev().take_while(|at| self.counts(**at, now_ms)).count();
        u64::from(self.limit).saturating_sub(spent as u64)
    }

    /// Takes one request from the budget.
    ///
    /// # Errors
    /// The milliseconds until a request fits; nothing is taken then.
    pub fn spend(&mut self, now_ms: u64) -> Result<(), u64> {
        while self.sent.front().is_some_and(|at| !self.counts(*at, now_ms)) {
            self.sent.pop_front();
        }
        if let (true, Some(first)) = (self.sent.len() >= self.limit as usize, self.sent.front()) {
            return Err(first.saturating_add(self.window_ms).saturating_sub(now_ms));
        }
        self.sent.push_back(now_ms);
        Ok(())
    }

    fn counts(&self, sent_ms: u64, now_ms: u64) -> bool {
        now_ms.saturating_sub(sent_ms) < self.window_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &mut Breaker, questions: &[&str]) {
        for question in questions {
            breaker.failed(question, 1_000);
        }
    }

    #[test]
    fn five_different_failures_in_a_row_open_it() {
        let mut breaker = Breaker::new();
        fail(&mut breaker, &["a", "b", "c", "d"]);
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(breaker.failed("e", 1_000), "the fifth opens it and says so");
        assert_eq!(breaker.admit(1_000), Err(OPEN_MS));
        assert_eq!(breaker.admit(60_999), Err(1));
    }

    #[test]
    fn one_bad_record_never_opens_it() {
        let mut breaker = Breaker::new();
        for _ in 0..100 {
            fail(&mut breaker, &["bad"]);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn any_answer_starts_the_count_again() {
        let mut breaker = Breaker::new();
        fail(&mut breaker, &["a", "b", "c", "d"]);
        breaker.succeeded();
        fail(&mut breaker, &["e", "f", "g", "h"]);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn it_closes_after_two_answers_on_probation_and_opens_again_at_the_first_failure() {
        let mut breaker = Breaker::new();
        fail(&mut breaker, &["a", "b", "c", "d", "e"]);
        assert_eq!(breaker.admit(61_000), Ok(()));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(breaker.failed("f", 61_500));
        assert_eq!(breaker.admit(61_500), Err(OPEN_MS));
        assert_eq!(breaker.admit(121_500), Ok(()));
        breaker.succeeded();
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail(&mut breaker, &["a", "b", "c", "d"]);
        assert_eq!(breaker.state(), BreakerState::Closed, "closing forgets what failed before");
    }

    #[test]
    fn the_budget_rolls() {
        let mut budget = Budget::new(3, 1_000);
        assert_eq!(budget.left(0), 3);
        for at in [0, 400, 900] {
            assert_eq!(budget.spend(at), Ok(()));
        }
        assert_eq!(budget.left(900), 0);
        assert_eq!(budget.spend(900), Err(100));
        assert_eq!(budget.spend(999), Err(1));
        assert_eq!(budget.left(1_000), 1);
        assert_eq!(budget.spend(1_000), Ok(()));
        assert_eq!(budget.spend(1_000), Err(400), "the next to leave the window is the one of 400");
    }

    #[test]
    fn no_window_ever_holds_more_than_the_limit() {
        let mut budget = Budget::new(7, 100);
        let mut granted = Vec::new();
        for now in 0..2_000_u64 {
            if now.is_multiple_of(3) && budget.spend(now).is_ok() {
                granted.push(now);
            }
        }
        assert!(granted.len() > 100);
        for window in granted.windows(8) {
            assert!(window[7] - window[0] >= 100, "{window:?}");
        }
    }
}
