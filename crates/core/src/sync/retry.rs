//! The one retry layer: how long to wait before an attempt is repeated, and when to stop repeating.
//!
//! Owns the rule. It neither waits nor counts: the attempt's number, the remote's `Retry-After` and the chance for the
//! jitter are arguments. There is exactly one such layer: a client that retries under a queue that retries multiplies
//! the attempts.
//!
//! Invariants: no wait is shorter than the remote asked for; the attempts of one operation never exceed
//! [`RetryRule::most_attempts`].

use serde::{Deserialize, Serialize};

/// When a failed attempt is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRule {
    /// The wait after the first attempt, in milliseconds.
    pub first_ms: u64,
    /// The longest wait of our own choice, in milliseconds.
    pub most_ms: u64,
    /// The attempts in all, the first one included.
    pub most_attempts: u32,
}

impl Default for RetryRule {
    /// 5, 10, 20, 40 seconds: the steps that the equipment system's interface asks for.
    fn default() -> Self {
        Self { first_ms: 5_000, most_ms: 300_000, most_attempts: 5 }
    }
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Again, after so many milliseconds.
    After(u64),
    /// Not again: the operation becomes a dead letter.
    Never,
}

impl RetryRule {
    /// What follows attempt number `attempt` (from 1), which failed in a way that may pass.
    ///
    /// The wait doubles with every attempt and is spread by `chance`, any number, over its upper half, so that
    /// operations that failed together do not come back together. `retry_after_ms` is what the remote asked for (RFC
    /// 9110, section 10.2.3): it is waited for in full, beyond [`Self::most_ms`] too.
    pub fn after(&self, attempt: u32, retry_after_ms: Option<u64>, chance: u64) -> Retry {
        if attempt >= self.most_attempts {
            return Retry::Never;
        }
        let doubled = 1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
        let full = self.first_ms.saturating_mul(doubled).min(self.most_ms);
        let half = full / 2;
        let spread = full - half + chance % (half + 1);
        Retry::After(spread.max(retry_after_ms.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defect_p6_retries_do_not_nest_and_retry_after_is_honored() {
        let rule = RetryRule { first_ms: 5_000, most_ms: 60_000, most_attempts: 4 };
        let mut attempts = 1;
        while let Retry::After(wait) = rule.after(attempts, Some(7_200_000), u64::MAX) {
            assert_eq!(wait, 7_200_000, "the remote's wish counts, beyond our own longest wait");
            attempts += 1;
        }
        assert_eq!(attempts, 4, "four attempts are four requests");
    }

    #[test]
    fn waits_double_within_their_bounds() {
        let rule = RetryRule { first_ms: 5_000, most_ms: 60_000, most_attempts: 200 };
        for attempt in 1..199 {
            let full = (5_000_u64 << (attempt - 1).min(20)).min(60_000);
            for chance in [0, 1, 17, u64::MAX] {
                let Retry::After(wait) = rule.after(attempt, None, chance) else { panic!("{attempt}") };
                assert!((full / 2..=full).contains(&wait), "{attempt} {chance} {wait}");
            }
        }
        assert_eq!(RetryRule { most_ms: 0, ..rule }.after(3, None, 9), Retry::After(0));
    }
}
