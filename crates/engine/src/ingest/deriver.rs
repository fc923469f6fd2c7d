//! Computing derived tables while rows go on being written.
//!
//! Owns a thread with a connection of its own, that computes what is out of date when it is asked to. Rows are committed
//! first and can be seen at once; what is computed from them follows, and several changes that come meanwhile are
//! computed together. What is computed is `derive`'s.
//!
//! Invariants:
//! - Only one computation writes to the derived tables: whoever else computes them waits for [`Deriver::finish`] first.
//! - A computation forgets only what it saw noted as out of date when it began; what is noted meanwhile stays noted.
//! - It rests as long as the last computation took, so that a steady stream of changes takes half a processor at most.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use plimsoll_store::duckdb::Analytics;

use super::declare::{Documents, Settings};
use super::derive::derive_in_little_memory;
use crate::error::EngineError;

/// The longest rest between two computations.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// What was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Derived {
    /// Scopes whose rows were computed again.
    pub scopes: u64,
    /// From the first change that was told until its figures were committed, in milliseconds.
    pub duration_ms: u64,
}

/// Computes derived tables in another thread; ends it when dropped.
pub(crate) struct Deriver {
    asks: Option<Sender<()>>,
    answers: Receiver<Result<u64, EngineError>>,
    thread: Option<JoinHandle<()>>,
    /// A computation was asked for and has not answered.
    running: bool,
    /// When the oldest change was told that no computation has begun for.
    asked: Option<Instant>,
    /// When the oldest change was told that the running computation covers, and when it began.
    covers: Instant,
    began: Instant,
    rest_until: Instant,
}

impl Deriver {
    /// Starts the thread, with a second connection to the database of `store`.
    ///
    /// # Errors
    /// When the database gives no second connection.
    pub(crate) fn start(
        system: &'static dyn Documents,
        store: &Analytics,
        settings: Settings,
        threads: usize,
    ) -> Result<Self, EngineError> {
        let store = store.another()?;
        let (asks, asked) = channel::<()>();
        let (outlet, answers) = channel();
        let thread = std::thread::spawn(move || {
            while asked.recv().is_ok() {
                let derived = derive_in_little_memory(system, &store, &settings, threads);
                if outlet.send(derived).is_err() {
                    return;
                }
            }
        });
        let now = Instant::now();
        Ok(Self {
            asks: Some(asks),
            answers,
            thread: Some(thread),
            running: false,
            asked: None,
            covers: now,
            began: now,
            rest_until: now,
        })
    }

    /// Notes that something is out of date.
    pub(crate) fn ask(&mut self) {
        self.asked.get_or_insert_with(Instant::now);
    }

    /// True while something is being computed or is still to be.
    pub(crate) fn is_busy(&self) -> bool {
        self.running || self.asked.is_some()
    }

    /// Begins what was asked for, when nothing is computed and the rest is over; returns what ended since.
    ///
    /// # Errors
    /// When the computation failed; everything is still noted as out of date then.
    pub(crate) fn poll(&mut self) -> Result<Option<Derived>, EngineError> {
        let answer = match self.answers.try_recv() {
            Ok(answer) => Some(self.ended(answer)?),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => return Err(gone()),
        };
        if !self.running && Instant::now() >= self.rest_until {
            self.begin()?;
        }
        Ok(answer)
    }

    /// Waits until nothing is being computed. What was asked for and not begun is left to who comes next.
    ///
    /// # Errors
    /// As [`Deriver::poll`].
    pub(crate) fn finish(&mut self) -> Result<Option<Derived>, EngineError> {
        self.asked = None;
        if !self.running {
            return Ok(None);
        }
        let answer = self.answers.recv().map_err(|_| gone())?;
        self.ended(answer).map(Some)
    }

    fn begin(&mut self) -> Result<(), EngineError> {
        let Some(asked) = self.asked.take() else { return Ok(()) };
        self.asks.as_ref().and_then(|asks| asks.send(()).ok()).ok_or_else(gone)?;
        self.running = true;
        self.covers = asked;
        self.began = Instant::now();
        Ok(())
    }

    fn ended(&mut self, answer: Result<u64, EngineError>) -> Result<Derived, EngineError> {
        self.running = false;
        self.rest_until = Instant::now() + self.began.elapsed().min(LONGEST_REST);
        let duration_ms = u64::try_from(self.covers.elapsed().as_millis()).unwrap_or(u64::MAX);
        answer.map(|scopes| Derived { scopes, duration_ms })
    }
}

impl Drop for Deriver {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it was told where it happened.
            drop(thread.join());
        }
    }
}

fn gone() -> EngineError {
    EngineError::refused("the thread that computes derived tables ended\nhint: start the command again")
}
