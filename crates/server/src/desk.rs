//! Analytical stores: opened for reading when somebody asks, and let go when nobody does.
//!
//! Owns the open files. A DuckDB file is written by one process and read by others only while nobody writes, so the server
//! holds it as long as it answers and [`IDLE`] more, and lets go at once when a command of its own is to write it.
//!
//! Invariants: the server never opens such a file for writing; while another process fills it the answer is 503 `busy`
//! with what to do, and never a stale figure.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plimsoll_engine::EngineError;
use plimsoll_engine::analytic::AnalyticSystem;
use plimsoll_engine::view::View;
use plimsoll_store::ErrorClass;
use plimsoll_store::duckdb::{Analytics, Resources};
use tokio::sync::Semaphore;

use crate::error::ApiError;
use crate::settings::ServedAnalytic;

/// How long a file stays open without a question.
const IDLE: Duration = Duration::from_secs(2);
/// Questions at once; each uses several threads.
const AT_ONCE: usize = 3;

/// One analytical system.
pub(crate) struct Desk {
    pub(crate) system: &'static AnalyticSystem,
    pub(crate) views: Vec<View>,
    path: PathBuf,
    open: Mutex<Option<(Analytics, Instant)>>,
    places: Semaphore,
}

impl Desk {
    /// A desk for a system; nothing is opened.
    ///
    /// # Errors
    /// When a view of the system is wrong.
    pub(crate) fn new(served: &ServedAnalytic) -> Result<Self, EngineError> {
        Ok(Self {
            system: served.system,
            views: View::parse_all(served.system.views)?,
            path: served.path.clone(),
            open: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        })
    }

    /// Asks the store.
    ///
    /// # Errors
    /// 503 while another process writes it; 404 when it was never filled; what the engine says.
    #[expect(clippy::disallowed_methods, reason = "this is the gate for blocking work on analytical stores")]
    pub(crate) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Analytics, &[View]) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _place = self.places.acquire().await.map_err(|_| ApiError::busy("the server is ending"))?;
        let desk = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let store = desk.store().map_err(|error| desk.told(error))?;
            work(&store, &desk.views).map_err(ApiError::from)
        });
        let done = done.await.map_err(|failure| ApiError::internal(failure.to_string()))?;
        let desk = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            desk.let_go_if_idle();
        });
        done
    }

    /// Closes the file, so that a command may write it. A question that is being answered ends first.
    pub(crate) fn let_go(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn let_go_if_idle(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|(_, used)| used.elapsed() >= IDLE) {
            *open = None;
        }
    }

    fn store(&self) -> Result<Analytics, EngineError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (store, used) = match open.take() {
            Some(known) => open.insert(known),
            None => {
                open.insert((Analytics::open_read_only(&self.path, Resources::default())?, Instant::now()))
            }
        };
        *used = Instant::now();
        Ok(store.another()?)
    }

    fn told(&self, error: EngineError) -> ApiError {
        let name = self.system.name;
        if error.class == Some(ErrorClass::Contention) {
            return ApiError::busy(format!("the store of `{name}` is being filled"))
                .hint("ask again in a moment: an ingest or a check has the file");
        }
        if !self.path.is_file() {
            return ApiError::not_found(format!("the store of `{name}` was never filled"))
                .hint(format!("plimsoll ingest {name}"));
        }
        ApiError::from(error)
    }
}
