//! The machine's clock, and new ids.
//!
//! Owns the only two places of the engine that ask the operating system for the time and for chance.

use std::time::{Duration, Instant};

use plimsoll_core::clock::Clock;
use plimsoll_core::id::Id;

use crate::error::EngineError;

/// The machine's clock.
#[derive(Debug)]
pub struct MachineClock {
    start: Instant,
}

impl MachineClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for MachineClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    fn now(&self) -> String {
        let now = jiff::Timestamp::now();
        // Always three digits of the second, so that times sort as text.
        format!("{now:.3}")
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn sleep_ms(&self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }
}

/// The moment `ms` milliseconds after `at`, in the form of [`Clock::now`].
///
/// # Errors
/// Integrity when `at` is no time, or the sum is beyond the calendar.
pub fn later(at: &str, ms: u64) -> Result<String, EngineError> {
    let at: jiff::Timestamp =
        at.parse().map_err(|error| EngineError::integrity(format!("`{at}` is no time: {error}")))?;
    let span = jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let sum = at.checked_add(span).map_err(|error| EngineError::integrity(error.to_string()))?;
    Ok(format!("{sum:.3}"))
}

/// The moment `ms` milliseconds before `at`, in the form of [`Clock::now`].
///
/// # Errors
/// Integrity when `at` is no time, or the difference is before the calendar.
pub fn earlier(at: &str, ms: u64) -> Result<String, EngineError> {
    let at: jiff::Timestamp =
        at.parse().map_err(|error| EngineError::integrity(format!("`{at}` is no time: {error}")))?;
    let span = jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let before = at.checked_sub(span).map_err(|error| EngineError::integrity(error.to_string()))?;
    Ok(format!("{before:.3}"))
}

/// Milliseconds from one moment to another; negative when the second comes first.
///
/// # Errors
/// Integrity when one of them is not a moment.
pub(crate) fn between_ms(from: &str, to: &str) -> Result<i64, EngineError> {
    Ok(instant(to)?.as_millisecond() - instant(from)?.as_millisecond())
}

/// The moment that a text stands for.
///
/// # Errors
/// Integrity when it stands for none.
pub(crate) fn instant(moment: &str) -> Result<jiff::Timestamp, EngineError> {
    moment.parse().map_err(|error| EngineError::integrity(format!("`{moment}` is not a moment: {error}")))
}

/// A new id: random, so that a short prefix tells ids of one moment apart.
pub fn new_id() -> Id {
    Id(uuid::Uuid::new_v4().simple().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_width_and_sort_as_text() {
        let clock = MachineClock::new();
        let mut last = clock.now();
        for _ in 0..60 {
            let now = clock.now();
            assert_eq!(now.len(), "2026-11-22T04:26:09.541Z".len(), "{now}");
            assert!(now >= last, "{now} after {last}");
            last = now;
            clock.sleep_ms(1);
        }
    }
}
