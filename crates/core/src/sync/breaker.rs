//! Circuit breaker: a remote that is down is left alone, and asked carefully whether it is back.
//!
//! Owns the three states and their transitions. It neither sends nor asks the time. An answer that names a fault in
//! *our* request (409, 422) is a success here: the remote is there.
//!
//! ```text
//!          enough failures in a row                the pause is over: one probe
//! closed ---------------------------> open ------------------------------------> half-open
//!    ^                                 ^                                           |   |
//!    +---------------------------------|------- the probe succeeded ---------------+   |
//!                                      +------- the probe failed: twice the pause -----+
//! ```
//!
//! Invariants: while open nothing is sent; while half-open exactly one probe is on its way.

use serde::{Deserialize, Serialize};

/// When the breaker opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerRule {
    /// So many failures in a row open it.
    pub failures: u32,
    /// The first pause, in milliseconds.
    pub pause_ms: u64,
    /// The longest pause, in milliseconds.
    pub most_pause_ms: u64,
}

impl Default for BreakerRule {
    fn default() -> Self {
        Self { failures: 5, pause_ms: 10_000, most_pause_ms: 300_000 }
    }
}

/// The breaker of one remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Breaker {
    /// All is well, but for so many failures since the last success.
    Closed {
        /// Failures in a row.
        failures: u32,
    },
    /// Nothing is sent.
    Open {
        /// When a probe may be sent, in milliseconds.
        until_ms: u64,
        /// How long this pause is.
        pause_ms: u64,
    },
    /// One probe is on its way.
    HalfOpen {
        /// When the probe counts as lost, in milliseconds. Without it a worker that died with the probe would keep
        /// the breaker half-open for good.
        until_ms: u64,
        /// How long the last pause was.
        pause_ms: u64,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// Whether a request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Send it.
    Send,
    /// Not before this time, in milliseconds.
    NotBefore(u64),
}

impl Breaker {
    /// Asks to send a request at `now_ms`; the breaker afterwards, and the answer.
    #[must_use]
    pub fn admit(self, now_ms: u64) -> (Self, Admission) {
        match self {
            Self::Closed { .. } => (self, Admission::Send),
            Self::Open { until_ms, pause_ms } | Self::HalfOpen { until_ms, pause_ms }
                if now_ms >= until_ms =>
            {
                let probe = Self::HalfOpen { until_ms: now_ms.saturating_add(pause_ms), pause_ms };
                (probe, Admission::Send)
            }
            Self::Open { until_ms, .. } | Self::HalfOpen { until_ms, .. } => {
                (self, Admission::NotBefore(until_ms))
            }
        }
    }

    /// The breaker after an answer. The late answer to a request that was sent before the breaker opened proves
    /// nothing about now, so only the probe's closes an open breaker.
    #[must_use]
    pub fn after_success(self) -> Self {
        match self {
            Self::Open { .. } => self,
            Self::Closed { .. } | Self::HalfOpen { .. } => Self::default(),
        }
    }

    /// The breaker after a request at `now_ms` that got no answer or one of the 5xx class.
    #[must_use]
    pub fn after_failure(self, rule: &BreakerRule, now_ms: u64) -> Self {
        let open = |pause_ms: u64| Self::Open { until_ms: now_ms.saturating_add(pause_ms), pause_ms };
        match self {
            Self::Closed { failures } if failures + 1 >= rule.failures => open(rule.pause_ms),
            Self::Closed { failures } => Self::Closed { failures: failures + 1 },
            Self::HalfOpen { pause_ms, .. } => open(pause_ms.saturating_mul(2).min(rule.most_pause_ms)),
            Self::Open { .. } => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: BreakerRule = BreakerRule { failures: 3, pause_ms: 100, most_pause_ms: 300 };

    #[test]
    fn it_opens_probes_once_and_closes() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            breaker = breaker.after_failure(&RULE, 0);
        }
        assert_eq!(breaker.after_success(), Breaker::default(), "failures count in a row");
        breaker = breaker.after_failure(&RULE, 10);
        assert_eq!(breaker.admit(50), (breaker, Admission::NotBefore(110)));
        assert_eq!(breaker.after_success(), breaker, "a late answer does not close it");
        let (probing, admission) = breaker.admit(110);
        assert_eq!(admission, Admission::Send);
        assert_eq!(probing.admit(111).1, Admission::NotBefore(210), "one probe at a time");
        assert_eq!(probing.after_success(), Breaker::default());
        assert_eq!(probing.admit(210).1, Admission::Send, "a lost probe does not block for good");
    }

    #[test]
    fn a_failed_probe_doubles_the_pause_up_to_its_bound() {
        let mut breaker = Breaker::Open { until_ms: 0, pause_ms: 100 };
        let mut pauses = Vec::new();
        for _ in 0..3 {
            breaker = breaker.admit(1_000).0.after_failure(&RULE, 1_000);
            let Breaker::Open { until_ms, .. } = breaker else { panic!("{breaker:?}") };
            pauses.push(until_ms - 1_000);
            breaker = Breaker::Open { until_ms: 0, pause_ms: until_ms - 1_000 };
        }
        assert_eq!(pauses, [200, 300, 300]);
    }
}
