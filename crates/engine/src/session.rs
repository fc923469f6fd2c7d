//! A session: one connection, one actor, one clock - what every engine function works with.
//!
//! Owns the bundle and its seams for tests: the clock and the probe. It does not open stores (the store
//! crate does) and holds no state between calls.

use std::sync::Arc;

use plimsoll_core::clock::Clock;
use plimsoll_store::{Access, Store};

use crate::clock::MachineClock;
use crate::error::EngineError;
use crate::flag::Switches;

/// A point that the engine passes; tests stop or crash it there.
pub trait Probe: Send + Sync {
    /// Called at each named point. An error ends the work as if the process had died there.
    ///
    /// # Errors
    /// Whatever the test wants to happen.
    fn reach(&self, point: &'static str) -> Result<(), EngineError>;
}

/// A probe that never interferes.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    fn reach(&self, _point: &'static str) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Lets the writes of a run pass something that keeps other writers out, such as the fences of a pilot. Both calls are made
/// in the transaction of a batch.
pub trait Passage: Send + Sync {
    /// Before the batch writes.
    ///
    /// # Errors
    /// When the store fails.
    fn enter(&self, store: &mut dyn Store) -> Result<(), EngineError>;

    /// After the batch wrote, before it commits.
    ///
    /// # Errors
    /// When the store fails.
    fn leave(&self, store: &mut dyn Store) -> Result<(), EngineError>;
}

/// How far a piece of long work is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done: `reading`, `planning`, `applying`, `verifying`, `undoing`.
    pub phase: &'static str,
    /// Items done.
    pub done: u64,
    /// Items in all, when known.
    pub total: Option<u64>,
    /// Milliseconds still to go, when known.
    pub eta_ms: Option<u64>,
}

/// Where progress goes. Called often; the receiver decides what to show.
pub type ProgressSink = Arc<dyn Fn(&Progress) + Send + Sync>;

/// One connection, one actor, one clock.
pub struct Session {
    /// The store.
    pub store: Box<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who acts, as recorded in events.
    pub actor: String,
    /// The id of the request that it works for, as recorded with its events and edits.
    pub request: Option<Arc<str>>,
    /// Where progress goes.
    pub progress: ProgressSink,
    /// The test probe.
    pub probe: Arc<dyn Probe>,
    /// What the batches of runs pass; usually nothing is in their way.
    pub passage: Option<Arc<dyn Passage>>,
    /// Who is asked for flags; without anybody the declared defaults hold.
    pub switches: Option<Arc<dyn Switches>>,
    /// Events that wait until the work that they tell of is done, see [`crate::event`].
    pub(crate) held_back: Option<Vec<crate::event::Pending>>,
}

impl Session {
    /// A session on the machine's clock, without progress.
    pub fn new(store: Box<dyn Store>, actor: impl Into<String>) -> Self {
        Self {
            store,
            clock: Arc::new(MachineClock::new()),
            actor: actor.into(),
            request: None,
            progress: Arc::new(|_| {}),
            probe: Arc::new(NoProbe),
            passage: None,
            switches: None,
            held_back: None,
        }
    }

    /// Another session on the same store, for a worker.
    ///
    /// # Errors
    /// When the store cannot be opened again.
    pub fn fork(&self) -> Result<Self, EngineError> {
        Ok(Self {
            store: self.store.reopen()?,
            clock: Arc::clone(&self.clock),
            actor: self.actor.clone(),
            request: self.request.clone(),
            progress: Arc::clone(&self.progress),
            probe: Arc::clone(&self.probe),
            passage: self.passage.clone(),
            switches: self.switches.clone(),
            held_back: None,
        })
    }
}

/// Runs `work` in one transaction and takes back what it did: what it would say, without doing it.
pub(crate) fn taken_back<T>(
    store: &mut dyn Store,
    work: impl FnOnce(&mut dyn Store) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    store.begin(Access::ReadWrite)?;
    let done = work(store);
    store.rollback()?;
    done
}

/// Runs `work` in one transaction: commits when it returns `Ok`, rolls back otherwise.
pub(crate) fn in_transaction<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    session.store.begin(Access::ReadWrite)?;
    match work(session) {
        Ok(result) => {
            session.store.commit()?;
            Ok(result)
        }
        Err(error) => {
            // The first error is the one to tell; a failed rollback ends with the connection anyway.
            drop(session.store.rollback());
            Err(error)
        }
    }
}
