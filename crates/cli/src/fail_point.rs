//! Death at a chosen point, for crash campaigns on the real binary.
//!
//! Owns the reading of the wish and its fulfilment. The process dies by SIGKILL, so nothing is rolled back, flushed or
//! dropped on the way out. Only builds with debug assertions, which users do not get, know it.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use plimsoll_engine::EngineError;
use plimsoll_engine::session::{NoProbe, Probe};

use crate::config;

/// The probe of this process: [`NoProbe`] but in a campaign. All sessions share it, so passes are the process's.
pub(crate) fn probe() -> Arc<dyn Probe> {
    static PROBE: OnceLock<Arc<dyn Probe>> = OnceLock::new();
    let probe = PROBE.get_or_init(|| match config::kill_at().filter(|_| cfg!(debug_assertions)) {
        Some(wish) => Arc::new(KillAt::read(&wish)),
        None => Arc::new(NoProbe),
    });
    Arc::clone(probe)
}

/// Kills the process when a point is passed for the n-th time.
struct KillAt {
    point: String,
    occurrence: u64,
    passed: AtomicU64,
}

impl KillAt {
    /// `point` or `point:n`; the names of points hold colons themselves.
    fn read(wish: &str) -> Self {
        let counted = wish.rsplit_once(':').and_then(|(point, n)| Some((point, n.parse().ok()?)));
        let (point, occurrence) = counted.unwrap_or((wish, 1));
        Self { point: point.to_owned(), occurrence, passed: AtomicU64::new(0) }
    }
}

impl Probe for KillAt {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        if point == self.point && self.passed.fetch_add(1, Ordering::SeqCst) + 1 == self.occurrence {
            let own = std::process::id().to_string();
            Command::new("kill").args(["-KILL", &own]).stdin(Stdio::null()).status().map_err(|error| {
                EngineError::usage(format!(
                    "there is no `kill` to die by: {error}\nhint: unset PLIMSOLL_KILL_AT"
                ))
            })?;
            loop {
                std::thread::park();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_names_a_point_and_how_often_it_is_passed() {
        for (wish, point, occurrence) in [
            ("sync:answered", "sync:answered", 1),
            ("sync:answered:3", "sync:answered", 3),
            ("batch.written", "batch.written", 1),
            ("batch.written:12", "batch.written", 12),
        ] {
            let read = KillAt::read(wish);
            assert_eq!((read.point.as_str(), read.occurrence), (point, occurrence), "{wish}");
        }
    }
}
