//! The one gate through which handlers reach the engine: blocking work on a few sessions for each store.
//!
//! Owns the sessions, their number and the thread they work on. A handler hands over a function; it never holds a
//! session itself, so no await ever happens while a store is in use.
//!
//! Invariants: at most `limit` connections to one store; a session whose work failed or panicked is closed, not used
//! again, so no half-done transaction lives on.

use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_engine::flag::Switches;
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
    /// The place of the one request that writes; the others wait here in the order in which they came.
    writing: Arc<Semaphore>,
    switches: Option<Arc<dyn Switches>>,
}

impl Sessions {
    /// Up to `limit` sessions on the store at `url`, opened as they are needed.
    pub(crate) fn new(url: StoreUrl, limit: usize) -> Self {
        let places = Arc::new(Semaphore::new(limit.max(1)));
        Self(Arc::new(Inner { url, idle: Mutex::default(), places, writing: one(), switches: None }))
    }

    /// The same gate, whose sessions ask `switches` for flags.
    pub(crate) fn asking(self, switches: Arc<dyn Switches>) -> Self {
        let Inner { url, places, .. } = &*self.0;
        let (url, places) = (url.clone(), Arc::clone(places));
        Self(Arc::new(Inner {
            url,
            idle: Mutex::default(),
            places,
            writing: one(),
            switches: Some(switches),
        }))
    }

    /// Where the store is.
    pub(crate) fn url(&self) -> &StoreUrl {
        &self.0.url
    }

    /// Runs a request that the engine does one after the other in each store anyway: it waits for its turn here, in the
    /// order of arrival and without a session, rather than in the database, where it would hold one and nobody keeps an order.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) async fn run_in_turn<T: Send + 'static>(
        &self,
        actor: &str,
        work: impl FnOnce(&mut Session) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.0.writing).acquire_owned().await;
        let turn = turn.map_err(|_| ApiError::busy("the server is ending"))?;
        self.run(actor, move |session| {
            // A caller that goes away does not let the next one in before this work has ended.
            let _turn = turn;
            work(session)
        })
        .await
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
        let (span, request) = (tracing::Span::current(), crate::request::current());
        let done = tokio::task::spawn_blocking(move || {
            let (_place, _span) = (place, span.entered());
            let mut session = inner.take()?;
            session.actor = actor;
            session.request = request;
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

fn one() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1))
}

impl Inner {
    fn take(&self) -> Result<Session, EngineError> {
        if let Some(session) = self.lock().pop() {
            return Ok(session);
        }
        let mut session = Session::new(plimsoll_store::open(&self.url)?, "");
        session.switches.clone_from(&self.switches);
        Ok(session)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        // A panic while the list was locked cannot have left it half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
