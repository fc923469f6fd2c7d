//! Rate limit: a token bucket whose rate gives way when the remote pushes back, and recovers slowly.
//!
//! Owns the arithmetic. It neither waits nor sends. The rate follows additive increase, multiplicative decrease, the
//! rule by which TCP shares a line (RFC 5681): a remote that has several callers is shared fairly without them knowing
//! of each other.
//!
//! Invariants: in any span of time no more than the burst plus span times the highest rate is granted; nothing is
//! granted before the moment that the remote named; the rate never leaves its bounds.

use serde::{Deserialize, Serialize};

/// Thousandths of a request, so that slow rates need no fractions.
const WHOLE: u64 = 1_000;

/// The bounds of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateRule {
    /// The highest rate, in requests per 1000 seconds.
    pub most: u64,
    /// The lowest rate, in the same unit. It is never zero: a stopped sender would never learn that it may go on.
    pub least: u64,
    /// What a success adds to a lowered rate, in the same unit.
    pub step: u64,
    /// How many requests may go out at once after a pause.
    pub burst: u64,
}

impl RateRule {
    /// A rule of at most so many requests per second.
    pub fn per_second(requests: u64) -> Self {
        let most = requests.max(1).saturating_mul(WHOLE);
        Self { most, least: (most / 100).max(1), step: (most / 50).max(1), burst: requests.max(1) }
    }
}

/// The bucket of one remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    rule: RateRule,
    /// The rate now, in requests per 1000 seconds.
    rate: u64,
    /// Millionths of a request that may be used: rate times milliseconds.
    tokens: u64,
    at_ms: u64,
    not_before_ms: u64,
}

const TOKEN: u64 = WHOLE * WHOLE;

impl Rate {
    /// A full bucket at the highest rate.
    pub fn new(rule: RateRule, now_ms: u64) -> Self {
        Self { rule, rate: rule.most, tokens: rule.burst * TOKEN, at_ms: now_ms, not_before_ms: 0 }
    }

    /// The rate now, in requests per 1000 seconds.
    pub fn rate(&self) -> u64 {
        self.rate
    }

    /// Takes one request out of the bucket.
    ///
    /// # Errors
    /// The earliest time, in milliseconds, at which there is one.
    pub fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        self.fill(now_ms);
        if now_ms < self.not_before_ms {
            return Err(self.not_before_ms);
        }
        if self.tokens < TOKEN {
            return Err(self.at_ms + (TOKEN - self.tokens).div_ceil(self.rate));
        }
        self.tokens -= TOKEN;
        Ok(())
    }

    /// The remote pushed back (429, 503): half the rate, an empty bucket, and nothing before its `Retry-After`.
    pub fn slow_down(&mut self, now_ms: u64, retry_after_ms: Option<u64>) {
        self.fill(now_ms);
        self.rate = (self.rate / 2).max(self.rule.least);
        self.tokens = 0;
        self.not_before_ms = self.not_before_ms.max(now_ms.saturating_add(retry_after_ms.unwrap_or(0)));
    }

    /// A request was answered: a little of the lost rate comes back.
    pub fn speed_up(&mut self, now_ms: u64) {
        self.fill(now_ms);
        self.rate = (self.rate + self.rule.step).min(self.rule.most);
    }

    fn fill(&mut self, now_ms: u64) {
        // A clock that goes back grants nothing and loses nothing.
        let passed = now_ms.saturating_sub(self.at_ms);
        self.at_ms = self.at_ms.max(now_ms);
        let filled = self.tokens.saturating_add(passed.saturating_mul(self.rate));
        self.tokens = filled.min(self.rule.burst * TOKEN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn defect_p7_a_thousand_operations_take_their_rate_and_not_a_fixed_batch_per_minute() {
        let mut rate = Rate::new(RateRule::per_second(10), 0);
        let mut now = 0;
        for _ in 0..1_000 {
            while let Err(at) = rate.take(now) {
                assert!(at > now, "a wait that ends now never ends");
                now = at;
            }
        }
        assert_eq!(
            now, 99_000,
            "a burst of 10, then 990 at 10 per second: far below the five minutes asked for"
        );
    }

    #[test]
    fn it_gives_way_at_once_and_recovers_slowly() {
        let mut rate = Rate::new(RateRule::per_second(10), 0);
        rate.slow_down(0, Some(30_000));
        assert_eq!((rate.take(29_999), rate.rate()), (Err(30_000), 5_000));
        assert_eq!(rate.take(30_000), Ok(()));
        rate.slow_down(30_000, None);
        assert_eq!(rate.take(30_000), Err(30_400));
        for _ in 0..20 {
            rate.slow_down(30_000, None);
        }
        assert_eq!(rate.rate(), 100);
        for _ in 0..49 {
            rate.speed_up(30_000);
        }
        assert_eq!(rate.rate(), 9_900);
        for _ in 0..9 {
            rate.speed_up(30_000);
        }
        assert_eq!(rate.rate(), 10_000);
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate_allow(
            steps in proptest::collection::vec((0..400_u64, 0..4_u8), 1..200),
        ) {
            let mut rate = Rate::new(RateRule::per_second(5), 0);
            let (mut now, mut granted, mut bar) = (0, 0_u64, 0);
            for (wait, what) in steps {
                now += wait;
                match what {
                    0 => rate.speed_up(now),
                    1 if wait > 350 => {
                        rate.slow_down(now, Some(wait));
                        bar = bar.max(now + wait);
                    }
                    _ => if rate.take(now).is_ok() {
                        granted += 1;
                        prop_assert!(now >= bar);
                    }
                }
                prop_assert!(granted * 1_000 <= 5_000 + now * 5);
                prop_assert!((50..=5_000).contains(&rate.rate()));
            }
        }
    }
}
