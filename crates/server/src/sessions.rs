//! The one gate through which handlers reach the engine: blocking work on a few sessions for each store.
//!
//! Owns the sessions, their number and the thread they work on. A handler hands over a function; it never holds a
//! session itself, so no await ever happens while a store is in use.
//!
//! Invariants: at most `limit` connections to one store; a session whose work failed or panicked is closed, not used
//! again, so no half-done transaction lives on.

use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_engine::{EngineError, Session};
use plimsoll_store::StoreUrl;
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Sessions on one store.
#[derive(Clone)]
pub(crate) struct Sessions(Arc<Inner>);

struct Inner {
    url: StoreUrl,
    idle: Mutex<Vec<Session>>,
    places: Arc<Semaphore>,
}

impl Sessions {
    /// Up to `limit` sessions on the store at `url`, opened as they are needed.
    pub(crate) fn new(url: StoreUrl, limit: usize) -> Self {
        let places = Arc::new(Semaphore::new(limit.max(1)));
        Self(Arc::new(Inner { url, idle: Mutex::default(), places }))
    }

    /// Where the store is.
    pub(crate) fn url(&self) -> &StoreUrl {
        &self.0.url
    }

    /// Runs `work` on a session in the name of `actor`, waiting for a free one.
    ///
    /// # Errors
    /// What the engine says; 500 when the work panicked.
    #[expect(clippy::disallowed_methods, reason = "this is the gate for blocking work")]
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        actor: &str,
        work: impl FnOnce(&mut Session) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let inner = Arc::clone(&self.0);
        let place = Arc::clone(&inner.places).acquire_owned().await;
        let place = place.map_err(|_| ApiError::busy("the server is ending"))?;
        let actor = actor.to_owned();
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || {
            let (_place, _span) = (place, span.entered());
            let mut session = inner.take()?;
            session.actor = actor;
            let result = work(&mut session)?;
            inner.lock().push(session);
            Ok::<T, EngineError>(result)
        });
        match done.await {
            Ok(result) => Ok(result?),
            Err(failure) => Err(ApiError::internal(failure.to_string())),
        }
    }
}

impl Inner {
    fn take(&self) -> Result<Session, EngineError> {
        if let Some(session) = self.lock().pop() {
            return Ok(session);
        }
        Ok(Session::new(plimsoll_store::open(&self.url)?, ""))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        // A panic while the list was locked cannot have left it half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
