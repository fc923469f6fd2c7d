//! The clock seam: everything that needs the time asks a [`Clock`].
//!
//! Owns the trait and a clock that stands still for tests. The clock of the machine lives in the engine.
//! Times are texts of one width, so that they sort as text; [`crate::value::canonical_timestamp`] makes a
//! value of one.

/// Where the engine gets the time from.
pub trait Clock: Send + Sync {
    /// Now, as `YYYY-MM-DDTHH:MM:SS.fffZ`, always with as many digits, so that times sort as text.
    fn now(&self) -> String;

    /// Milliseconds since an arbitrary start; never goes back.
    fn monotonic_ms(&self) -> u64;

    /// Microseconds since the same start.
    fn monotonic_us(&self) -> u64 {
        self.monotonic_ms().saturating_mul(1_000)
    }

    /// Waits for `ms` milliseconds. A simulated clock moves forward instead.
    fn sleep_ms(&self, ms: u64);
}
