//! Gauges: how long, how much memory, and the figures computed from many of them.
//!
//! Owns the probe that notes when the engine passes its points, the probe that ends the work at a point, the
//! process's peak memory, and percentiles. It decides nothing about the figures.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;

use crate::error::{EngineError, ErrorKind};
use crate::session::Probe;

/// Notes when each point is passed.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    passed: Mutex<Vec<(&'static str, Instant)>>,
}

impl Probe for Stopwatch {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).push((point, Instant::now()));
        Ok(())
    }
}

impl Stopwatch {
    /// Milliseconds from each `from` to the next `to`.
    pub(crate) fn between(&self, from: &str, to: &str) -> Vec<f64> {
        let mut spans = Vec::new();
        let mut begun = None;
        for (point, at) in self.passed.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // Where both are the same point, one span ends where the next begins.
            if *point == to
                && let Some(begun) = begun.take()
            {
                spans.push(milliseconds(at.duration_since(begun)));
            }
            if *point == from {
                begun = Some(*at);
            }
        }
        spans
    }
}

/// A duration in milliseconds.
pub(crate) fn milliseconds(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Ends the work when a point is passed for the `occurrence`th time, as if the process had died there.
#[derive(Debug)]
pub(crate) struct DieAt {
    point: &'static str,
    left: AtomicU64,
}

impl DieAt {
    /// Dies the `occurrence`th time (from 1) that `point` is passed.
    pub(crate) fn new(point: &'static str, occurrence: u64) -> Self {
        Self { point, left: AtomicU64::new(occurrence) }
    }
}

impl Probe for DieAt {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        if point == self.point && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            return Err(EngineError::new(ErrorKind::Crash, format!("the trial ends the work at {point}")));
        }
        Ok(())
    }
}

/// The memory of this process, from `/proc` (proc(5)); unknown on other systems than Linux.
///
/// The peak is set back before each piece of work of the engine and read after it, so that what the trial's
/// own checks need is left out. Growth counts from where the process stood when the trial began: memory that
/// an earlier run kept is not forgiven to a later one.
#[derive(Debug)]
pub(crate) struct Memory {
    started_kb: Option<u64>,
    most_kb: Option<u64>,
    begun_kb: Option<u64>,
    can_reset: bool,
}

impl Memory {
    /// Begins to watch.
    pub(crate) fn new() -> Self {
        let started_kb = status_kb("VmRSS:");
        Self { started_kb, most_kb: None, begun_kb: None, can_reset: true }
    }

    /// Begins a piece of the engine's work.
    pub(crate) fn begin(&mut self) {
        // 5 sets the peak to what is resident now. Where that is not allowed, the peak of everything counts.
        self.can_reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        self.begun_kb = status_kb("VmRSS:");
    }

    /// Ends it; megabytes by which its peak lay over its beginning.
    pub(crate) fn end(&mut self) -> Option<f64> {
        let peak = status_kb("VmHWM:")?;
        self.most_kb = Some(self.most_kb.unwrap_or(0).max(peak));
        Some(megabytes(peak.saturating_sub(self.begun_kb?)))
    }

    /// Megabytes by which the highest peak of all work lay over the beginning of the trial.
    pub(crate) fn growth_mb(&self) -> Option<f64> {
        Some(megabytes(self.most_kb?.saturating_sub(self.started_kb?)))
    }

    /// Whether peaks of single pieces of work can be told apart.
    pub(crate) fn tells_pieces(&self) -> bool {
        self.can_reset
    }
}

fn megabytes(kb: u64) -> f64 {
    kb as f64 / 1_024.0
}

fn status_kb(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Where figures of one kind lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// The smallest.
    pub least: f64,
    /// The median.
    pub p50: f64,
    /// 99 of 100 are not larger (the nearest rank; of fewer than 100, the largest).
    pub p99: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of these figures; `None` of none.
    pub fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let at = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(at.saturating_sub(1)).copied()
        };
        Some(Self {
            count: sorted.len(),
            least: *sorted.first()?,
            p50: median(&sorted)?,
            p99: rank(0.99)?,
            most: *sorted.last()?,
        })
    }
}

/// The median: the middle one, or the mean of the two in the middle.
pub(crate) fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied()?;
    Some(if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], upper) } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let figures: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let spread = Spread::of(&figures).unwrap();
        assert_eq!((spread.least, spread.p50, spread.p99, spread.most), (1.0, 100.5, 198.0, 200.0));
        let few = Spread::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((few.p50, few.p99, few.count), (2.0, 3.0, 3));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_stopwatch_pairs_points() {
        let watch = Stopwatch::default();
        for point in ["a", "b", "a", "a", "b", "b"] {
            watch.reach(point).unwrap();
        }
        assert_eq!(watch.between("a", "b").len(), 2);
        assert_eq!(watch.between("a", "a").len(), 2);
        assert_eq!(watch.between("a", "c").len(), 0);
    }

    #[test]
    fn the_end_comes_at_the_named_occurrence_and_once() {
        let probe = DieAt::new("x", 2);
        assert!(probe.reach("x").is_ok() && probe.reach("y").is_ok());
        assert!(probe.reach("x").is_err());
        assert!(probe.reach("x").is_ok());
    }

    #[test]
    fn memory_that_is_taken_shows() {
        let mut memory = Memory::new();
        memory.begin();
        let taken = vec![7_u8; 64 * 1_024 * 1_024];
        let peak = memory.end();
        assert_eq!(taken.iter().map(|byte| u64::from(*byte)).max(), Some(7));
        assert!(peak.is_some_and(|mb| mb > 60.0), "{peak:?}");
        assert!(memory.growth_mb().is_some_and(|mb| mb > 60.0));
    }
}
