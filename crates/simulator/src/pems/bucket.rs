//! A token bucket: so many requests per second, with a reserve for bursts.
//!
//! Owns the only place of the simulated PEMS where time counts, and only what passes between requests.

use std::time::{Duration, Instant};

/// How many requests are granted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenBucket {
    /// Requests per second in the long run; must be above 0.
    pub requests_per_second: f64,
    /// Requests at once after a rest, at least 1.
    pub burst: u32,
}

/// A bucket and what is in it.
#[derive(Debug)]
pub(crate) struct Bucket {
    settings: TokenBucket,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(settings: TokenBucket) -> Self {
        Self { settings, tokens: f64::from(settings.burst.max(1)), filled: Instant::now() }
    }

    /// Takes one request from it, or tells how long until there is one.
    pub(crate) fn take(&mut self) -> Result<(), Duration> {
        self.take_after(self.filled.elapsed())
    }

    fn take_after(&mut self, elapsed: Duration) -> Result<(), Duration> {
        let rate = self.settings.requests_per_second.max(0.001);
        self.filled += elapsed;
        let burst = f64::from(self.settings.burst.max(1));
        self.tokens = (self.tokens + elapsed.as_secs_f64() * rate).min(burst);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate() {
        let mut bucket = Bucket::new(TokenBucket { requests_per_second: 10.0, burst: 3 });
        let granted = |bucket: &mut Bucket, milliseconds| {
            bucket.take_after(Duration::from_millis(milliseconds)).is_ok()
        };
        let burst: Vec<bool> = (0..4).map(|_| granted(&mut bucket, 0)).collect();
        assert_eq!(burst, [true, true, true, false]);
        assert!(!granted(&mut bucket, 99) && granted(&mut bucket, 2));
        let wait = bucket.take_after(Duration::ZERO).unwrap_err();
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        assert!(bucket.take_after(wait + Duration::from_millis(1)).is_ok());
        let after_rest: Vec<bool> =
            [60_000, 0, 0, 0].into_iter().map(|rest| granted(&mut bucket, rest)).collect();
        assert_eq!(after_rest, [true, true, true, false]);
    }
}
