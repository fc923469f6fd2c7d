//! The flags as this server answers them, and the watch over the control store.
//!
//! Owns the engine's snapshot in use, its text for Unleash's clients, and the thread that asks the store for a new version
//! every few milliseconds, so that a change by any process reaches the clients of this one. Who changed what is the
//! engine's.
//!
//! Invariants: the version never goes back, because one lock covers "ask and take over"; a store that cannot be read
//! leaves the last known flags in force, and is said so once in the log.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::Bytes;
use plimsoll_engine::cache::Cache;
use plimsoll_engine::flag::{Flags, Snapshot, Switches};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

use crate::etag;
use crate::events::Event;
use crate::state::Server;

/// How long to leave a store alone that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The flags as they are.
pub(crate) struct Live {
    flags: Arc<Flags>,
    taking_over: Mutex<()>,
    feed: Mutex<Option<Arc<Feed>>>,
}

/// The flags as Unleash's clients take them.
#[derive(Debug)]
pub(crate) struct Feed {
    version: i64,
    /// The document.
    pub(crate) body: Bytes,
    /// Its entity tag.
    pub(crate) tag: String,
}

impl Live {
    /// Reads the flags.
    ///
    /// # Errors
    /// When the control store cannot be read.
    pub(crate) fn open(session: &mut Session, cache: Option<Arc<Cache>>) -> Result<Self, EngineError> {
        let flags = Arc::new(Flags::load_with(session, cache)?);
        Ok(Self { flags, taking_over: Mutex::default(), feed: Mutex::default() })
    }

    /// The flags as they are now; they stay so for whoever holds them.
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.flags.current()
    }

    /// The same, for operations that ask in the middle of their work.
    pub(crate) fn switches(&self) -> Arc<dyn Switches> {
        Arc::clone(&self.flags) as Arc<dyn Switches>
    }

    /// Their version.
    pub(crate) fn version(&self) -> u64 {
        u64::try_from(self.current().version()).unwrap_or(0)
    }

    /// The document for Unleash's clients, made once for each version.
    ///
    /// # Errors
    /// When the flags cannot be written as JSON.
    pub(crate) fn feed(&self) -> Result<Arc<Feed>, EngineError> {
        let current = self.current();
        // A panic while the document was replaced cannot have left it half written.
        let mut kept = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = kept.as_ref().filter(|feed| feed.version == current.version()) {
            return Ok(Arc::clone(feed));
        }
        let made = current.feed();
        for (flag, why) in &made.differs {
            tracing::warn!(flag, why, "Unleash clients keep this flag off");
        }
        let body = Bytes::from(serde_json::to_vec(&made.document)?);
        let feed = Arc::new(Feed { version: current.version(), tag: etag::of(&body), body });
        *kept = Some(Arc::clone(&feed));
        Ok(feed)
    }

    /// Takes over a new version of the store, when there is one; true when there was.
    ///
    /// # Errors
    /// When the store fails; the flags stay as they were.
    fn take_over(&self, session: &mut Session) -> Result<bool, EngineError> {
        let _one_at_a_time = self.taking_over.lock().unwrap_or_else(PoisonError::into_inner);
        self.flags.refresh(session)
    }
}

/// Takes over a new version of the flags and tells everybody who follows them.
///
/// # Errors
/// When the store fails.
pub(crate) fn refresh(server: &Server, session: &mut Session) -> Result<(), EngineError> {
    if server.live.take_over(session)? {
        push(server);
    }
    Ok(())
}

/// Tells everybody who follows the flags that there is a version.
pub(crate) fn push(server: &Server) {
    let version = server.live.version();
    let now: Option<jiff::Timestamp> = server.clock.now().parse().ok();
    let data = json!({
        "type": "refetchEvaluation",
        "etag": format!("v{version}"),
        "lastModified": now.map_or(0, jiff::Timestamp::as_second),
    });
    if server.clients.push(Event { id: version, data: data.to_string().into() }) {
        server.metrics.pushed.inc();
    }
}

/// The thread that watches the control store; it ends when this is dropped.
pub(crate) struct Watch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn begin(server: Server) -> std::io::Result<Self> {
        push(&server);
        let (stop, stopped) = mpsc::channel();
        let watch = move || watch(&server, &stopped);
        let thread = std::thread::Builder::new().name("flags".to_owned()).spawn(watch)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the watch over the flags ended by a panic");
        }
    }
}

fn watch(server: &Server, stopped: &mpsc::Receiver<()>) {
    let mut session: Option<Session> = None;
    let mut failing = false;
    let mut pause = server.settings.refresh_interval;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        match look(server, session.take()) {
            Ok(open) => {
                session = Some(open);
                failing = false;
                pause = server.settings.refresh_interval;
            }
            Err(error) => {
                if !failing {
                    tracing::error!(%error, "the flags cannot be refreshed; the last known ones stay in force");
                }
                failing = true;
                pause = AFTER_FAILURE;
            }
        }
    }
}

fn look(server: &Server, session: Option<Session>) -> Result<Session, EngineError> {
    let mut session = match session {
        Some(session) => session,
        None => Session::new(plimsoll_store::open(&server.settings.control)?, "server"),
    };
    refresh(server, &mut session)?;
    Ok(session)
}
