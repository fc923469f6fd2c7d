//! The machine's clock, and new ids.
//!
//! Owns the only two places of the engine that ask the operating system for the time and for chance.

use std::time::{Duration, Instant};

use plimsoll_core::clock::Clock;
use plimsoll_core::id::Id;

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
        format!("{now:.3}").trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.').to_owned() + "Z"
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

/// A new id: random, so that a short prefix tells ids of one moment apart.
pub fn new_id() -> Id {
    Id(uuid::Uuid::new_v4().simple().to_string())
}
