//! Faults of the transport, and when they strike.
//!
//! Owns the settings and the decision for each request. It deliberately knows nothing of meetings: a meeting
//! whose item is never answered is planted by `mutate`, and no retry cures it.
//!
//! Invariants:
//! - With [`Faults::none`] nothing strikes.
//! - A request that failed by a fault succeeds when it is repeated: the next request for the same path and
//!   query is spared.
//! - Which request of a sequence is struck depends on the seed and the settings only.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::random::mix;

use super::manifest::PlannedFaults;

/// Which faults a server has; 0 and empty mean never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Decides which requests are struck.
    pub seed: u64,
    /// Every so many requests one is answered 429 with `Retry-After`.
    pub rate_limited_every: u32,
    /// What `Retry-After` says, in seconds.
    pub retry_after: u64,
    /// Every so many requests one is answered 500 or 503.
    pub server_error_every: u32,
    /// Every so many requests one is answered late.
    pub slow_every: u32,
    /// How late.
    pub slow_for: Duration,
    /// Every so many requests one ends with a closed connection and not a byte of an answer.
    pub drop_every: u32,
    /// Every so many list pages one is read one entry too early, the first time: it repeats the last entry of
    /// the page before it and, when it is full, lacks its own last entry.
    pub duplicates_across_pages: u32,
    /// How many meetings are left out of the first list page that should hold them.
    pub missing_once: usize,
    /// Fields of an item that are sent under another name, as after a change of the API.
    pub renamed_fields: Vec<(String, String)>,
}

impl Faults {
    /// No fault at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// A few of everything but renamed fields, and none that costs a client more than some tens of
    /// milliseconds.
    pub fn mild(seed: u64) -> Self {
        Self {
            seed,
            rate_limited_every: 307,
            retry_after: 0,
            server_error_every: 401,
            slow_every: 353,
            slow_for: Duration::from_millis(40),
            drop_every: 599,
            duplicates_across_pages: 3,
            missing_once: 1,
            renamed_fields: Vec::new(),
        }
    }

    /// The same faults often enough that a run of a few dozen requests meets each of them.
    pub fn harsh(seed: u64) -> Self {
        Self {
            rate_limited_every: 11,
            server_error_every: 13,
            slow_every: 17,
            slow_for: Duration::from_millis(5),
            drop_every: 19,
            duplicates_across_pages: 1,
            missing_once: 5,
            ..Self::mild(seed)
        }
    }

    /// What the manifest says of them; `missing` are the meetings chosen to be left out once.
    pub(crate) fn planned(&self, missing: Vec<String>) -> PlannedFaults {
        PlannedFaults {
            rate_limited_every: self.rate_limited_every,
            server_error_every: self.server_error_every,
            slow_every: self.slow_every,
            slow_for_ms: self.slow_for.as_millis() as u64,
            drop_every: self.drop_every,
            duplicates_across_pages: self.duplicates_across_pages,
            missing_once: missing,
            renamed_fields: self.renamed_fields.clone(),
        }
    }
}

/// What strikes one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Close the connection.
    Drop,
    /// Answer 429.
    RateLimited,
    /// Answer with this status, 500 or 503.
    ServerError(u16),
    /// Answer late.
    Slow,
}

/// Counts requests and says which of them are struck.
#[derive(Debug)]
pub(crate) struct Strikes {
    faults: Faults,
    requests: AtomicU64,
    /// Targets whose last request failed by a fault, so that the next one is spared.
    spared: Mutex<HashSet<u64>>,
    spared_count: AtomicUsize,
}

impl Strikes {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            faults,
            requests: AtomicU64::new(0),
            spared: Mutex::default(),
            spared_count: AtomicUsize::new(0),
        }
    }

    /// What strikes the next request, which is for `target` (path and query).
    pub(crate) fn next(&self, target: &str) -> Option<Fault> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        let seed = self.faults.seed;
        let strikes = |every: u32, name: &str| {
            every > 0 && (request + mix(seed, &["phase", name])).is_multiple_of(u64::from(every))
        };
        if self.is_spared(target) {
            return None;
        }
        let fault = if strikes(self.faults.drop_every, "drop") {
            Fault::Drop
        } else if strikes(self.faults.rate_limited_every, "rate") {
            Fault::RateLimited
        } else if strikes(self.faults.server_error_every, "error") {
            Fault::ServerError(if mix(seed, &["status", target]).is_multiple_of(2) { 500 } else { 503 })
        } else if strikes(self.faults.slow_every, "slow") {
            return Some(Fault::Slow);
        } else {
            return None;
        };
        let mut spared = self.spared.lock().unwrap_or_else(PoisonError::into_inner);
        spared.insert(mix(0, &[target]));
        self.spared_count.store(spared.len(), Ordering::Relaxed);
        Some(fault)
    }

    fn is_spared(&self, target: &str) -> bool {
        // Almost always nothing is waiting, and then no request takes the lock.
        if self.spared_count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let mut spared = self.spared.lock().unwrap_or_else(PoisonError::into_inner);
        let found = spared.remove(&mix(0, &[target]));
        self.spared_count.store(spared.len(), Ordering::Relaxed);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_never_strikes() {
        let strikes = Strikes::new(Faults::none());
        assert!((0..10_000).all(|request| strikes.next(&request.to_string()).is_none()));
    }

    #[test]
    fn a_struck_target_is_spared_the_next_time() {
        let strikes = Strikes::new(Faults { rate_limited_every: 1, ..Faults::none() });
        for _ in 0..5 {
            assert_eq!(strikes.next("/a"), Some(Fault::RateLimited));
            assert_eq!(strikes.next("/a"), None);
        }
    }

    #[test]
    fn strikes_come_as_often_as_asked_and_by_seed() {
        let struck = |seed| {
            let faults = Faults {
                seed,
                drop_every: 50,
                rate_limited_every: 20,
                server_error_every: 30,
                ..Faults::none()
            };
            let strikes = Strikes::new(faults);
            (0..6_000).map(|request| strikes.next(&request.to_string())).collect::<Vec<_>>()
        };
        let first = struck(3);
        assert_eq!(first, struck(3));
        assert_ne!(first, struck(4));
        assert_eq!(first.iter().filter(|fault| **fault == Some(Fault::Drop)).count(), 120);
        let limited = first.iter().filter(|fault| **fault == Some(Fault::RateLimited)).count();
        assert!((240..=300).contains(&limited), "{limited}");
        assert!(
            first.contains(&Some(Fault::ServerError(500))) && first.contains(&Some(Fault::ServerError(503)))
        );
    }
}
