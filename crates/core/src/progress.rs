//! Progress: how far a run is, when it will be done, and how large its next batch should be.
//!
//! Owns the arithmetic only; printing is the caller's, and so is the clock.

/// The milliseconds still to go, from what is done so far; `None` until something is done.
pub fn eta_ms(done: u64, total: u64, elapsed_ms: u64) -> Option<u64> {
    if done == 0 || done > total {
        return None;
    }
    let left = u128::from(total - done) * u128::from(elapsed_ms) / u128::from(done);
    u64::try_from(left).ok()
}

/// Limits of the adaptive batch size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adaptive {
    /// What one batch transaction should take, in milliseconds.
    pub target_ms: u64,
    /// The smallest batch.
    pub smallest: u64,
    /// The largest batch.
    pub largest: u64,
}

impl Adaptive {
    /// The next batch size, given the last one and how long it took.
    ///
    /// It moves towards the target by at most a factor of two up and four down, so that one slow batch has
    /// effect at once and one fast batch does not run away.
    pub fn next(&self, size: u64, took_ms: u64) -> u64 {
        let ideal = size.saturating_mul(self.target_ms) / took_ms.max(1);
        ideal.clamp(size / 4, size.saturating_mul(2)).clamp(self.smallest.max(1), self.largest.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eta_is_proportional_and_silent_at_the_start() {
        assert_eq!(eta_ms(0, 100, 10), None);
        assert_eq!(eta_ms(25, 100, 1000), Some(3000));
        assert_eq!(eta_ms(100, 100, 1000), Some(0));
    }

    #[test]
    fn batch_size_follows_the_target_within_its_limits() {
        let adaptive = Adaptive { target_ms: 20, smallest: 10, largest: 400 };
        assert_eq!(adaptive.next(100, 20), 100);
        assert_eq!(adaptive.next(100, 1), 200);
        assert_eq!(adaptive.next(300, 1), 400);
        assert_eq!(adaptive.next(100, 40), 50);
        assert_eq!(adaptive.next(20, 10_000), 10);
    }
}
