//! The clock of a trial: the calendar is simulated, durations are real.
//!
//! Owns the calendar. It begins at the real time and moves only when it is told to, so that two plans of one
//! trial hold the same times and 48 hours can be observed in seconds. Time that passes is measured with the
//! machine's own clock.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use plimsoll_core::clock::Clock;

use crate::clock::MachineClock;
use crate::error::EngineError;

/// A clock whose calendar is moved by hand.
pub(crate) struct TrialClock {
    machine: MachineClock,
    now: Mutex<Timestamp>,
}

impl TrialClock {
    /// A clock that stands at `now`, to the second.
    ///
    /// # Errors
    /// Integrity when `now` is no time.
    pub(crate) fn at(now: &str) -> Result<Self, EngineError> {
        let now: Timestamp = now
            .parse()
            .map_err(|error| EngineError::integrity(format!("the clock says `{now}`: {error}")))?;
        let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Ok(Self { machine: MachineClock::new(), now: Mutex::new(whole) })
    }

    /// Moves the calendar on.
    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(by).unwrap_or(*now);
    }
}

impl Clock for TrialClock {
    fn now(&self) -> String {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{:.3}", *now)
    }

    fn monotonic_ms(&self) -> u64 {
        self.machine.monotonic_ms()
    }

    fn monotonic_us(&self) -> u64 {
        self.machine.monotonic_us()
    }

    fn sleep_ms(&self, ms: u64) {
        self.advance(SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_moves_by_hand_only() {
        let clock = TrialClock::at("2026-03-01T23:59:59.75Z").unwrap();
        assert_eq!(clock.now(), "2026-03-01T23:59:59.000Z");
        std::thread::sleep(std::time::Duration::from_millis(3));
        assert_eq!(clock.now(), "2026-03-01T23:59:59.000Z");
        assert!(clock.monotonic_us() >= 3_000, "durations are real");
        clock.advance(SignedDuration::from_hours(1));
        clock.sleep_ms(1_000);
        assert_eq!(clock.now(), "2026-03-02T01:00:00.000Z");
        assert!(TrialClock::at("yesterday").is_err());
    }
}
