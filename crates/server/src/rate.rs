//! How often one caller may ask.
//!
//! Owns one budget for each caller: so many requests a second, and as many in one go after a pause of a second. It is
//! the generic cell rate algorithm: a budget is one number, the moment at which it will be full again.
//!
//! Invariant: deciding for a program takes no lock, and for a person none that another request holds for long; two requests
//! at once never spend the same part of a budget.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::error::ApiError;

const SECOND_NS: u64 = 1_000_000_000;

/// The budgets of all callers.
#[derive(Debug)]
pub(crate) struct Rates {
    /// Nanoseconds that one request costs; `None` never refuses.
    cost_ns: Option<u64>,
    start: Instant,
    budgets: HashMap<Arc<str>, AtomicU64>,
    /// Of people, who come and go while the server runs: made when somebody is first seen.
    people: RwLock<HashMap<Arc<str>, AtomicU64>>,
}

impl Rates {
    /// A budget for each of `callers`; everybody else who was let in gets one at their first request.
    pub(crate) fn new(per_second: Option<u32>, callers: impl IntoIterator<Item = Arc<str>>) -> Self {
        Self {
            cost_ns: per_second.filter(|rate| *rate > 0).map(|rate| SECOND_NS / u64::from(rate)),
            start: Instant::now(),
            budgets: callers.into_iter().map(|caller| (caller, AtomicU64::new(0))).collect(),
            people: RwLock::default(),
        }
    }

    /// Takes one request from a caller's budget.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub(crate) fn take(&self, caller: &str) -> Result<(), ApiError> {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.take_at(caller, now).map_err(|wait_ns| ApiError::too_many(wait_ns.div_ceil(SECOND_NS).max(1)))
    }

    fn take_at(&self, caller: &str, now: u64) -> Result<(), u64> {
        let Some(cost) = self.cost_ns else { return Ok(()) };
        if let Some(budget) = self.budgets.get(caller) {
            return spend(budget, cost, now);
        }
        // A panic while the map was locked cannot have left it half changed.
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(budget) = people.get(caller) {
            return spend(budget, cost, now);
        }
        drop(people);
        let mut people = self.people.write().unwrap_or_else(PoisonError::into_inner);
        spend(people.entry(caller.into()).or_default(), cost, now)
    }
}

/// Spends the cost of one request, or says how long to wait.
fn spend(budget: &AtomicU64, cost: u64, now: u64) -> Result<(), u64> {
    let spend = |full_at: u64| {
        let after = full_at.max(now) + cost;
        (after <= now + SECOND_NS.max(cost)).then_some(after)
    };
    match budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend) {
        Ok(_) => Ok(()),
        Err(full_at) => Err((full_at + cost).saturating_sub(now + SECOND_NS.max(cost))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_and_fills_again_for_each_caller_alone() {
        let rates = Rates::new(Some(4), ["a".into(), "b".into()]);
        for _ in 0..4 {
            assert_eq!(rates.take_at("a", 10), Ok(()));
        }
        let wait = rates.take_at("a", 10).unwrap_err();
        assert!(wait > 0 && wait <= SECOND_NS / 4, "{wait}");
        assert_eq!(rates.take_at("b", 10), Ok(()));
        assert_eq!(rates.take_at("a", 10 + wait), Ok(()), "after waiting as long as told");
        assert!(rates.take_at("a", 10 + wait).is_err());
        for _ in 0..4 {
            assert_eq!(rates.take_at("a", 10 * SECOND_NS), Ok(()), "after a pause");
        }
    }

    #[test]
    fn somebody_who_came_later_has_a_budget_too() {
        let rates = Rates::new(Some(2), ["a".into()]);
        assert_eq!((rates.take_at("ann", 10), rates.take_at("ann", 10)), (Ok(()), Ok(())));
        assert!(rates.take_at("ann", 10).is_err());
        assert_eq!((rates.take_at("bert", 10), rates.take_at("a", 10)), (Ok(()), Ok(())));
    }

    #[test]
    fn one_request_a_second_is_possible_and_no_limit_never_refuses() {
        let slow = Rates::new(Some(1), ["a".into()]);
        assert_eq!(slow.take_at("a", 0), Ok(()));
        assert!(slow.take_at("a", SECOND_NS / 2).is_err());
        assert_eq!(slow.take_at("a", SECOND_NS), Ok(()));
        let open = Rates::new(None, ["a".into()]);
        assert!((0..10_000).all(|_| open.take_at("a", 0).is_ok()));
    }
}
