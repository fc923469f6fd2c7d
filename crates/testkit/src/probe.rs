//! Probes: where the engine passes, and a death at a chosen point.
//!
//! Owns the two probes that tests plug into a session. What a test does after the death (drop the session,
//! open the store again, resume) is the test's.
//!
//! Invariant: a probe that has struck once never strikes again, so a session that lives on is not hit twice.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_engine::session::Probe;
use plimsoll_engine::{EngineError, ErrorKind};

/// Dies when a point is passed for the n-th time.
#[derive(Debug)]
pub struct CrashAt {
    point: Option<&'static str>,
    occurrence: u32,
    passed: AtomicU32,
    struck: AtomicBool,
}

impl CrashAt {
    /// Dies at the `occurrence`-th pass of `point`, counted from 1.
    pub fn new(point: &'static str, occurrence: u32) -> Arc<Self> {
        Self::build(Some(point), occurrence)
    }

    /// Dies at the `step`-th pass of any point, counted from 1.
    pub fn step(step: u32) -> Arc<Self> {
        Self::build(None, step)
    }

    fn build(point: Option<&'static str>, occurrence: u32) -> Arc<Self> {
        Arc::new(Self { point, occurrence, passed: AtomicU32::new(0), struck: AtomicBool::new(false) })
    }

    /// Whether it has struck.
    pub fn struck(&self) -> bool {
        self.struck.load(Ordering::SeqCst)
    }
}

impl Probe for CrashAt {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        if self.point.is_some_and(|wanted| wanted != point) {
            return Ok(());
        }
        let passed = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if passed != self.occurrence {
            return Ok(());
        }
        self.struck.store(true, Ordering::SeqCst);
        let message = format!("the test lets the process die at {point}, pass {passed}");
        Err(EngineError::new(ErrorKind::Crash, message))
    }
}

/// Lists the points passed, in order.
#[derive(Debug, Default)]
pub struct Recording {
    points: Mutex<Vec<&'static str>>,
}

impl Recording {
    /// A recording with nothing in it.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The points passed so far.
    pub fn points(&self) -> Vec<&'static str> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Probe for Recording {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner).push(point);
        Ok(())
    }
}

/// Does something of the test's at every point, such as letting a clock go on.
pub struct Acting<A>(pub A);

impl<A: Fn(&'static str) -> Result<(), EngineError> + Send + Sync> Probe for Acting<A> {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        self.0(point)
    }
}
