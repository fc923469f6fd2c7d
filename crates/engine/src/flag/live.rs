//! The flags of a running process.
//!
//! Owns the current snapshot and its replacement. Reading takes no lock: whoever asks has either the whole old version or
//! the whole new one. It starts no thread: the caller decides when to look for a new version.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::context::EvaluationContext;
use super::snapshot::{Evaluation, Snapshot};
use super::{cache, store};
use crate::cache::Cache;
use crate::error::EngineError;
use crate::session::Session;

/// The flags of a running process.
#[derive(Debug)]
pub struct Flags {
    current: ArcSwap<Snapshot>,
    cache: Option<Arc<Cache>>,
}

impl Flags {
    /// The flags as they are now.
    ///
    /// # Errors
    /// When the store fails.
    pub fn load(session: &mut Session) -> Result<Self, EngineError> {
        Self::load_with(session, None)
    }

    /// The same, with a cache that is asked for definitions before the store is. Which version is the current one the
    /// store alone says.
    ///
    /// # Errors
    /// When the store fails.
    pub fn load_with(session: &mut Session, cache: Option<Arc<Cache>>) -> Result<Self, EngineError> {
        let current = ArcSwap::from_pointee(read(session, cache.as_deref())?);
        Ok(Self { current, cache })
    }

    /// The current snapshot.
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Whether the caller gets it.
    pub fn is_on(&self, name: &str, context: &EvaluationContext) -> bool {
        self.current.load().is_on(name, context)
    }

    /// Whether the caller gets it, what, and why.
    pub fn evaluate(&self, name: &str, context: &EvaluationContext) -> Evaluation {
        self.current.load().evaluate(name, context)
    }

    /// Takes over a new version when there is one; true when there was. Costs one small query when there is none.
    ///
    /// # Errors
    /// When the store fails; the old snapshot stays.
    pub fn refresh(&self, session: &mut Session) -> Result<bool, EngineError> {
        if store::version(session.store.as_mut())? == self.current.load().version() {
            return Ok(false);
        }
        self.current.store(Arc::new(read(session, self.cache.as_deref())?));
        Ok(true)
    }
}

fn read(session: &mut Session, cache: Option<&Cache>) -> Result<Snapshot, EngineError> {
    match cache {
        Some(cache) => cache::snapshot(session, cache),
        None => store::snapshot(session),
    }
}
