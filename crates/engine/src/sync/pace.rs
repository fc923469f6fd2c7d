//! When a request may be sent: the rate and the breaker, asked by everybody who speaks to a remote.
//!
//! Owns the two states that the workers and pulls of a process share, waiting for a turn, learning from answers, and
//! noting both states in the store for whoever watches. The rules are [`plimsoll_core::sync::rate`]'s and
//! [`plimsoll_core::sync::breaker`]'s.
//!
//! Invariant: a request that is not granted is not sent; who may not wait so long is told how long it takes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use plimsoll_core::sync::breaker::{Admission, Breaker, BreakerRule};
use plimsoll_core::sync::rate::{Rate, RateRule};

use super::declare::{Link, Trouble};
use super::take::transact;
use super::{now_ms, status};
use crate::error::EngineError;
use crate::session::Session;

/// The figures of the pace are kept under this name, beside the counts of workers and pulls.
pub(crate) const NOTED_BY: &str = "pace";
/// What a breaker does, and the figure that is kept for it.
pub(crate) const BREAKER_STATES: [(&str, u64); 3] = [("closed", 0), ("half_open", 1), ("open", 2)];

/// What may be sent when: shared by all workers of a process that speak to one remote.
#[derive(Debug)]
pub struct Pace {
    rate: Mutex<Option<Rate>>,
    breaker: Mutex<Breaker>,
    /// What was noted last.
    noted: Mutex<Option<Figures>>,
}

/// Breaker and rate as they are kept in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figures {
    /// As in [`BREAKER_STATES`].
    breaker: u64,
    /// In requests per 1000 seconds; 0 without a limit.
    rate: u64,
}

impl Pace {
    /// At most so many requests per second; `None` for as many as the remote answers.
    pub fn new(per_second: Option<u64>, now_ms: u64) -> Self {
        let rate = per_second.map(|most| {
            // A burst of one: a second's worth at once would be twice the rate in that second.
            let rule = RateRule { burst: 1, ..RateRule::per_second(most) };
            Rate::new(rule, now_ms)
        });
        Self { rate: Mutex::new(rate), breaker: Mutex::new(Breaker::default()), noted: Mutex::new(None) }
    }

    fn rate(&self) -> MutexGuard<'_, Option<Rate>> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may be sent; the time until it may, in milliseconds, when that is longer than `most_ms`.
    pub(super) fn wait(&self, session: &Session, most_ms: u64) -> Result<(), u64> {
        let began = now_ms(session);
        loop {
            let now = now_ms(session);
            let (next, admission) = self.breaker().admit(now);
            if let Admission::NotBefore(at) = admission {
                return Err(at.saturating_sub(now).max(1));
            }
            let granted = self.rate().as_mut().map_or(Ok(()), |rate| rate.take(now));
            let Err(at) = granted else {
                *self.breaker() = next;
                return Ok(());
            };
            let wait = at.saturating_sub(now).max(1);
            if now.saturating_sub(began) + wait > most_ms {
                return Err(wait);
            }
            session.clock.sleep_ms(wait);
        }
    }

    /// What an answer, or its absence, says about the remote.
    pub(super) fn learn<T>(&self, answer: &Result<T, Trouble>, rule: &BreakerRule, now_ms: u64) {
        let breaker = *self.breaker();
        let next = match answer {
            Ok(_) => {
                if let Some(rate) = self.rate().as_mut() {
                    rate.speed_up(now_ms);
                }
                breaker.after_success()
            }
            Err(Trouble::Busy { retry_after_ms }) => {
                if let Some(rate) = self.rate().as_mut() {
                    rate.slow_down(now_ms, *retry_after_ms);
                }
                breaker.after_success()
            }
            Err(Trouble::ListingGone(_)) => breaker.after_success(),
            Err(Trouble::NotSent(_) | Trouble::TurnedAway(_) | Trouble::Unknown(_) | Trouble::Denied(_)) => {
                breaker.after_failure(rule, now_ms)
            }
        };
        *self.breaker() = next;
    }
    /// Notes breaker and rate in the store when they are not as this process noted them last. Of several processes the
    /// last one that spoke to the remote is seen.
    pub(super) fn note(&self, session: &mut Session, link: &dyn Link) -> Result<(), EngineError> {
        let breaker = match *self.breaker() {
            Breaker::Closed { .. } => 0,
            Breaker::HalfOpen { .. } => 1,
            Breaker::Open { .. } => 2,
        };
        let now = Figures { breaker, rate: self.rate().as_ref().map_or(0, Rate::rate) };
        let noted = || self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if *noted() == Some(now) {
            return Ok(());
        }
        transact(session, |store, _| {
            status::set(store, link, NOTED_BY, "breaker", now.breaker)?;
            status::set(store, link, NOTED_BY, "rate", now.rate)
        })?;
        *noted() = Some(now);
        Ok(())
    }
}
