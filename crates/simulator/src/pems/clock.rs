//! The clock of the simulated PEMS.
//!
//! Owns its readings, which follow from the seed and the number of requests and edits so far; the time of the
//! machine is never asked.
//!
//! Invariants:
//! - A request moves the clock on, so that an edit after it is stamped later than all that it was shown.
//! - Edits without a request between them share a stamp now and then, as rows of one batch do.

use jiff::{SignedDuration, Timestamp};

use crate::random::Random;

/// What the clock reads before the first request: 2026-01-05T06:00:00Z.
pub(crate) const START: Timestamp = Timestamp::constant(1_767_592_800, 0);

/// The clock.
#[derive(Debug)]
pub(crate) struct Clock {
    now: Timestamp,
    random: Random,
}

impl Clock {
    pub(crate) fn new(seed: u64) -> Self {
        Self { now: START, random: Random::named(seed, &["pems", "clock"]) }
    }

    /// A request arrives.
    pub(crate) fn request(&mut self) {
        self.now += SignedDuration::from_micros(self.random.between(1, 400_000) as i64);
    }

    /// The stamp of an edit.
    pub(crate) fn edit(&mut self) -> Timestamp {
        if !self.random.percent(25) {
            self.now += SignedDuration::from_micros(self.random.between(1, 20_000) as i64);
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_after_a_request_is_later_than_all_before_it_and_edits_in_a_row_share_stamps() {
        let mut clock = Clock::new(7);
        let mut shared = 0;
        for _ in 0..200 {
            let (first, second) = (clock.edit(), clock.edit());
            shared += u32::from(first == second);
            clock.request();
            assert!(clock.now > second && second >= first);
            assert!(clock.edit() > second);
        }
        assert!((20..90).contains(&shared), "{shared} of 200 pairs share a stamp");
    }
}
